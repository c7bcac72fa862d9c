#include "common/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <pthread.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/http_listen.h"
#include "common/log.h"

#define PARAMS_MAX    4
#define PARK_BUCKETS  256
#define STREAM_BLOCK  32768
#define IDLE_S        120
#define MEMORY_PER_RQ 65536

struct param {
	char name[16];
	char value[160];
};

struct http_exchange {
	struct http_server *server;
	struct MHD_Connection *conn;
	const struct http_route *route;
	struct param params[PARAMS_MAX];
	unsigned int nparams;
	struct buf body;
	int body_fd;
	uint64_t body_len;
	bool started;   /* the headers were looked at */
	bool too_large; /* the body is; what comes is dropped */
	bool failed;    /* the spool can't be written */
	bool replied;
	struct {
		char name[32];
		char value[160];
	} headers[4];
	unsigned int nheaders;
	struct http_stream stream;
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
	bool timer_running;
	bool stopping;
	struct http_exchange *parked[PARK_BUCKETS];
};

/* ---- parking ------------------------------------------------------------ */

static void unlink_parked(struct http_exchange *rq)
{
	*rq->park_at = rq->park_next;
	if (rq->park_next)
		rq->park_next->park_at = rq->park_at;
	rq->parked = false;
}

static void park(struct http_exchange *rq, uint64_t channel, uint64_t wake_ns)
{
	struct http_server *s = rq->server;
	struct http_exchange **bucket = &s->parked[channel % PARK_BUCKETS];

	pthread_mutex_lock(&s->lock);
	rq->channel = channel;
	rq->wake_ns = wake_ns;
	if (s->stopping) {
		/* Come back at once: the server answers itself then. */
		MHD_suspend_connection(rq->conn);
		MHD_resume_connection(rq->conn);
	} else {
		rq->park_next = *bucket;
		rq->park_at = bucket;
		if (*bucket)
			(*bucket)->park_at = &rq->park_next;
		*bucket = rq;
		rq->parked = true;
		MHD_suspend_connection(rq->conn);
		pthread_cond_signal(&s->cond);
	}
	pthread_mutex_unlock(&s->lock);
}

/* Resumes the parked requests of a channel, or all that are past their time. */
static void resume_some(struct http_server *s, const uint64_t *channel, uint64_t now_ns)
{
	for (unsigned int b = 0; b < PARK_BUCKETS; b++) {
		struct http_exchange *rq, *next;

		if (channel && *channel % PARK_BUCKETS != b)
			continue;
		for (rq = s->parked[b]; rq; rq = next) {
			next = rq->park_next;
			if (channel ? rq->channel != *channel
				    : !s->stopping && rq->wake_ns > now_ns)
				continue;
			rq->expired = !channel;
			unlink_parked(rq);
			MHD_resume_connection(rq->conn);
		}
	}
}

static uint64_t next_wake(const struct http_server *s)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int b = 0; b < PARK_BUCKETS; b++)
		for (struct http_exchange *rq = s->parked[b]; rq; rq = rq->park_next)
			if (rq->wake_ns < first)
				first = rq->wake_ns;
	return first;
}

static void *timer_main(void *arg)
{
	struct http_server *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		uint64_t now = clock_monotonic_ns(), at;

		resume_some(s, NULL, now);
		at = next_wake(s);
		if (at == UINT64_MAX) {
			pthread_cond_wait(&s->cond, &s->lock);
		} else {
			struct timespec ts = {.tv_sec = (time_t)(at / NS_PER_S),
					      .tv_nsec = (long)(at % NS_PER_S)};

			pthread_cond_timedwait(&s->cond, &s->lock, &ts);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

void http_server_wake(struct http_server *s, uint64_t channel)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	resume_some(s, &channel, 0);
	pthread_mutex_unlock(&s->lock);
}

void http_park(struct http_exchange *rq, uint64_t channel, uint64_t wait_ms)
{
	if (!rq->deadline_ns)
		rq->deadline_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	rq->replied = true;
	park(rq, channel, rq->deadline_ns);
}

void http_stream_park(struct http_exchange *rq, uint64_t channel, uint64_t wait_ms)
{
	park(rq, channel, clock_monotonic_ns() + wait_ms * NS_PER_MS);
}

bool http_expired(const struct http_exchange *rq)
{
	return rq->expired;
}

/* ---- reading the request ------------------------------------------------ */

const char *http_param(const struct http_exchange *rq, const char *name)
{
	for (unsigned int i = 0; i < rq->nparams; i++)
		if (!strcmp(rq->params[i].name, name))
			return rq->params[i].value;
	return NULL;
}

const char *http_query(const struct http_exchange *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn, MHD_GET_ARGUMENT_KIND, name);
}

int http_query_u64(const struct http_exchange *rq, const char *name, uint64_t fallback, uint64_t max,
		   uint64_t *out, struct err *e)
{
	const char *s = http_query(rq, name);
	char *end;

	*out = fallback;
	if (!s)
		return 0;
	errno = 0;
	*out = strtoull(s, &end, 10);
	if (!*s || *s < '0' || *s > '9' || *end || errno || *out > max)
		return err_set(e, -EINVAL, "%s must be a whole number from 0 to %" PRIu64, name,
			       max);
	return 0;
}

const char *http_header(const struct http_exchange *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->conn, MHD_HEADER_KIND, name);
}

const void *http_body(const struct http_exchange *rq, size_t *len)
{
	*len = rq->body.len;
	return buf_cstr(&rq->body);
}

int http_body_fd(const struct http_exchange *rq, uint64_t *len)
{
	*len = rq->body_len;
	if (rq->body_fd >= 0 && lseek(rq->body_fd, 0, SEEK_SET) < 0)
		return -errno;
	return rq->body_fd;
}

/* ---- replying ----------------------------------------------------------- */

void http_add_header(struct http_exchange *rq, const char *name, const char *value)
{
	if (rq->nheaders == ARRAY_SIZE(rq->headers))
		return;
	(void)snprintf(rq->headers[rq->nheaders].name, sizeof(rq->headers[0].name), "%s", name);
	(void)snprintf(rq->headers[rq->nheaders].value, sizeof(rq->headers[0].value), "%s", value);
	rq->nheaders++;
}

static void send_response(struct http_exchange *rq, unsigned int status, const char *type,
			  struct MHD_Response *rsp)
{
	if (!rsp) {
		log_error("http.reply error=\"no memory\"");
		return;
	}
	if (type)
		(void)MHD_add_response_header(rsp, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (unsigned int i = 0; i < rq->nheaders; i++)
		(void)MHD_add_response_header(rsp, rq->headers[i].name, rq->headers[i].value);
	rq->replied = MHD_queue_response(rq->conn, status, rsp) == MHD_YES;
	MHD_destroy_response(rsp);
}

void http_reply_bytes(struct http_exchange *rq, unsigned int status, const char *type,
		      const void *data, size_t len)
{
	send_response(rq, status, type,
		      MHD_create_response_from_buffer(len, (void *)(uintptr_t)data,
						      MHD_RESPMEM_MUST_COPY));
}

void http_reply_empty(struct http_exchange *rq, unsigned int status)
{
	http_reply_bytes(rq, status, NULL, "", 0);
}

static void reply_json_as(struct http_exchange *rq, unsigned int status, const char *type,
			  json_t *body)
{
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;

	json_decref(body);
	if (text)
		http_reply_bytes(rq, status, type, text, strlen(text));
	else
		http_reply_bytes(rq, 500, "text/plain", "out of memory\n", 14);
}

void http_reply_json(struct http_exchange *rq, unsigned int status, json_t *body)
{
	reply_json_as(rq, status, "application/json", body);
}

void http_reply_fd(struct http_exchange *rq, unsigned int status, const char *type, int fd,
		   uint64_t offset, uint64_t len)
{
	struct MHD_Response *rsp;

	if (!len) {
		/* libmicrohttpd 0.9.75 doesn't serve an empty range of a file. */
		close(fd);
		http_reply_bytes(rq, status, type, "", 0);
		return;
	}
	rsp = MHD_create_response_from_fd_at_offset64(len, fd, offset);
	if (!rsp)
		close(fd);
	send_response(rq, status, type, rsp);
}

static const char *status_title(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *title;
	} titles[] = {
		{400, "Bad request"},
		{403, "Forbidden"},
		{404, "Not found"},
		{405, "Method not allowed"},
		{409, "Conflict"},
		{413, "Content too large"},
		{422, "Unprocessable content"},
		{500, "Internal server error"},
		{503, "Service unavailable"},
		{507, "Insufficient storage"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void http_reply_problem(struct http_exchange *rq, unsigned int status, const char *detail,
			const char *hint)
{
	json_t *o = json_pack("{s:s, s:s, s:i}", "type", "about:blank", "title",
			      status_title(status), "status", (int)status);

	if (o) {
		json_t *text = json_string(detail);

		/* Detail may quote what came from outside, which need not be UTF-8. */
		json_object_set_new(o, "detail", text ? text : json_string("(not readable)"));
		if (hint && *hint)
			json_object_set_new(o, "hint", json_string(hint));
	}
	reply_json_as(rq, status, "application/problem+json", o);
}

void http_reply_err(struct http_exchange *rq, const struct err *e)
{
	static const struct {
		int code;
		unsigned int status;
	} map[] = {
		{-ENOENT, 404}, {-EINVAL, 400},   {-EFBIG, 413},   {-EBUSY, 409},
		{-EEXIST, 409}, {-EALREADY, 409}, {-EBADMSG, 422}, {-ENOSPC, 507},
		{-EDQUOT, 507}, {-EROFS, 507},    {-EAGAIN, 503},  {-EIO, 503},
	};
	unsigned int status = 500;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].code == e->code)
			status = map[i].status;
	http_reply_problem(rq, status, e->msg, e->hint);
}

static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_exchange *rq = cls;
	bool stopping;
	int64_t n;

	(void)pos;
	pthread_mutex_lock(&rq->server->lock);
	stopping = rq->server->stopping;
	pthread_mutex_unlock(&rq->server->lock);
	if (stopping)
		return MHD_CONTENT_READER_END_OF_STREAM;
	n = rq->stream.read(rq, rq->stream.state, buf, max);
	if (n == HTTP_STREAM_WAIT)
		return 0;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

void http_reply_stream(struct http_exchange *rq, unsigned int status, const char *type,
		       struct http_stream stream)
{
	rq->stream = stream;
	send_response(rq, status, type,
		      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read,
							rq, NULL));
}

/* ---- routing ------------------------------------------------------------ */

/* Does url match the pattern? Fills the parameters. */
static bool match(const char *pattern, const char *url, struct http_exchange *rq)
{
	rq->nparams = 0;
	while (*pattern) {
		const char *close = strchr(pattern, '}');
		size_t seg = strcspn(url, "/");
		struct param *p;

		if (*pattern != '{') {
			if (*pattern++ != *url++)
				return false;
			continue;
		}
		p = &rq->params[rq->nparams];
		if (!close || !seg || seg >= sizeof(p->value) || rq->nparams == PARAMS_MAX)
			return false;
		(void)snprintf(p->name, sizeof(p->name), "%.*s", (int)(close - pattern - 1),
			       pattern + 1);
		memcpy(p->value, url, seg);
		p->value[seg] = '\0';
		rq->nparams++;
		url += seg;
		pattern = close + 1;
	}
	return !*url;
}

static bool method_is(const struct http_route *r, const char *method)
{
	return !strcmp(r->method, method) ||
	       (!strcmp(method, MHD_HTTP_METHOD_HEAD) && !strcmp(r->method, "GET"));
}

/* Sets rq->route, or replies 404 or 405. */
static void find_route(struct http_exchange *rq, const char *method, const char *url)
{
	const struct http_server *s = rq->server;
	char allow[64] = "", detail[256];

	for (size_t i = 0; i < s->cfg.nroutes; i++) {
		const struct http_route *r = &s->cfg.routes[i];

		if (!match(r->path, url, rq))
			continue;
		if (method_is(r, method)) {
			rq->route = r;
			return;
		}
		if (strlen(allow) + strlen(r->method) + 3 < sizeof(allow)) {
			if (allow[0])
				strcat(allow, ", ");
			strcat(allow, r->method);
		}
	}
	(void)snprintf(detail, sizeof(detail), "%s of %.160s is not offered", method, url);
	if (allow[0]) {
		http_add_header(rq, "Allow", allow);
		http_reply_problem(rq, 405, detail, NULL);
	} else {
		http_reply_problem(rq, 404, detail, NULL);
	}
}

/* ---- libmicrohttpd's callbacks ------------------------------------------ */

static int open_spool(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	_cleanup_free_ char *name = NULL;

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd >= 0 ? fd : -errno;
	if (asprintf(&name, "%s/spool-XXXXXX", dir) < 0)
		return -ENOMEM;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)unlink(name);
	return fd;
}

static void reply_too_large(struct http_exchange *rq)
{
	char detail[96];
	size_t max = rq->route->body == HTTP_BODY_NONE ? 0 : rq->route->max_body;

	(void)snprintf(detail, sizeof(detail), "the body may have at most %zu bytes", max);
	http_reply_problem(rq, 413, detail, NULL);
}

/* The headers are here: choose the route, prepare for the body. */
static void begin(struct http_exchange *rq, const char *method, const char *url)
{
	const char *len;

	rq->started = true;
	find_route(rq, method, url);
	if (!rq->route)
		return;
	len = http_header(rq, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (len && strtoull(len, NULL, 10) >
			   (rq->route->body == HTTP_BODY_NONE ? 0 : rq->route->max_body)) {
		reply_too_large(rq);
		return;
	}
	buf_init(&rq->body, rq->route->max_body);
	if (rq->route->body == HTTP_BODY_FILE) {
		rq->body_fd = open_spool(rq->server->spool_dir);
		rq->failed = rq->body_fd < 0;
	}
}

static void take_body(struct http_exchange *rq, const char *data, size_t len)
{
	if (rq->too_large || rq->failed)
		return;
	if (rq->route->body == HTTP_BODY_NONE || len > rq->route->max_body - rq->body_len) {
		rq->too_large = true;
		buf_free(&rq->body);
		return;
	}
	rq->body_len += len;
	if (rq->route->body == HTTP_BODY_FILE)
		rq->failed = file_write_all(rq->body_fd, data, len) != 0;
	else
		rq->failed = buf_append(&rq->body, data, len) != 0;
}

static void run(struct http_exchange *rq)
{
	bool stopping;

	pthread_mutex_lock(&rq->server->lock);
	stopping = rq->server->stopping;
	pthread_mutex_unlock(&rq->server->lock);
	if (rq->too_large)
		reply_too_large(rq);
	else if (rq->failed)
		http_reply_problem(rq, 507, "the body could not be kept",
				   "make room on the file system of the state directory");
	else if (stopping)
		http_reply_problem(rq, 503, "the server is shutting down", "try again");
	else
		rq->route->handle(rq, rq->server->cfg.ctx);
}

static enum MHD_Result access_handler(void *cls, struct MHD_Connection *conn, const char *url,
				      const char *method, const char *version, const char *data,
				      size_t *len, void **con_cls)
{
	struct http_exchange *rq = *con_cls;

	(void)version;
	if (!rq) {
		rq = calloc(1, sizeof(*rq));
		if (!rq)
			return MHD_NO;
		rq->server = cls;
		rq->conn = conn;
		rq->body_fd = -1;
		*con_cls = rq;
	}
	rq->replied = false;
	if (!rq->started) {
		begin(rq, method, url);
		/* With an answer or without: the body is read, or refused, next. */
		return rq->route || rq->replied ? MHD_YES : MHD_NO;
	}
	if (*len) {
		take_body(rq, data, *len);
		*len = 0;
		return MHD_YES;
	}
	run(rq);
	return rq->replied ? MHD_YES : MHD_NO;
}

static void request_done(void *cls, struct MHD_Connection *conn, void **con_cls,
			 enum MHD_RequestTerminationCode how)
{
	struct http_exchange *rq = *con_cls;

	(void)cls;
	(void)conn;
	(void)how;
	if (!rq)
		return;
	pthread_mutex_lock(&rq->server->lock);
	if (rq->parked)
		unlink_parked(rq);
	pthread_mutex_unlock(&rq->server->lock);
	if (rq->stream.free)
		rq->stream.free(rq->stream.state);
	buf_free(&rq->body);
	if (rq->body_fd >= 0)
		close(rq->body_fd);
	free(rq);
	*con_cls = NULL;
}

/* ---- start and stop ----------------------------------------------------- */

static void server_free(struct http_server *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->cond);
	free(s->spool_dir);
	free(s);
}

int http_server_start(struct http_server **out, const struct http_server_config *cfg, struct err *e)
{
	struct http_server *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int fd;

	*out = NULL;
	if (!s)
		return err_set(e, -ENOMEM, "no memory for the server");
	s->cfg = *cfg;
	s->spool_dir = strdup(cfg->spool_dir ? cfg->spool_dir : "/tmp");
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->cond, &attr);
	pthread_condattr_destroy(&attr);
	fd = http_listen(cfg->listen, &s->port, e);
	if (fd < 0) {
		server_free(s);
		return fd;
	}
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL,
		NULL, access_handler, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		cfg->max_connections ? cfg->max_connections : 1024, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_RQ,
		MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL, MHD_OPTION_END);
	if (!s->daemon) {
		close(fd);
		server_free(s);
		return err_sys(e, -(errno ? errno : ENOMEM), "can't start the HTTP server");
	}
	s->timer_running = !pthread_create(&s->timer, NULL, timer_main, s);
	if (!s->timer_running) {
		http_server_stop(s);
		return err_set(e, -EAGAIN, "can't start the HTTP server's timer");
	}
	*out = s;
	return 0;
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}

void http_server_stop(struct http_server *s)
{
	MHD_socket fd;

	if (!s)
		return;
	fd = MHD_quiesce_daemon(s->daemon);
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	resume_some(s, NULL, 0);
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->lock);
	if (s->timer_running)
		pthread_join(s->timer, NULL);
	MHD_stop_daemon(s->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	server_free(s);
}
