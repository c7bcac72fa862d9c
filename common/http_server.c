/*
 * The server's life, its routes and the callbacks of libmicrohttpd.
 */
#include "common/http_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/http_listen.h"
#include "common/log.h"

#define IDLE_S        120
#define MEMORY_PER_RQ 65536
/* TLS 1.2 with forward secrecy, and TLS 1.3 (GnuTLS priority string). */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"

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

int http_query_u64(const struct http_exchange *rq, const char *name, uint64_t fallback,
		   uint64_t max, uint64_t *out, struct err *e)
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

const struct http_principal *http_principal(const struct http_exchange *rq)
{
	return &rq->principal;
}

void *http_data(const struct http_exchange *rq)
{
	return rq->data;
}

void http_set_data(struct http_exchange *rq, void *data, void (*free_data)(void *data))
{
	rq->data = data;
	rq->free_data = free_data;
}

/* ---- routing ------------------------------------------------------------ */

/* Does url match the pattern? Fills the parameters. */
static bool match(const char *pattern, const char *url, struct http_exchange *rq)
{
	rq->nparams = 0;
	while (*pattern) {
		const char *close = strchr(pattern, '}');
		bool rest = close && close - pattern > 3 && !memcmp(close - 3, "...", 3);
		size_t seg = rest ? strlen(url) : strcspn(url, "/");
		struct param *p;

		if (*pattern != '{') {
			if (*pattern++ != *url++)
				return false;
			continue;
		}
		p = &rq->params[rq->nparams];
		if (!close || !seg || seg >= sizeof(p->value) || rq->nparams == PARAMS_MAX)
			return false;
		(void)snprintf(p->name, sizeof(p->name), "%.*s",
			       (int)(close - pattern - (rest ? 4 : 1)), pattern + 1);
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

	const struct http_server *s = rq->server;

	rq->started = true;
	rq->is_get = !strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD);
	find_route(rq, method, url);
	if (!rq->route)
		return;
	if (s->cfg.authorize && !s->cfg.authorize(rq, rq->route, &rq->principal, s->cfg.ctx)) {
		rq->route = NULL;
		return;
	}
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
	if (rq->too_large)
		reply_too_large(rq);
	else if (rq->failed)
		http_reply_problem(rq, 507, "the body could not be kept",
				   "make room on the file system of the state directory");
	else if (http_stopping(rq->server))
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
	http_park_forget(rq);
	if (rq->stream.free)
		rq->stream.free(rq->stream.state);
	if (rq->free_data)
		rq->free_data(rq->data);
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

/* What went wrong inside libmicrohttpd, for its own messages are all it tells. */
static void log_daemon(void *cls, const char *fmt, va_list ap)
{
	char text[256];

	(void)cls;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	log_debug("http.daemon message=\"%s\"", text);
}

static int start_daemon(struct http_server *s, int fd, struct err *e)
{
	struct MHD_OptionItem more[5] = {{MHD_OPTION_END, 0, NULL}};
	unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_ITC | MHD_USE_ERROR_LOG;
	size_t n = 0;

	if (s->cfg.threads > 1)
		more[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE,
						    (intptr_t)s->cfg.threads, NULL};
	if (s->cfg.tls_cert) {
		flags |= MHD_USE_TLS;
		more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
						    (void *)(uintptr_t)s->cfg.tls_cert};
		more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
						    (void *)(uintptr_t)s->cfg.tls_key};
		more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
						    (void *)(uintptr_t)TLS_PRIORITIES};
	}
	more[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, access_handler, s,
				     MHD_OPTION_EXTERNAL_LOGGER, log_daemon, s,
				     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     s->cfg.max_connections ? s->cfg.max_connections : 1024,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_RQ,
				     MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL,
				     MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	if (s->daemon)
		return 0;
	if (!s->cfg.tls_cert)
		return err_sys(e, -(errno ? errno : ENOMEM), "can't start the HTTP server");
	err_set(e, -EINVAL, "can't start the HTTP server: its certificate or key can't be used");
	return err_hint(e, "make both with drover cert; --log-level debug says more");
}

int http_server_start(struct http_server **out, const struct http_server_config *cfg, struct err *e)
{
	struct http_server *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int fd, r;

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
	fd = http_listen(cfg->listen, cfg->anywhere && cfg->tls_cert, &s->port, e);
	if (fd < 0) {
		server_free(s);
		return fd;
	}
	r = start_daemon(s, fd, e);
	if (r) {
		close(fd);
		server_free(s);
		return r;
	}
	s->timer_running = !pthread_create(&s->timer, NULL, http_park_timer, s);
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
	http_park_wake_all(s);
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->lock);
	if (s->timer_running)
		pthread_join(s->timer, NULL);
	MHD_stop_daemon(s->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	server_free(s);
}
