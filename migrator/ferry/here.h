/*
 * The passage between two ferries of one kernel and network: open descriptions go through it that
 * no other kernel could make again (docs/formats/handoff.md, "Passage").
 *
 * It is an abstract Unix socket, which only processes of the same kernel and network namespace can
 * reach: that a sender can connect to it is the proof that what it hands over will do its work
 * there.
 */
#ifndef DROVER_FERRY_HERE_H
#define DROVER_FERRY_HERE_H

#include <stdatomic.h>

#include "common/err.h"
#include "migrator/process/descriptors.h"

/* Receiver: listens for the sender that knows the secret. A descriptor or a negative errno. */
int here_listen(const char *secret);

/* Sender: connects. A descriptor, or a negative errno: the receiver is under another kernel or
 * network. */
int here_connect(const char *secret);

/* Sender: the secret and all of d, without waiting. */
int here_send(int fd, const char *secret, const struct descriptors *d, struct err *e);

/* Receiver: takes n descriptors from the first peer of this user that says the secret; *out owns
 * them. -ETIMEDOUT, -ECANCELED (stop was set). */
int here_receive(int listener, const char *secret, unsigned int n, const atomic_bool *stop,
		 struct descriptors *out, struct err *e);

#endif
