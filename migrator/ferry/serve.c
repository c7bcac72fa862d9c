/* See serve.h. */
#include "migrator/ferry/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/log.h"

struct client {
	int fd; /* -1: free */
	struct buf in;
};

struct server {
	int fd;
	struct client clients[SERVE_CLIENTS];
};

int serve_parse(const char *line, size_t len, struct serve_request *r, uint64_t *id, struct err *e)
{
	static const char *const commands[] = {"status", "send",   "abort", "release",
					       "go",     "cancel", NULL};
	_cleanup_json_ json_t *doc = NULL;
	struct json_fields f;
	uint64_t sig = 15;
	int cmd = 0, rc;

	memset(r, 0, sizeof(*r));
	*id = 0;
	rc = json_parse(line, len, FERRY_LINE_MAX, "request", &doc, e);
	if (rc)
		return rc;
	json_fields_init(&f, doc, "request", e);
	json_get_u64(&f, "id", JSON_REQUIRED, 1, INT64_MAX, &r->id);
	*id = r->id;
	json_get_enum(&f, "cmd", JSON_REQUIRED, commands, &cmd);
	json_get_u64(&f, "epoch", JSON_OPTIONAL, 0, INT64_MAX, &r->epoch);
	json_get_u64(&f, "next_epoch", JSON_OPTIONAL, 0, INT64_MAX, &r->next_epoch);
	json_get_str(&f, "migration", JSON_OPTIONAL, r->migration, sizeof(r->migration));
	json_get_str(&f, "endpoint", JSON_OPTIONAL, r->endpoint, sizeof(r->endpoint));
	json_get_str(&f, "secret", JSON_OPTIONAL, r->secret, sizeof(r->secret));
	json_get_u64(&f, "signal", JSON_OPTIONAL, 1, 64, &sig);
	r->cmd = (enum ferry_command_type)cmd;
	r->signal = (int)sig;
	if (!f.code && r->cmd == FERRY_CMD_SEND &&
	    (!*r->migration || !*r->endpoint || !*r->secret || r->next_epoch <= r->epoch))
		json_fail(&f, "cmd",
			  "send needs migration, endpoint, secret and a higher "
			  "next_epoch");
	return json_fields_end_lax(&f);
}

int serve_open(const char *dir, struct server **out, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct server *s = calloc(1, sizeof(*s));
	mode_t mask;
	int r;

	if (!s)
		return err_sys(e, -ENOMEM, "cannot make the socket in %s", dir);
	for (size_t i = 0; i < SERVE_CLIENTS; i++)
		s->clients[i].fd = -1;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* State directories may be deeper than a socket address is long. */
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/socket", dirfd);
	(void)unlinkat(dirfd, "socket", 0);
	mask = umask(0177);
	r = dirfd < 0 || s->fd < 0 || bind(s->fd, (struct sockaddr *)&sa, sizeof(sa)) ||
			    listen(s->fd, 8)
		    ? -errno
		    : 0;
	(void)umask(mask);
	if (r) {
		serve_close(s);
		return err_sys(e, r, "cannot make the socket in %s", dir);
	}
	*out = s;
	return 0;
}

static void drop(struct client *c)
{
	close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
}

void serve_close(struct server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SERVE_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			drop(&s->clients[i]);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

size_t serve_fds(const struct server *s, struct pollfd *fds)
{
	fds[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
	for (size_t i = 0; i < SERVE_CLIENTS; i++)
		fds[i + 1] = (struct pollfd){.fd = s->clients[i].fd, .events = POLLIN};
	return SERVE_CLIENTS + 1;
}

/* The socket's buffer holds many statuses: a client that fills it does not read any. */
static void send_status(struct client *c, const struct ferry_status *status)
{
	_cleanup_json_ json_t *j = ferry_status_pack(status);
	_cleanup_free_ char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, FERRY_LINE_MAX);
	if (!text || buf_printf(&b, "%s\n", text))
		return;
	if (send(c->fd, b.data, b.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)b.len)
		drop(c);
}

void serve_push(struct server *s, const struct ferry_status *status)
{
	struct ferry_status plain = *status;

	memset(&plain.answer, 0, sizeof(plain.answer));
	for (size_t i = 0; i < SERVE_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			send_status(&s->clients[i], &plain);
}

static void accept_client(struct server *s, const struct ferry_status *status)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < SERVE_CLIENTS; i++) {
		struct client *c = &s->clients[i];
		struct ferry_status plain = *status;

		if (c->fd >= 0)
			continue;
		c->fd = take_fd(&fd);
		buf_init(&c->in, FERRY_LINE_MAX);
		memset(&plain.answer, 0, sizeof(plain.answer));
		send_status(c, &plain);
	}
	if (fd >= 0)
		close(fd);
}

static void handle_line(struct client *c, const char *line, size_t len, struct ferry_status *status,
			serve_handler *handle, void *arg)
{
	struct serve_request r;
	struct ferry_status said;
	struct ferry_answer a = {.ok = true};
	struct err e = ERR_INIT;
	uint64_t id;

	if (serve_parse(line, len, &r, &id, &e)) {
		if (!id) {
			drop(c); /* not even a number to answer to */
			return;
		}
		a = (struct ferry_answer){.ok = false, .code = e.code};
		(void)snprintf(a.error, sizeof(a.error), "%.250s", e.msg);
	} else {
		handle(arg, &r, &a);
	}
	a.id = id;
	said = *status;
	said.answer = a;
	send_status(c, &said);
}

static void read_client(struct client *c, struct ferry_status *status, serve_handler *handle,
			void *arg)
{
	void *room;
	ssize_t n;
	char *nl;

	if (buf_reserve(&c->in, 4096, &room)) {
		drop(c); /* a line longer than any request */
		return;
	}
	n = recv(c->fd, room, 4096, MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(c);
		return;
	}
	buf_added(&c->in, (size_t)n);
	while (c->fd >= 0 && c->in.len && (nl = memchr(c->in.data, '\n', c->in.len))) {
		size_t len = (size_t)(nl - c->in.data);

		handle_line(c, c->in.data, len, status, handle, arg);
		if (c->fd >= 0)
			buf_consume(&c->in, len + 1);
	}
}

void serve_turn(struct server *s, const struct pollfd *fds, size_t nfds,
		struct ferry_status *status, serve_handler *handle, void *arg)
{
	for (size_t i = 1; i < nfds && i <= SERVE_CLIENTS; i++)
		if (fds[i].revents && fds[i].fd == s->clients[i - 1].fd && fds[i].fd >= 0)
			read_client(&s->clients[i - 1], status, handle, arg);
	if (nfds && fds[0].revents)
		accept_client(s, status);
}
