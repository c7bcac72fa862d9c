/*
 * An HTTP/1.1 server around libmicrohttpd: a table of routes, bounded bodies,
 * long polls, streams, problem+json, entity tags, ranges, TLS.
 *
 * Handlers run on a few threads, each of which serves many connections, so a
 * handler must not wait long: to wait it parks its request on a channel (a number
 * of the caller's choice) and returns; http_server_wake() on that channel, or the
 * request's deadline, runs the handler again from its beginning. Check the
 * condition and park under the lock under which the condition changes and wake
 * is called; then no wake-up is lost. Handlers of different requests run at the
 * same time; what they share they must lock.
 *
 * Without TLS only loopback addresses are accepted.
 */
#ifndef DROVER_COMMON_HTTP_SERVER_H
#define DROVER_COMMON_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "common/err.h"

struct http_server;
struct http_exchange;

enum http_body {
	HTTP_BODY_NONE,   /* a body is refused (413) */
	HTTP_BODY_MEMORY, /* kept in memory: http_body() */
	HTTP_BODY_FILE,   /* spooled to an unlinked file: http_body_fd() */
};

struct http_route {
	const char *method; /* "GET" also answers HEAD */
	/* "/v1/jobs/{id}/log": {x} matches one segment that isn't empty; "{x...}" at the end all
	 * that follows. */
	const char *path;
	unsigned int access; /* what the authorize hook makes of it */
	enum http_body body;
	size_t max_body;
	/* Gives exactly one http_reply_*, or parks. */
	void (*handle)(struct http_exchange *rq, void *ctx);
};

/* Who asks; filled by the authorize hook. */
struct http_principal {
	char name[64];
	unsigned int role;  /* the hook's own numbers */
	unsigned int flags; /* likewise */
	uint64_t expires_s; /* since 1970; 0: never */
	bool authenticated;
};

struct http_server_config {
	const char *listen; /* "127.0.0.1:7700", "[::1]:0", "localhost:7700"; port 0: any */
	const struct http_route *routes;
	size_t nroutes;
	void *ctx;             /* for handlers */
	const char *spool_dir; /* for HTTP_BODY_FILE */
	unsigned int max_connections;
	unsigned int threads; /* 0: one */
	/* Called when a request's headers are there, before its body is read: fills p, or replies
	 * (401, 403) and returns false. NULL: everybody may everything. */
	bool (*authorize)(struct http_exchange *rq, const struct http_route *route,
			  struct http_principal *p, void *ctx);
	/* PEM texts; NULL: no TLS. Both or none. */
	const char *tls_cert, *tls_key;
	bool anywhere; /* other addresses than loopback too; needs TLS */
};

/* -EACCES: listen isn't a loopback address and TLS is off; -EADDRINUSE and others of bind(2);
 * -EINVAL: the certificate or its key can't be used. */
int http_server_start(struct http_server **out, const struct http_server_config *cfg,
		      struct err *e);
uint16_t http_server_port(const struct http_server *s);
/* Ends parked requests (503) and streams, answers what is under way, stops. NULL-safe. */
void http_server_stop(struct http_server *s);
/* Runs the handlers of all requests parked on channel, and their streams, again. Any thread. */
void http_server_wake(struct http_server *s, uint64_t channel);

/* ---- the request -------------------------------------------------------- */

/* All strings are borrowed until the request ends; NULL when absent. */
const char *http_param(const struct http_exchange *rq, const char *name);
const char *http_query(const struct http_exchange *rq, const char *name);
/* A query parameter as a whole number from 0 to max; fallback if absent; -EINVAL (and e) if it is
 * none. */
int http_query_u64(const struct http_exchange *rq, const char *name, uint64_t fallback,
		   uint64_t max, uint64_t *out, struct err *e);
const char *http_header(const struct http_exchange *rq, const char *name);
const void *http_body(const struct http_exchange *rq, size_t *len);
/* Positioned at its start; stays the server's. */
int http_body_fd(const struct http_exchange *rq, uint64_t *len);
/* Has the request been parked until its deadline passed? */
bool http_expired(const struct http_exchange *rq);

const struct http_principal *http_principal(const struct http_exchange *rq);
/* What a handler keeps over parking; freed with the request, NULL before it is set. */
void *http_data(const struct http_exchange *rq);
void http_set_data(struct http_exchange *rq, void *data, void (*free_data)(void *data));

/* ---- replies ------------------------------------------------------------ */

void http_add_header(struct http_exchange *rq, const char *name, const char *value);
/* Takes the reference; NULL (no memory) becomes a 500. The answer to a GET has an entity tag, and
 * is 304 where If-None-Match names it. */
void http_reply_json(struct http_exchange *rq, unsigned int status, json_t *body);
void http_reply_bytes(struct http_exchange *rq, unsigned int status, const char *type,
		      const void *data, size_t len);
/* The entity tag of a JSON text, without its quotes; "" without memory. */
void http_json_tag(const json_t *body, char tag[20]);
/* True unless If-Match names another state than current (borrowed): then 412 was replied. */
bool http_if_match(struct http_exchange *rq, const json_t *current);
/* Sets the entity tag (without its quotes) of what follows. True if 304 was replied instead, for
 * the client has it. */
bool http_etag(struct http_exchange *rq, const char *tag);
/* Takes fd; sends len bytes from offset, or the Range of them that a GET asks for. */
void http_reply_fd(struct http_exchange *rq, unsigned int status, const char *type, int fd,
		   uint64_t offset, uint64_t len);
void http_reply_empty(struct http_exchange *rq, unsigned int status);
/* The file rel below dir (or its .gz where the client takes it), with type, entity tag and strict
 * security headers; 404 if there is none, or rel has a segment that begins with a dot. */
void http_reply_static(struct http_exchange *rq, const char *dir, const char *rel);
/* RFC 9457; hint may be NULL. */
void http_reply_problem(struct http_exchange *rq, unsigned int status, const char *detail,
			const char *hint);
/* The status that fits the error's code: -ENOENT 404, -EINVAL 400, -EBUSY 409, ... */
void http_reply_err(struct http_exchange *rq, const struct err *e);

/* Parks the request on channel for at most wait_ms, counted from the first time. */
void http_park(struct http_exchange *rq, uint64_t channel, uint64_t wait_ms);

/* What a stream's source gives: a count of bytes, or one of these. */
#define HTTP_STREAM_END  (-1)
#define HTTP_STREAM_WAIT (-2)
struct http_stream {
	/* Fills buf with at most max bytes. For HTTP_STREAM_WAIT it has called http_stream_park().
	 */
	int64_t (*read)(struct http_exchange *rq, void *state, char *buf, size_t max);
	void (*free)(void *state);
	void *state;
};
/* A reply whose length isn't known; the server frees the state in any case. */
void http_reply_stream(struct http_exchange *rq, unsigned int status, const char *type,
		       struct http_stream stream);
void http_stream_park(struct http_exchange *rq, uint64_t channel, uint64_t wait_ms);

#endif
