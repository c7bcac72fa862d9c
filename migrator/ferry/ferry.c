/* See ferry.h: begin, loop, end. */
#include "migrator/ferry/ferry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "binaries/bundle/bundle.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/log.h"

#define TICK_MS        1000
#define OUTPUT_PIECE   65536
#define RELEASE_MAX_NS (5 * NS_PER_S)

/* Renamed into place but not synced: a machine that crashes takes the job with it anyway, and the
 * job stands still while this is written. */
static void write_status(const struct ferry *f)
{
	_cleanup_json_ json_t *j = ferry_status_pack(&f->status);
	_cleanup_free_ char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	char path[PATH_MAX], tmp[PATH_MAX];
	int fd;

	if (!text || file_join(path, sizeof(path), f->dir, "status.json") ||
	    file_join(tmp, sizeof(tmp), f->dir, "status.json.new")) {
		log_error("status.not-written reason=\"no memory\"");
		return;
	}
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || file_write_all(fd, text, strlen(text)) || rename(tmp, path))
		log_error("status.not-written path=%s errno=%d", path, errno);
	if (fd >= 0)
		close(fd);
}

void ferry_publish(struct ferry *f)
{
	f->status.job_pid = f->proc ? process_pid(f->proc) : 0;
	write_status(f);
	if (f->server)
		serve_push(f->server, &f->status);
}

void ferry_finish(struct ferry *f, enum ferry_state state, const char *reason)
{
	f->status.state = state;
	f->status.ended_ms = clock_realtime_ns() / NS_PER_MS;
	if (reason)
		(void)snprintf(f->status.reason, sizeof(f->status.reason), "%s", reason);
	if (f->proc) {
		process_free(f->proc);
		f->proc = NULL;
	}
	ferry_drain(f);
	ferry_publish(f);
}

void ferry_fail_migration(struct ferry *f, const char *reason)
{
	struct ferry_migration *m = &f->status.migration;
	struct worker *w = &f->worker;

	m->state = FERRY_MIGRATION_FAILED;
	(void)snprintf(m->reason, sizeof(m->reason), "%.250s", reason);
	log_warn("migration.failed id=%s reason=\"%s\"", m->id, reason);
	if (w->conn) {
		struct handoff_verdict v = {.code = EIO};

		(void)snprintf(v.text, sizeof(v.text), "%.200s", reason);
		(void)handoff_answer(w->conn, &v, NULL);
		w->conn->ops->close(w->conn);
		w->conn = NULL;
	}
	if (f->status.state == FERRY_RECEIVING || f->status.state == FERRY_LOADED)
		ferry_finish(f, FERRY_FAILED, reason);
	else
		ferry_publish(f);
}

void ferry_count_cpu(struct ferry *f)
{
	uint64_t here = f->proc ? process_cpu_ns(f->proc) / NS_PER_US : 0;

	f->status.cpu_us = 0;
	for (int i = 0; i < ISA_COUNT; i++) {
		uint64_t us = f->cpu_before[i] + ((enum isa)i == f->spec.s.isa ? here : 0);

		if (us > f->status.cpu_us_by_isa[i])
			f->status.cpu_us_by_isa[i] = us;
		f->status.cpu_us += f->status.cpu_us_by_isa[i];
	}
}

void ferry_drain(struct ferry *f)
{
	static char piece[OUTPUT_PIECE];
	ssize_t n;

	while (f->out_fd >= 0) {
		n = read(f->out_fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			close(take_fd(&f->out_fd));
		if (n <= 0)
			return;
		if (file_write_all(f->log_fd, piece, (size_t)n))
			log_error("log.not-written errno=%d", errno);
		else
			f->status.log_bytes += (uint64_t)n;
	}
}

/* ---- begin -------------------------------------------------------------- */

static int open_half(struct ferry *f, struct err *e)
{
	const struct ferry_spec *s = &f->spec.s;
	struct bundle *b = NULL;
	uint8_t sum[DIGEST_SIZE], want[DIGEST_SIZE];
	int r = bundle_open(s->bundle, &b, e);

	if (r)
		return r;
	bundle_digest(b, sum);
	if (digest_parse(s->sha256, want) || !digest_equal(sum, want, sizeof(sum)))
		r = err_set(e, -EBADMSG, "%s is not the bundle %s", s->bundle, s->sha256);
	else if (!bundle_has(b, s->isa))
		r = err_set(e, -ENOEXEC, "%s has no half for %s", s->bundle, isa_name(s->isa));
	else
		f->half_fd = bundle_half_fd(b, s->isa, e);
	if (!r && f->half_fd < 0)
		r = f->half_fd;
	/* Now, not when the image comes: the job stands still then. */
	if (!r && s->role == FERRY_RECEIVE)
		r = image_program_open(b, &f->image, e);
	bundle_free(b);
	return r;
}

static int open_files(struct ferry *f, struct err *e)
{
	const char *input = f->spec.s.stdin_path;
	char path[PATH_MAX];

	if (file_join(path, sizeof(path), f->dir, "log"))
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	f->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (f->log_fd < 0)
		return err_sys(e, -errno, "cannot write %s", path);
	if (!input)
		return 0;
	f->stdin_fd = open(input, O_RDONLY | O_CLOEXEC);
	return f->stdin_fd < 0 ? err_sys(e, -errno, "cannot read %s", input) : 0;
}

/* The job's environment is the spec's alone; a runtime's fault point goes along. */
static const char **job_env(const struct ferry *f, char *fault, size_t size)
{
	const char *armed = getenv("DROVER_FAULT");
	size_t n = 0;
	const char **v;

	while (f->spec.s.env[n])
		n++;
	v = calloc(n + 2, sizeof(*v));
	if (!v)
		return NULL;
	memcpy(v, f->spec.s.env, n * sizeof(*v));
	if (armed && !strncmp(armed, "rt.", 3)) {
		(void)snprintf(fault, size, "DROVER_FAULT=%s", armed);
		v[n] = fault;
	}
	return v;
}

static const char **job_argv(const struct ferry *f)
{
	size_t n = 0;
	const char **v;

	while (f->spec.s.args[n])
		n++;
	v = calloc(n + 2, sizeof(*v));
	if (!v)
		return NULL;
	v[0] = f->spec.s.name;
	memcpy(v + 1, f->spec.s.args, n * sizeof(*v));
	return v;
}

int ferry_start_process(struct ferry *f, int image_in, struct err *e)
{
	char fault[96];
	_cleanup_free_ const char **envp = job_env(f, fault, sizeof(fault));
	_cleanup_free_ const char **argv = job_argv(f);
	struct satellite_info info;
	struct process_spec ps = {.satellite = &satellite_process,
				  .isa = f->spec.s.isa,
				  .exe_fd = f->half_fd,
				  .argv = argv,
				  .envp = envp,
				  .cwd = f->spec.s.cwd ? f->spec.s.cwd : f->dir,
				  .image_dir = f->dir,
				  .new_group = true,
				  .image_in = image_in,
				  .given = &f->worker.given};
	int pipefd[2], r;

	if (!envp || !argv)
		return err_sys(e, -ENOMEM, "cannot start the job");
	ps.satellite->probe(ps.isa, &info);
	if (info.mode == SATELLITE_UNAVAILABLE)
		return err_set(e, -ENOTSUP, "programs of %s can't run here: %s", isa_name(ps.isa),
			       info.reason);
	f->status.emulated = info.mode == SATELLITE_EMULATED;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "cannot make a pipe for the job's output");
	(void)file_set_nonblock(pipefd[0], 1);
	(void)fcntl(pipefd[0], F_SETPIPE_SZ, 1 << 20); /* a courtesy: less waiting for us */
	ps.stdio[0] = f->stdin_fd;
	ps.stdio[1] = ps.stdio[2] = pipefd[1];
	r = process_start(&ps, &f->proc, e);
	close(pipefd[1]);
	if (r) {
		close(pipefd[0]);
		return r;
	}
	f->out_fd = pipefd[0];
	return 0;
}

static void init_status(struct ferry *f)
{
	const struct ferry_spec *s = &f->spec.s;

	(void)snprintf(f->status.job, sizeof(f->status.job), "%s", s->job);
	f->status.attempt = s->attempt;
	f->status.epoch = s->epoch;
	f->status.isa = s->isa;
	f->status.emulated = s->isa != isa_host();
	f->status.ferry_pid = getpid();
	f->status.state = FERRY_STARTING;
}

int ferry_begin(struct ferry *f, struct err *e)
{
	int r;

	f->half_fd = f->stdin_fd = f->log_fd = f->out_fd = -1;
	f->worker.done_fd = f->worker.image_fd = f->worker.here_fd = -1;
	r = spec_read(f->dir, &f->spec, e);
	if (r)
		return r;
	init_status(f);
	r = open_half(f, e);
	if (!r)
		r = open_files(f, e);
	if (!r)
		r = serve_open(f->dir, &f->server, e);
	if (!r && f->spec.s.role == FERRY_RUN)
		r = ferry_start_process(f, -1, e);
	else if (!r)
		r = ferry_start_receiver(f, e);
	if (r)
		return r;
	ferry_publish(f);
	if (f->spec.s.role == FERRY_RECEIVE && fault_point("ferry.after-prepare"))
		return err_set(e, -EIO, "an injected fault after preparing");
	return 0;
}

/* ---- loop --------------------------------------------------------------- */

static void take_events(struct ferry *f)
{
	struct process_event ev;
	struct err e = ERR_INIT;

	while (f->proc && process_next(f->proc, 0, &ev, &e) == 1) {
		bool last = ev.type == PROCESS_EXITED;

		ferry_process_event(f, &ev);
		if (last)
			return;
	}
}

static void tick(struct ferry *f, uint64_t *last_ns)
{
	uint64_t now = clock_monotonic_ns();

	/* Told to end and it doesn't: nothing in it is of any use to anyone. */
	if (f->releasing && f->proc && now - f->release_ns > RELEASE_MAX_NS)
		(void)process_signal(f->proc, SIGKILL);
	if (now - *last_ns < TICK_MS * NS_PER_MS)
		return;
	*last_ns = now;
	if (f->proc && f->status.migration.state == FERRY_MIGRATION_DEFERRED)
		process_remind(f->proc);
	if (f->status.state == FERRY_RUNNING || f->status.state == FERRY_CAPTURING) {
		ferry_count_cpu(f);
		serve_push(f->server, &f->status);
	}
}

int ferry_loop(struct ferry *f, struct err *e)
{
	struct pollfd fds[SERVE_CLIENTS + 6];
	uint64_t last_ns = clock_monotonic_ns();

	while (!ferry_state_final(f->status.state)) {
		size_t n = serve_fds(f->server, fds), base = n;

		fds[n++] =
			(struct pollfd){.fd = f->proc ? process_fd(f->proc) : -1, .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = f->proc ? process_exit_fd(f->proc) : -1,
					   .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = f->out_fd, .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = f->worker.running ? f->worker.done_fd : -1,
					   .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = f->late && !f->releasing ? f->late->fd : -1,
					   .events = POLLIN};
		if (poll(fds, (nfds_t)n, TICK_MS) < 0 && errno != EINTR)
			return err_sys(e, -errno, "cannot wait");
		if (fds[base + 2].revents)
			ferry_drain(f);
		if (fds[base + 3].revents)
			ferry_worker_done(f);
		if (fds[base + 4].revents)
			ferry_take_late(f);
		take_events(f);
		if (!ferry_state_final(f->status.state))
			serve_turn(f->server, fds, base, &f->status, ferry_command_handler, f);
		tick(f, &last_ns);
	}
	return 0;
}

void ferry_end(struct ferry *f)
{
	ferry_stop_worker(f);
	if (f->worker.conn)
		f->worker.conn->ops->close(f->worker.conn);
	if (f->worker.receives && f->worker.image_fd >= 0)
		close(f->worker.image_fd);
	if (f->worker.done_fd >= 0)
		close(f->worker.done_fd);
	ferry_close_passage(f);
	ferry_close_late(f);
	process_free(f->proc);
	serve_close(f->server);
	for (size_t i = 0; i < 4; i++) {
		int fd = (int[]){f->half_fd, f->stdin_fd, f->log_fd, f->out_fd}[i];

		if (fd >= 0)
			close(fd);
	}
	image_program_free(&f->image);
	spec_free(&f->spec);
}
