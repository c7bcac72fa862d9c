/*
 * Shared by the files of the HTTP server.
 */
#ifndef DROVER_COMMON_HTTP_INTERNAL_H
#define DROVER_COMMON_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>

#include "common/buf.h"
#include "common/http_server.h"

#define PARAMS_MAX   4
#define HEADERS_MAX  12
#define PARK_BUCKETS 1024

struct param {
	char name[16];
	char value[256];
};

struct http_exchange {
	struct http_server *server;
	struct MHD_Connection *conn;
	const struct http_route *route;
	struct http_principal principal;
	struct param params[PARAMS_MAX];
	unsigned int nparams;
	struct buf body;
	int body_fd;
	uint64_t body_len;
	bool is_get;    /* or HEAD */
	bool started;   /* the headers were looked at */
	bool too_large; /* the body is; what comes is dropped */
	bool failed;    /* the spool can't be written */
	bool replied;
	struct {
		char name[32];
		char value[288];
	} headers[HEADERS_MAX];
	unsigned int nheaders;
	struct http_stream stream;
	void *data; /* the handler's, kept over parking */
	void (*free_data)(void *data);
	/* parking; under server->lock */
	bool parked;
	uint64_t channel;
	uint64_t deadline_ns; /* of the request, 0 before the first park */
	uint64_t wake_ns;
	bool expired;
	struct http_exchange *park_next, **park_at;
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_server_config cfg;
	char *spool_dir;
	uint16_t port;
	pthread_mutex_t lock; /* of the parked requests */
	pthread_cond_t cond;
	pthread_t timer;
	uint64_t timer_ns; /* when the timer looks next */
	bool timer_running;
	bool stopping;
	struct http_exchange *parked[PARK_BUCKETS];
};

/* Runs the timer's thread until the server stops. */
void *http_park_timer(void *server);
/* Takes a request that ends off its list. */
void http_park_forget(struct http_exchange *rq);
/* Under server->lock: wakes all parked requests, for the server stops. */
void http_park_wake_all(struct http_server *s);
bool http_stopping(struct http_server *s);

/* Does a list as of If-Match name the tag (given without quotes)? Pure. */
bool http_names_tag(const char *list, const char *tag);
/*
 * One range of RFC 9110, 14.1.2: "bytes=2-", "bytes=2-5" or "bytes=-5" of size
 * bytes. 1: *from and *len are set; 0: not a range we serve, send all; -ERANGE.
 * Pure.
 */
int http_parse_range(const char *text, uint64_t size, uint64_t *from, uint64_t *len);

#endif
