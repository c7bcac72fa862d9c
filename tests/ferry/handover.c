/*
 * Two ferries hand a running job over on this machine, with every fault point
 * armed on either side in turn. This program plays the scheduler and both agents:
 * prepare, send, commit once the destination has loaded, go, release; abort when
 * it has not. Whatever dies, the job's output must be that of an unmoved run, from
 * the side that owns it, or the job must be gone on both sides: never running twice.
 *
 * Usage: handover BUNDLE [SCENARIO-SUBSTRING [ARGUMENT ARGUMENT]]; "none" is the one without a
 * fault. With "signals" for the first argument the job is sent some while it stands still.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/file.h"
#include "common/isa.h"
#include "migrator/ferry/client.h"

#define STEP_MS    60000
#define OUTPUT_MAX (16u << 20)
#define EPOCH      7
/* The jobs' SIGRTMIN; qemu-user gives an emulated process the real-time signals from the host's
 * SIGRTMIN on as those from 32 on. */
#define JOB_SIGRTMIN(emulated) (35 + ((emulated) ? SIGRTMIN - 32 : 0))

enum side { NOBODY, SOURCE, DESTINATION };
/* Where the job ends: at the source, at the destination, or nowhere (its owner died); or nowhere if
 * the commit was faster than the death of the destination's process, else at the source. */
enum outcome { AT_SOURCE, AT_DESTINATION, LOST, LOST_IF_COMMITTED };

struct scenario {
	const char *fault; /* NULL: none */
	enum side side;
	enum outcome outcome;
};

static const struct scenario scenarios[] = {
	{NULL, NOBODY, AT_DESTINATION},
	{"ferry.before-capture", SOURCE, LOST},
	{"ferry.before-capture:error", SOURCE, AT_SOURCE},
	{"ferry.after-capture", SOURCE, LOST},
	{"ferry.after-capture:error", SOURCE, AT_SOURCE},
	{"ferry.before-send", SOURCE, LOST},
	{"ferry.before-send:error", SOURCE, AT_SOURCE},
	{"ferry.during-send", SOURCE, LOST},
	{"ferry.during-send:error", SOURCE, AT_SOURCE},
	{"ferry.after-send", SOURCE, AT_DESTINATION},
	{"ferry.after-send:error", SOURCE, AT_DESTINATION},
	{"ferry.before-release", SOURCE, AT_DESTINATION},
	{"ferry.after-release", SOURCE, AT_DESTINATION},
	/* An abort is reached by a destination that fails. */
	{"ferry.before-send:error,ferry.before-abort", SOURCE, LOST},
	{"ferry.before-send:error,ferry.after-abort", SOURCE, LOST},
	{"rt.before-capture", SOURCE, LOST},
	{"rt.after-capture", SOURCE, LOST},
	{"ferry.after-prepare", DESTINATION, AT_SOURCE},
	{"ferry.after-prepare:error", DESTINATION, AT_SOURCE},
	{"ferry.after-accept", DESTINATION, AT_SOURCE},
	{"ferry.after-accept:error", DESTINATION, AT_SOURCE},
	{"ferry.during-receive", DESTINATION, AT_SOURCE},
	{"ferry.during-receive:error", DESTINATION, AT_SOURCE},
	{"ferry.after-receive", DESTINATION, AT_SOURCE},
	{"ferry.after-receive:error", DESTINATION, AT_SOURCE},
	{"ferry.before-load", DESTINATION, AT_SOURCE},
	{"ferry.before-load:error", DESTINATION, AT_SOURCE},
	{"rt.before-load", DESTINATION, AT_SOURCE},
	{"rt.after-load", DESTINATION, LOST_IF_COMMITTED},
	{"ferry.after-load", DESTINATION, AT_SOURCE},
	{"ferry.after-load:error", DESTINATION, AT_SOURCE},
	{"ferry.before-ack", DESTINATION, AT_SOURCE},
	{"ferry.before-ack:error", DESTINATION, AT_SOURCE},
	{"ferry.after-ack", DESTINATION, AT_SOURCE},
	{"ferry.before-go", DESTINATION, LOST},
	{"ferry.after-go", DESTINATION, LOST},
	{"rt.after-go", DESTINATION, LOST},
};

/* One ferry under test. */
struct ferry {
	char dir[PATH_MAX];
	struct ferry_client *client;
	struct ferry_status status;
	bool gone;
};

struct world {
	const char *bundle;
	char sha256[DIGEST_HEX_SIZE];
	char dir[200];
	struct buf expected;
	struct ferry source, destination;
	bool committed;
	char problem[512];
};

static const char *job_args[] = {"400", "40", NULL};

/* To the process that was captured, or runs unmoved. */
static void send_signals(pid_t pid, bool emulated)
{
	if (strcmp(job_args[0], "signals") != 0)
		return;
	(void)kill(pid, SIGUSR1);
	for (int i = 1; i <= 3; i++)
		(void)sigqueue(pid, JOB_SIGRTMIN(emulated), (union sigval){.sival_int = i});
}

static bool fail(struct world *w, const char *fmt, ...) _printf_(2, 3);
static bool fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->problem, sizeof(w->problem), fmt, ap);
	va_end(ap);
	return false;
}

static int spawn(struct world *w, struct ferry *f, enum ferry_role role, enum isa isa,
		 const char *fault, struct err *e)
{
	static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
	struct ferry_spec spec = {
		.job = "42",
		.attempt = 1,
		.epoch = role == FERRY_RUN ? EPOCH : EPOCH + 1,
		.role = role,
		.bundle = w->bundle,
		.sha256 = w->sha256,
		.isa = isa,
		.name = "ticker",
		.args = job_args,
		.env = env,
		.cwd = w->dir,
		.migration = role == FERRY_RECEIVE ? "m1" : NULL,
		.listen = role == FERRY_RECEIVE ? "127.0.0.1:0" : NULL,
	};
	int r;

	(void)snprintf(f->dir, sizeof(f->dir), "%s/%s", w->dir,
		       role == FERRY_RUN ? "source" : "destination");
	if (file_mkdir_p(f->dir, 0700, e))
		return e->code;
	if (fault)
		(void)setenv("DROVER_FAULT", fault, 1);
	r = ferry_spawn(&spec, f->dir, NULL, e);
	(void)unsetenv("DROVER_FAULT");
	if (!r)
		r = ferry_connect(f->dir, &f->client, e);
	f->gone = r != 0;
	return r;
}

/* Takes what the ferry has to say for up to ms; its last word is in status. */
static void listen_to(struct ferry *f, int ms)
{
	struct ferry_status s;
	int r;

	if (f->gone) {
		(void)poll(NULL, 0, ms);
		return;
	}
	r = ferry_next(f->client, ms, &s, NULL);
	while (r == 1) {
		f->status = s;
		r = ferry_next(f->client, 0, &s, NULL);
	}
	if (r < 0) {
		f->gone = true;
		if (ferry_status_read(f->dir, &s, NULL) == 0)
			f->status = s;
	}
}

/* Repeats a command as an agent would, until it is taken, refused for good, or nobody is there. */
static int command(struct ferry *f, const struct ferry_command *cmd, struct err *e)
{
	int r;

	if (f->gone)
		return err_set(e, -ECONNRESET, "gone");
	r = ferry_call(f->client, cmd, STEP_MS, &f->status, e);
	if (r == -ECONNRESET)
		listen_to(f, 0);
	return r;
}

/* Until the state is reached, the ferry is gone, or has ended. */
static bool await(struct ferry *f, enum ferry_state state)
{
	uint64_t deadline = clock_monotonic_ns() + STEP_MS * NS_PER_MS;

	while (!f->gone && f->status.state != state && !ferry_state_final(f->status.state) &&
	       clock_monotonic_ns() < deadline)
		listen_to(f, 50);
	return !f->gone && f->status.state == state;
}

static bool await_end(struct ferry *f)
{
	uint64_t deadline = clock_monotonic_ns() + STEP_MS * NS_PER_MS;

	while (!f->gone && clock_monotonic_ns() < deadline)
		listen_to(f, 50);
	return f->gone;
}

/* Until the job has written a few lines: it is in the midst of its work. */
static bool await_output(struct ferry *f)
{
	uint64_t deadline = clock_monotonic_ns() + STEP_MS * NS_PER_MS;
	char path[PATH_MAX + 8];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/log", f->dir);
	while (clock_monotonic_ns() < deadline) {
		if (stat(path, &st) == 0 && st.st_size > 200)
			return true;
		listen_to(f, 5);
		if (f->gone)
			return false;
	}
	return false;
}

/* Whether the destination has loaded; false: it will not any more. */
static bool await_decision(struct world *w)
{
	uint64_t deadline = clock_monotonic_ns() + STEP_MS * NS_PER_MS;
	struct ferry *s = &w->source, *d = &w->destination;

	while (clock_monotonic_ns() < deadline) {
		/* In this order: what the source knew before it died, the destination has said. */
		listen_to(s, 20);
		listen_to(d, 20);
		if (d->gone || ferry_state_final(d->status.state))
			return false;
		if (d->status.state == FERRY_LOADED)
			return true;
		/* Nobody will send any more, but what has arrived may still be loading. */
		if ((s->gone || s->status.migration.state == FERRY_MIGRATION_FAILED) &&
		    d->status.migration.state != FERRY_MIGRATION_RECEIVING)
			return false;
	}
	return false;
}

static struct ferry_command order(enum ferry_command_type type, uint64_t epoch)
{
	return (struct ferry_command){.type = type, .epoch = epoch, .migration = "m1"};
}

/* Ends what is left: it must not be there, and no job may run on behind our back. */
static void put_away(struct ferry *f)
{
	struct ferry_command cancel = order(FERRY_CMD_CANCEL, EPOCH + 1);

	cancel.signal = SIGKILL;
	if (!f->gone && f->client) {
		(void)command(f, &cancel, NULL);
		(void)await_end(f);
	}
	ferry_client_free(f->client);
	f->client = NULL;
}

static bool migrate(struct world *w, bool prepared)
{
	struct ferry_command send = order(FERRY_CMD_SEND, EPOCH), go, release, abort;
	struct err e = ERR_INIT;

	send.endpoint = w->destination.status.migration.endpoint;
	send.secret = w->destination.status.migration.secret;
	send.next_epoch = EPOCH + 1;
	if (prepared && command(&w->source, &send, &e) == 0) {
		/* Said again, it changes nothing. */
		(void)command(&w->source, &send, &e);
		w->committed = await_decision(w);
		if (w->committed)
			send_signals(w->source.status.job_pid, w->source.status.emulated);
	}
	if (w->committed) {
		go = order(FERRY_CMD_GO, EPOCH + 1);
		release = order(FERRY_CMD_RELEASE, EPOCH + 1);
		/* A deposed order is refused. */
		if (!w->destination.gone) {
			struct ferry_command old = order(FERRY_CMD_GO, EPOCH);
			int r = command(&w->destination, &old, &e);

			if (r != -ESTALE && r != -ECONNRESET)
				return fail(w, "go of an old epoch was not refused (%d)", r);
		}
		(void)command(&w->destination, &go, &e);
		(void)command(&w->destination, &go, &e);
		(void)command(&w->source, &release, &e);
		(void)command(&w->source, &release, &e);
		(void)await_end(&w->source);
		return true;
	}
	abort = order(FERRY_CMD_ABORT, EPOCH + 1);
	(void)command(&w->destination, &abort, &e);
	abort.epoch = EPOCH;
	(void)command(&w->source, &abort, &e);
	(void)command(&w->source, &abort, &e);
	return true;
}

static int append_log(const struct ferry *f, struct buf *out)
{
	char path[PATH_MAX + 8];

	(void)snprintf(path, sizeof(path), "%s/log", f->dir);
	return file_read(path, out, NULL);
}

/* The attempt's whole output against that of an unmoved run. */
static bool check_output(struct world *w, const struct ferry *owner)
{
	_cleanup_buf_ struct buf got;

	buf_init(&got, OUTPUT_MAX);
	(void)append_log(&w->source, &got);
	if (owner == &w->destination) {
		if (owner->status.log_base != got.len)
			return fail(
				w, "the source wrote %zu bytes, the destination begins at %" PRIu64,
				got.len, owner->status.log_base);
		(void)append_log(owner, &got);
	}
	if (got.len != w->expected.len || memcmp(got.data, w->expected.data, got.len) != 0)
		return fail(w, "output of %zu bytes differs from the unmoved run's %zu", got.len,
			    w->expected.len);
	if (owner->status.log_bytes != got.len)
		return fail(w, "log_bytes is %" PRIu64 ", the output has %zu",
			    owner->status.log_bytes, got.len);
	return true;
}

/* Whether the process can still run: one that waits to be reaped can't. */
static bool alive(pid_t pid)
{
	char path[64], text[512], *p;
	_cleanup_fclose_ FILE *f = NULL;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	p = strrchr(text, ')');
	return p && p[1] == ' ' && p[2] != 'Z' && p[2] != 'X';
}

static bool check_end(struct world *w, enum outcome want)
{
	pid_t source_job = w->source.status.job_pid;
	struct ferry *owner;

	if (want == LOST_IF_COMMITTED)
		want = w->committed ? LOST : AT_SOURCE;

	owner = want == AT_DESTINATION ? &w->destination : &w->source;
	if (want == LOST) {
		/* The owner is gone; what is left of the other side must stand still. */
		if (!w->source.gone && w->source.status.state == FERRY_RUNNING)
			return fail(w, "the source runs although the job was handed over");
		if (w->source.gone && alive(source_job) && w->source.status.state != FERRY_EXITED) {
			(void)poll(NULL, 0, 500); /* the kernel ends it a moment after its parent */
			if (alive(source_job))
				return fail(w, "job process %d outlived its ferry",
					    (int)source_job);
		}
		return true;
	}
	if (!await_end(owner))
		return fail(w, "the job did not end (%s)", ferry_state_name(owner->status.state));
	if (owner->status.state != FERRY_EXITED || owner->status.exit_code || owner->status.signal)
		return fail(w, "it ended as %s, exit %d, signal %d: %s",
			    ferry_state_name(owner->status.state), owner->status.exit_code,
			    owner->status.signal, owner->status.reason);
	if (want == AT_DESTINATION && !w->source.gone)
		return fail(w, "the source's ferry is still there after its release");
	if (want == AT_SOURCE && w->destination.client && !w->destination.gone &&
	    w->destination.status.state == FERRY_RUNNING)
		return fail(w, "the destination runs without a commit");
	return check_output(w, owner);
}

static bool play(struct world *w, const struct scenario *sc, enum isa from)
{
	struct err e = ERR_INIT;
	bool prepared;

	/* The destination first: the job should still have much to do when it is asked to move. */
	prepared = spawn(w, &w->destination, FERRY_RECEIVE, isa_other(from),
			 sc->side == DESTINATION ? sc->fault : NULL, &e) == 0 &&
		   await(&w->destination, FERRY_RECEIVING);
	if (!prepared && sc->side != DESTINATION)
		return fail(w, "the destination did not start: %s", e.msg);
	if (spawn(w, &w->source, FERRY_RUN, from, sc->side == SOURCE ? sc->fault : NULL, &e))
		return fail(w, "the source did not start: %s", e.msg);
	if (!await_output(&w->source))
		return fail(w, "the job wrote nothing");
	return migrate(w, prepared) && check_end(w, sc->outcome);
}

static bool run_scenario(const struct world *base, const struct scenario *sc, enum isa from)
{
	struct world w = *base;
	bool ok;

	memset(&w.source, 0, sizeof(w.source));
	memset(&w.destination, 0, sizeof(w.destination));
	if (file_temp_dir("drover-ferry-test", w.dir, sizeof(w.dir), NULL))
		return false;
	ok = play(&w, sc, from);
	put_away(&w.source);
	put_away(&w.destination);
	(void)printf("%s  from %-8s %s%s%s%s\n", ok ? "ok  " : "FAIL", isa_name(from),
		     sc->side == SOURCE        ? "source "
		     : sc->side == DESTINATION ? "destination "
					       : "no fault",
		     sc->fault ? sc->fault : "", ok ? "" : ": ", ok ? "" : w.problem);
	(void)fflush(stdout);
	if (ok)
		(void)file_remove_tree(w.dir, NULL);
	else
		(void)printf("      kept: %s\n", w.dir);
	return ok;
}

static int expected_output(struct world *w)
{
	int fds[2], status;
	pid_t pid;

	buf_init(&w->expected, OUTPUT_MAX);
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], 1);
		(void)execl(w->bundle, "ticker", job_args[0], job_args[1], (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	if (poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, STEP_MS) == 1)
		send_signals(pid, false);
	if (file_read_fd(fds[0], "the job's output", &w->expected, NULL))
		return -EIO;
	close(fds[0]);
	return waitpid(pid, &status, 0) == pid && status == 0 && w->expected.len ? 0 : -ECHILD;
}

int main(int argc, char **argv)
{
	struct world w = {.bundle = argc > 1 ? argv[1] : NULL};
	unsigned int passed = 0, failed = 0;
	uint8_t sum[DIGEST_SIZE];

	if (!w.bundle || digest_file(w.bundle, sum)) {
		(void)fprintf(stderr,
			      "usage: handover BUNDLE [SCENARIO-SUBSTRING [ARGUMENT ARGUMENT]]\n");
		return 2;
	}
	for (int i = 0; argc == 5 && i < 2; i++)
		job_args[i] = argv[3 + i];
	digest_hex(sum, w.sha256);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)unsetenv("DROVER_FAULT");
	if (expected_output(&w)) {
		(void)fprintf(stderr, "handover: %s does not run\n", w.bundle);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		for (int isa = 0; isa < ISA_COUNT; isa++) {
			const char *name = scenarios[i].fault ? scenarios[i].fault : "none";

			if (argc > 2 && !strstr(name, argv[2]))
				continue;
			if (run_scenario(&w, &scenarios[i], (enum isa)isa))
				passed++;
			else
				failed++;
		}
	buf_free(&w.expected);
	(void)printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
