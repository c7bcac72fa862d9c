/*
 * Record locks of the process, fcntl(2) F_SETLK, in a form that can be handed over.
 *
 * The kernel gives such locks to a process and drops them when it ends; nobody can take them over
 * without a gap in which somebody else could get them. So in a supervised program they are made as
 * locks of an open file description (F_OFD_SETLK) that the runtime holds for each file: it has one
 * owner for the whole process, as these locks have, and is handed over as any description. What the
 * program sees is the same: no conflict among its own descriptors, all locks of a file go when one
 * of its descriptors is closed, a child has none. Others learn of a holder without a process id.
 */
#ifndef DROVER_RT_LOCKS_H
#define DROVER_RT_LOCKS_H

#include <sys/stat.h>

#include "migrator/rt/rt.h"

/* F_SETLK, F_SETLKW or F_GETLK made by `call`, which is wait_call or plain. */
long locks_fcntl(long fd, long cmd, long lock,
		 long (*call)(long n, long a, long b, long c, long d, long e, long f));

/* Whether a descriptor is one of the runtime's. */
bool locks_hidden(long fd);
/* Before the program's descriptor is closed. */
void locks_closing(long fd);
/* In the child of a fork. */
void locks_forked(void);

/* Whether something in the file is locked. */
bool locks_on(const struct stat *file);
/* The descriptors that hold locks: the i-th, or -1 behind the last one. */
int locks_holder(uint32_t i);
/* One of these, received from the old process; 0 or a negative errno. */
long locks_adopt(int fd);

#endif
