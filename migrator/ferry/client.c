#include "migrator/ferry/client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/paths.h"

#define SPAWN_TIMEOUT_MS 10000

struct ferry_client {
	int fd;
	uint64_t last_id;
	struct buf in;
};

static json_t *strings_json(const char *const *v)
{
	json_t *a = json_array();

	for (; a && v && *v; v++)
		if (json_array_append_new(a, json_string(*v)) < 0) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static int write_spec(const struct ferry_spec *s, const char *dir, struct err *e)
{
	_cleanup_json_ json_t *v = NULL;
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	v = json_pack("{si ss sI sI ss ss ss ss ss so so ss? ss? ss? ss? sI}", "version",
		      FERRY_FORMAT_VERSION, "job", s->job, "attempt", (json_int_t)s->attempt,
		      "epoch", (json_int_t)s->epoch, "role",
		      s->role == FERRY_RECEIVE ? "receive" : "run", "bundle", s->bundle, "sha256",
		      s->sha256, "isa", isa_name(s->isa), "name", s->name, "args",
		      strings_json(s->args), "env", strings_json(s->env), "stdin", s->stdin_path,
		      "cwd", s->cwd, "migration", s->migration, "listen", s->listen,
		      "max_image_bytes", (json_int_t)s->max_image_bytes);
	text = v ? json_dumps(v, JSON_INDENT(1)) : NULL;
	if (!text)
		return err_set(e, -EINVAL,
			       "cannot write the ferry's spec: a string is not valid UTF-8");
	if (file_join(path, sizeof(path), dir, "spec.json") < 0)
		return err_sys(e, -ENAMETOOLONG, "cannot use the state directory %s", dir);
	return file_write_atomic(path, text, strlen(text), 0600, e);
}

/* Reads what the ferry says about its start from its ready pipe: "R<pid>" or "E<text>\n<hint>". */
static int await_ready(int fd, pid_t *pid, struct err *e)
{
	uint64_t deadline = clock_monotonic_ns() + SPAWN_TIMEOUT_MS * NS_PER_MS;
	char text[1280];
	size_t n = 0;
	char *nl;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int r = poll(&p, 1, clock_poll_timeout(deadline));
		ssize_t got;

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			return err_set(e, -ETIMEDOUT, "drover-ferry did not get ready in %d s",
				       SPAWN_TIMEOUT_MS / 1000);
		got = read(fd, text + n, sizeof(text) - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	if (text[0] == 'R') {
		if (pid)
			*pid = (pid_t)strtol(text + 1, NULL, 10);
		return 0;
	}
	if (text[0] != 'E')
		return err_set(e, -ECHILD, "drover-ferry ended while it started");
	nl = strchr(text, '\n');
	if (nl)
		*nl = '\0';
	(void)err_set(e, -ECHILD, "%s", text + 1);
	if (nl && nl[1])
		(void)err_hint(e, "%s", nl + 1);
	return -ECHILD;
}

/* In the grandchild: becomes drover-ferry. Only async-signal-safe calls: the caller may have
 * threads. */
static _noreturn_ void exec_ferry(const char *program, const char *dir, int ready, int null,
				  int errlog)
{
	char number[16];
	const char *const argv[] = {"drover-ferry", "--dir", dir, "--ready-fd", number, NULL};
	sigset_t none;

	(void)snprintf(number, sizeof(number), "%d", ready);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errlog, 2) < 0 ||
	    fcntl(ready, F_SETFD, 0) < 0)
		_exit(126);
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

int ferry_spawn(const struct ferry_spec *spec, const char *dir, pid_t *pid, struct err *e)
{
	_cleanup_close_ int rd = -1, wr = -1, null = -1, errlog = -1;
	char program[PATH_MAX], path[PATH_MAX];
	int pipefd[2], status, r;
	pid_t child;

	r = write_spec(spec, dir, e);
	if (r < 0)
		return r;
	r = paths_program("drover-ferry", program, sizeof(program));
	if (r < 0)
		return err_sys(e, r, "cannot find drover-ferry");
	if (file_join(path, sizeof(path), dir, "ferry.log") < 0)
		return err_sys(e, -ENAMETOOLONG, "cannot use the state directory %s", dir);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	errlog = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (null < 0 || errlog < 0 || pipe2(pipefd, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "cannot start drover-ferry in %s", dir);
	rd = pipefd[0];
	wr = pipefd[1];
	child = fork();
	if (child < 0)
		return err_sys(e, -errno, "cannot start drover-ferry");
	if (child == 0) {
		/* A second fork: the ferry is nobody's child, so it outlives an agent without
		 * leaving a zombie. */
		if (setsid() < 0)
			_exit(126);
		child = fork();
		if (child != 0)
			_exit(child < 0 ? 126 : 0);
		exec_ferry(program, dir, wr, null, errlog);
	}
	close(take_fd(&wr));
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return await_ready(rd, pid, e);
}

int ferry_connect(const char *dir, struct ferry_client **out, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int dirfd = -1, fd = -1;
	struct ferry_client *c;

	*out = NULL;
	dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dirfd < 0 || fd < 0)
		return err_sys(e, -errno, "cannot connect to the ferry in %s", dir);
	/* State directories may be deeper than a socket address is long. */
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/socket", dirfd);
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_sys(e, -errno, "cannot connect to the ferry in %s", dir);
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_sys(e, -ENOMEM, "cannot connect to the ferry in %s", dir);
	c->fd = take_fd(&fd);
	buf_init(&c->in, 2 * FERRY_LINE_MAX);
	*out = c;
	return 0;
}

void ferry_client_free(struct ferry_client *c)
{
	if (!c)
		return;
	close(c->fd);
	buf_free(&c->in);
	free(c);
}

int ferry_client_fd(const struct ferry_client *c)
{
	return c->fd;
}

static const char *const command_names[] = {"status", "send", "abort", "release", "go", "cancel"};

int ferry_command(struct ferry_client *c, const struct ferry_command *cmd, uint64_t *id,
		  struct err *e)
{
	_cleanup_json_ json_t *v = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len, off = 0;

	c->last_id++;
	v = json_pack("{sI ss sI ss* ss* ss*}", "id", (json_int_t)c->last_id, "cmd",
		      command_names[cmd->type], "epoch", (json_int_t)cmd->epoch, "migration",
		      cmd->migration, "endpoint", cmd->endpoint, "secret", cmd->secret);
	if (v && cmd->type == FERRY_CMD_SEND)
		(void)json_object_set_new(v, "next_epoch",
					  json_integer((json_int_t)cmd->next_epoch));
	if (v && cmd->type == FERRY_CMD_CANCEL)
		(void)json_object_set_new(v, "signal", json_integer(cmd->signal));
	text = v ? json_dumps(v, JSON_COMPACT) : NULL;
	if (!text)
		return err_set(e, -EINVAL, "cannot write a ferry command");
	len = strlen(text);
	text[len++] = '\n';
	while (off < len) {
		ssize_t n = send(c->fd, text + off, len - off, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno == EPIPE ? -ECONNRESET : -errno,
				       "cannot command the ferry");
		off += (size_t)n;
	}
	if (id)
		*id = c->last_id;
	return 0;
}

/* Takes one line out of the input, if there is one. */
static int take_line(struct ferry_client *c, struct ferry_status *s, struct err *e)
{
	_cleanup_json_ json_t *v = NULL;
	char *nl = c->in.len ? memchr(c->in.data, '\n', c->in.len) : NULL;
	int r;

	if (!nl)
		return c->in.len > FERRY_LINE_MAX
			       ? err_set(e, -EPROTO, "the ferry sent a line of over %d bytes",
					 FERRY_LINE_MAX)
			       : 0;
	r = json_parse(c->in.data, (size_t)(nl - c->in.data), FERRY_LINE_MAX, "the ferry's line",
		       &v, e);
	buf_consume(&c->in, (size_t)(nl - c->in.data) + 1);
	if (r == 0)
		r = ferry_status_parse(v, s, e);
	return r < 0 ? r : 1;
}

int ferry_next(struct ferry_client *c, int timeout_ms, struct ferry_status *s, struct err *e)
{
	uint64_t deadline =
		timeout_ms < 0 ? 0 : clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS + 1;

	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int r = take_line(c, s, e);
		void *room;
		ssize_t n;

		if (r != 0)
			return r;
		r = poll(&p, 1, clock_poll_timeout(deadline));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? err_sys(e, -errno, "cannot wait for the ferry") : 0;
		if (buf_reserve(&c->in, 16384, &room) < 0)
			return err_set(e, -EPROTO, "the ferry sent too long a line");
		n = recv(c->fd, room, 16384, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, -ECONNRESET, "the ferry has gone");
		buf_added(&c->in, (size_t)n);
	}
}

int ferry_call(struct ferry_client *c, const struct ferry_command *cmd, int timeout_ms,
	       struct ferry_status *s, struct err *e)
{
	uint64_t deadline = clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS, id;
	int r = ferry_command(c, cmd, &id, e);

	while (r == 0) {
		r = ferry_next(c, clock_poll_timeout(deadline), s, e);
		if (r == 0)
			return err_set(e, -ETIMEDOUT, "the ferry did not answer in %d ms",
				       timeout_ms);
		if (r < 0)
			return r;
		if (s->answer.id == id)
			break;
		r = 0;
	}
	if (r < 0)
		return r;
	if (!s->answer.ok) {
		(void)err_set(e, s->answer.code, "%s", s->answer.error);
		(void)err_hint(e, "%s", s->answer.hint);
		return s->answer.code < 0 ? s->answer.code : -EIO;
	}
	return 0;
}

int ferry_status_read(const char *dir, struct ferry_status *s, struct err *e)
{
	_cleanup_buf_ struct buf b;
	_cleanup_json_ json_t *v = NULL;
	char path[PATH_MAX];
	int r;

	buf_init(&b, FERRY_LINE_MAX);
	if (file_join(path, sizeof(path), dir, "status.json") < 0)
		return err_sys(e, -ENAMETOOLONG, "cannot use the state directory %s", dir);
	r = file_read(path, &b, e);
	if (r == 0)
		r = json_parse(buf_cstr(&b), b.len, FERRY_LINE_MAX, path, &v, e);
	if (r == 0)
		r = ferry_status_parse(v, s, e);
	return r;
}
