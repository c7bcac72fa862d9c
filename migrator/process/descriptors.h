/*
 * Records with descriptors beside them (SCM_RIGHTS, unix(7)) on a Unix socket that keeps records
 * apart: how open descriptions get from a process to the one that continues it.
 */
#ifndef DROVER_PROCESS_DESCRIPTORS_H
#define DROVER_PROCESS_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>
#include "migrator/include/control.h"

#define DESCRIPTORS_MAX 1024 /* of one job */

/* Owned descriptors; zero is empty. */
struct descriptors {
	int *fds;
	unsigned int n;
};

/* Closes all. */
void descriptors_drop(struct descriptors *d);

/* Sends one record with n descriptors (at most DROVER_CONTROL_FDS_MAX) beside it; flags as of
 * sendmsg(2). 0 or a negative errno. */
int descriptors_send(int sock, const void *record, size_t len, const int *fds, unsigned int n,
		     int flags);

/* Receives one record and appends what is beside it to *d. Bytes received (0: the other end has
 * closed) or a negative errno: -EMFILE if descriptors were lost or d would have more than
 * DESCRIPTORS_MAX. flags as of recvmsg(2). */
ssize_t descriptors_recv(int sock, void *record, size_t len, struct descriptors *d, int flags);

#endif
