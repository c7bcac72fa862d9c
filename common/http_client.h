/*
 * A small HTTP client (over libcurl): bounded answers, time limits, problem+json.
 *
 * One struct http_client is one keep-alive connection and belongs to one thread
 * at a time. Transport failures are negative errnos; an answer with a status of
 * 400 or more is an answer: http_check() turns it into a struct err, taking
 * detail and hint from application/problem+json (RFC 9457) where it is one.
 */
#ifndef DROVER_COMMON_HTTP_CLIENT_H
#define DROVER_COMMON_HTTP_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

struct http_client;

struct http_request {
	const char *method; /* "GET", "PUT", ... */
	const char *path;   /* "/v1/jobs?limit=10": appended to the base */
	const void *body;   /* NULL: none */
	size_t body_len;
	int body_fd;              /* > 0: upload body_len bytes from here instead of body */
	const char *content_type; /* NULL: application/json when there is a body */
	const char *headers[4];   /* further "Name: value" lines, NULL-terminated */
	unsigned int timeout_ms;  /* whole exchange; 0: 30 s */
	unsigned int stall_ms;    /* when set: only a stall of this long ends it, not timeout_ms */
	size_t max_answer;        /* bytes; 0: 1 MiB */
	int answer_fd;            /* > 0: the body goes there instead of to the answer's buffer */
	/* The body goes here piece by piece instead; non-zero ends the exchange with -ECANCELED. */
	int (*sink)(void *arg, const char *data, size_t len);
	void *sink_arg;
};

struct http_answer {
	int status;
	char content_type[96];
	char location[256];
	struct buf body; /* freed by http_answer_free */
};

/*
 * What clients made afterwards use: a file with the authorities that may have
 * signed a server's certificate (NULL: $DROVER_CA, else those of the system), and
 * a file with a bearer token (NULL: $DROVER_TOKEN_FILE, else none). Borrowed.
 Call it before there are threads.
 */
void http_client_credentials(const char *ca_file, const char *token_file);

/* base: "http://127.0.0.1:7700" or "https://HOST:PORT", without a path. NULL with e set if it isn't
 * one, or the token can't be read, or it would go unencrypted to another machine. */
struct http_client *http_client_new(const char *base, struct err *e);
void http_client_free(struct http_client *c);

/* Ends exchanges of c with -ECANCELED, within a second, as soon as *flag is true. Borrowed. */
void http_client_stop_on(struct http_client *c, const atomic_bool *flag);

/* The base it was made with. */
const char *http_client_base(const struct http_client *c);

/*
 * One exchange. 0 when there was an answer, whatever its status. -ECONNREFUSED,
 * -ETIMEDOUT, -EFBIG (answer over max_answer), -ECANCELED, -EPIPE, -EIO.
 */
int http_do(struct http_client *c, const struct http_request *r, struct http_answer *a,
	    struct err *e);
void http_answer_free(struct http_answer *a);
#define _cleanup_answer_ _cleanup_(http_answer_free)

/* 0 for a status below 400, else the errno that fits it, with the problem in e. */
int http_check(const struct http_answer *a, struct err *e);

/*
 * Exchange with JSON on both sides: in may be NULL (no body); *out, a new
 * reference, is NULL for an empty answer. Includes http_check().
 */
int http_json(struct http_client *c, const char *method, const char *path, const json_t *in,
	      json_t **out, struct err *e);

/* Appends s to b, escaped for use in a path or query. */
int http_escape(struct buf *b, const char *s);

/*
 * Delay before try number n (from 1) of something that failed: 100 ms doubling to
 * 3.2 s, each between half and the full value by r (any random number). Pure.
 */
unsigned int http_backoff_ms(unsigned int n, uint32_t r);

#endif
