/*
 * How bytes get from one ferry to another: a table of functions per transport.
 *
 * A transport gives reliable, ordered streams. Every call that may wait takes a
 * limit on silence and a flag that ends it within a tenth of a second; both give
 * a clear error. A listener or connection is used by one thread at a time.
 */
#ifndef DROVER_FERRY_TRANSPORT_H
#define DROVER_FERRY_TRANSPORT_H

#include <stdatomic.h>
#include <stddef.h>

#include "common/err.h"

/* Both know their transport, so that callers don't have to. */
struct transport_listener {
	const struct transport *ops;
	int fd;
};

struct transport_conn {
	const struct transport *ops;
	int fd;
};

struct transport {
	const char *name;

	/* where: what the agent gave. endpoint receives what a peer connects to. */
	int (*listen)(const char *where, struct transport_listener **out, char *endpoint,
		      size_t size, struct err *e);
	/* Waits without limit. -ECANCELED: stop was set. */
	int (*accept)(struct transport_listener *l, const atomic_bool *stop,
		      struct transport_conn **out, struct err *e);
	void (*unlisten)(struct transport_listener *l);

	int (*connect)(const char *endpoint, int silence_ms, const atomic_bool *stop,
		       struct transport_conn **out, struct err *e);
	/* All of it or an error: -ETIMEDOUT after silence_ms without progress, -ECANCELED,
	 * -ECONNRESET when the peer has closed. */
	int (*send)(struct transport_conn *c, const void *data, size_t len, int silence_ms,
		    const atomic_bool *stop, struct err *e);
	int (*recv)(struct transport_conn *c, void *data, size_t len, int silence_ms,
		    const atomic_bool *stop, struct err *e);
	void (*close)(struct transport_conn *c);
};

extern const struct transport transport_tcp;

/* The transport of an endpoint; "ADDRESS:PORT" is tcp. Never NULL. */
const struct transport *transport_find(const char *endpoint);

#endif
