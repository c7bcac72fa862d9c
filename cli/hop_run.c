/*
 * One run of a bundle, moved by a plan.
 *
 * A move here is the same two-phase hand-off as in a cluster: the captured
 * process stays frozen until the other half has loaded the image; then it is
 * told COMMIT and the other GO. If the image is refused it is told ABORT, and
 * runs on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "cli/hop.h"
#include "common/clock.h"
#include "common/file.h"
#include "migrator/image/state_image.h"
#include "migrator/process/process.h"

#define NEVER (UINT64_MAX / 2)

/* How far a run is in its plan. */
struct place {
	size_t start;
	uint64_t done; /* moves from this start */
};

struct runner {
	const struct hop_program *prog;
	const struct hop_plan *plan;
	struct hop_run *run;
	struct process *p;
	struct place place;
	int in;
	int out_wr, err_wr; /* what the processes write to */
	int out_rd, err_rd; /* our ends, -1 when they pass through */
	uint64_t deadline;
	struct hop_times now; /* the move under way */
	uint64_t resumed_at;
	bool resuming;
};

/* A network of its own for the next child, as a process on another machine has. */
static int new_network(struct err *e)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_cleanup_close_ int fd = -1;

	if (unshare(CLONE_NEWNET) < 0) {
		(void)err_sys(e, -errno, "cannot make a network namespace");
		return err_hint(e, "--apart needs root");
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return err_sys(e, -errno, "cannot set up a loopback device");
	return 0;
}

static int start_process(struct runner *r, enum isa isa, int image, const struct descriptors *given,
			 uint64_t next, struct process **out, struct err *e)
{
	struct process_spec s = {
		.satellite = &satellite_process,
		.isa = isa,
		.exe_fd = r->prog->half_fd[isa],
		.argv = r->prog->argv,
		.envp = r->prog->envp,
		.stdio = {r->in, r->out_wr, r->err_wr},
		/* Passing through, it stays in our group: the terminal's signals reach it. */
		.new_group = r->out_rd >= 0,
		.image_in = image,
		.in_place = r->plan->in_place,
		.before = r->plan->in_place ? r->p : NULL,
		.given = given,
		.here = !r->plan->apart,
	};
	char plan[64];

	/* Always a plan, if only for a point that never comes: points are counted under one alone.
	 */
	if (!next)
		next = NEVER;
	if (r->plan->again)
		(void)snprintf(plan, sizeof(plan), "%" PRIu64 ":%" PRIu64, next, r->plan->step);
	else
		(void)snprintf(plan, sizeof(plan), "%" PRIu64, next);
	s.plan = plan;
	if (r->plan->apart) {
		int rc = new_network(e);

		if (rc < 0)
			return rc;
	}
	return process_start(&s, out, e);
}

static int collect(int *rd, int to)
{
	char chunk[65536];

	while (*rd >= 0) {
		ssize_t n = read(*rd, chunk, sizeof(chunk));
		off_t have;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0) {
			close(take_fd(rd));
			return 0;
		}
		have = lseek(to, 0, SEEK_CUR);
		if (have < 0 || (uint64_t)have + (uint64_t)n > HOP_OUTPUT_MAX)
			return -EFBIG;
		if (file_write_all(to, chunk, (size_t)n) < 0)
			return -EIO;
	}
	return 0;
}

static int drain(struct runner *r, struct err *e)
{
	int rc = 0;

	if (r->out_rd >= 0)
		rc = collect(&r->out_rd, r->run->out_fd);
	if (rc == 0 && r->err_rd >= 0)
		rc = collect(&r->err_rd, r->run->err_fd);
	return rc < 0 ? err_sys(e, rc, "cannot collect the program's output") : 0;
}

/* The next event of p, collecting output meanwhile. -ETIMEDOUT at the run's deadline. */
static int next_event(struct runner *r, struct process *p, struct process_event *ev, struct err *e)
{
	for (;;) {
		struct pollfd fds[4] = {
			{.fd = process_fd(p), .events = POLLIN},
			{.fd = process_exit_fd(p), .events = POLLIN},
			{.fd = r->out_rd, .events = POLLIN},
			{.fd = r->err_rd, .events = POLLIN},
		};
		int n = process_next(p, 0, ev, e);

		if (n != 0)
			return n < 0 ? n : 0;
		n = poll(fds, 4, clock_poll_timeout(r->deadline));
		if (n < 0 && errno != EINTR)
			return err_sys(e, -errno, "cannot wait for the program");
		if (n == 0)
			return err_set(e, -ETIMEDOUT, "the program did not end in %" PRIu64 " ms",
				       r->plan->timeout_ns / NS_PER_MS);
		if (n > 0 && (fds[2].revents || fds[3].revents)) {
			n = drain(r, e);
			if (n < 0)
				return n;
		}
	}
}

static void note(struct runner *r, uint64_t *counter, const char *what, const char *why)
{
	(*counter)++;
	(void)snprintf(r->run->why, sizeof(r->run->why), "%s: %.220s", what, why);
}

/* Waits until a process that loads has said LOADED. 1: loaded; 0: it did not, and why. */
static int await_loaded(struct runner *r, struct process *p, uint64_t since, char *why, size_t size,
			struct err *e)
{
	for (;;) {
		struct process_event ev;
		int rc = next_event(r, p, &ev, e);

		if (rc < 0)
			return rc;
		switch (ev.type) {
		case PROCESS_HELLO:
			r->now.start = clock_monotonic_ns() - since;
			break;
		case PROCESS_LOADED:
			r->now.load = ev.a[2];
			return 1;
		case PROCESS_EXITED:
			(void)snprintf(why, size, "the new process ended (wait status 0x%x)",
				       (unsigned int)ev.wait_status);
			return 0;
		default:
			(void)snprintf(why, size, "%.160s", ev.text);
			return 0;
		}
	}
}

/* Ends a committed source; signals that came to it are passed on. It runs nothing further, so its
 * exit status says nothing. */
static int finish_source(struct process *p, struct process *dst, struct err *e)
{
	struct process_event ev;
	int rc = process_commit(p, e);

	while (rc == 0) {
		rc = process_next(p, 10000, &ev, e);
		if (rc == 0)
			return err_set(e, -ETIMEDOUT,
				       "a captured process did not end after its commit");
		if (rc > 0 && ev.type == PROCESS_EXITED)
			return 0;
		rc = rc > 0 ? 0 : rc;
		if (rc == 0 && ev.type == PROCESS_LATE)
			rc = process_pass_signal(dst, ev.a, e);
	}
	return rc;
}

static int save_image(int image, const char *path, struct err *e)
{
	_cleanup_close_ int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	off_t size = lseek(image, 0, SEEK_END);
	int rc = 0;

	if (out < 0)
		return err_sys(e, -errno, "cannot create %s", path);
	if (size < 0 || lseek(image, 0, SEEK_SET) < 0)
		rc = -errno;
	if (rc == 0)
		rc = file_copy(image, out, (uint64_t)size);
	return rc < 0 ? err_sys(e, rc, "cannot save the image as %s", path) : 0;
}

static int keep_times(struct runner *r, struct err *e)
{
	struct hop_run *run = r->run;
	struct hop_times *t;

	if (run->ntimes == HOP_TIMES_MAX)
		return 0;
	if (run->ntimes % 64 == 0) {
		t = realloc(run->times, (run->ntimes + 64) * sizeof(*t));
		if (!t)
			return err_sys(e, -ENOMEM, "cannot keep times");
		run->times = t;
	}
	run->times[run->ntimes++] = r->now;
	return 0;
}

/* Where to move next after a move at `point`, and the place then; 0: nowhere. */
static uint64_t next_point(const struct hop_plan *plan, struct place *at, uint64_t point)
{
	uint64_t next;

	if (++at->done < plan->hops)
		return point + plan->step;
	*at = (struct place){.start = at->start + 1};
	if (at->start >= plan->nstarts)
		return 0;
	next = plan->starts[at->start];
	return next > point ? next : 0;
}

/* The process is frozen with its image complete: move it, or, if that fails, let it run on. */
static int move(struct runner *r, const struct process_event *captured, struct err *e)
{
	enum isa from = process_isa(r->p), to = isa_other(from);
	uint64_t since = clock_monotonic_ns(), next;
	struct place place = r->place;
	_cleanup_close_ int image = -1;
	struct process *dst = NULL;
	char path[64], why[192] = "";
	struct err bad = ERR_INIT;
	int rc;

	memset(&r->now, 0, sizeof(r->now));
	r->now.from = (uint32_t)from;
	r->now.image_bytes = captured->a[0];
	r->now.frames = captured->a[1];
	r->now.point = captured->a[2];
	r->now.save = captured->a[3];
	r->now.write = captured->a[4];
	r->now.depth = captured->a[5];
	r->resumed_at = since; /* until RESUMED: when the capture was complete */

	if (r->plan->image && r->run->moves == 0) {
		rc = save_image(process_image_fd(r->p), r->plan->image, e);
		if (rc < 0)
			return rc;
	}
	/* A description of its own, read-only: the new process can't disturb the old one's. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", process_image_fd(r->p));
	image = open(path, O_RDONLY | O_CLOEXEC);
	if (image < 0)
		return err_sys(e, -errno, "cannot open the state image");
	rc = state_image_check(image, r->prog->image, &bad);
	r->now.check = clock_monotonic_ns() - since;
	if (rc < 0) {
		note(r, &r->run->refused, "image refused", bad.msg);
		return process_abort(r->p, e);
	}
	since = clock_monotonic_ns();
	next = next_point(r->plan, &place, captured->a[2]);
	rc = start_process(r, to, image, process_given(r->p), next, &dst, e);
	if (rc < 0)
		return rc;
	rc = await_loaded(r, dst, since, why, sizeof(why), e);
	if (rc <= 0) {
		process_free(dst);
		if (rc < 0)
			return rc;
		note(r, &r->run->refused, "load refused", why);
		return process_abort(r->p, e);
	}
	rc = finish_source(r->p, dst, e);
	if (rc == 0)
		rc = process_go(dst, e);
	process_free(r->p);
	r->p = dst;
	r->run->moves++;
	r->run->met += r->place.done == 0;
	r->place = place;
	r->resuming = true;
	return rc;
}

/* 1: the program has ended. */
static int handle(struct runner *r, const struct process_event *ev, struct err *e)
{
	switch (ev->type) {
	case PROCESS_CAPTURED:
		return move(r, ev, e);
	case PROCESS_RESUMED:
		if (!r->resuming)
			return 0;
		r->resuming = false;
		r->now.rebuild = ev->a[0];
		r->now.downtime = clock_monotonic_ns() - r->resumed_at;
		return keep_times(r, e);
	case PROCESS_DEFERRED:
		note(r, &r->run->deferred, "capture deferred", ev->text);
		return 0;
	case PROCESS_REFUSED:
		note(r, &r->run->refused, "capture refused", ev->text);
		return 0;
	case PROCESS_POINTS:
		r->run->points = ev->a[0];
		return 0;
	case PROCESS_PROTOCOL:
		return err_set(e, -EPROTO, "the program's runtime misbehaves: %s", ev->text);
	case PROCESS_EXITED:
		r->run->wait_status = ev->wait_status;
		return 1;
	case PROCESS_HELLO:
	case PROCESS_LOADED:
	case PROCESS_LATE:
		return 0;
	}
	return 0;
}

static int make_pipe(int *rd, int *wr, int *spool, const char *name, struct err *e)
{
	int fds[2];

	*spool = file_memfd(name);
	if (*spool < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, *spool < 0 ? *spool : -errno,
			       "cannot collect the program's output");
	*rd = fds[0];
	*wr = fds[1];
	return file_set_nonblock(*rd, 1);
}

static int run_loop(struct runner *r, struct err *e)
{
	uint64_t first = r->plan->nstarts ? r->plan->starts[0] : 0;
	int rc = start_process(r, r->plan->from, -1, NULL, first, &r->p, e);

	while (rc == 0) {
		struct process_event ev;

		rc = next_event(r, r->p, &ev, e);
		if (rc == 0)
			rc = handle(r, &ev, e);
	}
	if (rc < 0)
		return rc;
	return drain(r, e);
}

int hop_run(const struct hop_program *prog, const struct hop_plan *plan,
	    const struct hop_streams *streams, struct hop_run *run, struct err *e)
{
	struct runner r = {.prog = prog,
			   .plan = plan,
			   .run = run,
			   .in = streams->in,
			   .out_wr = STDOUT_FILENO,
			   .err_wr = STDERR_FILENO,
			   .out_rd = -1,
			   .err_rd = -1};
	int rc = 0;

	memset(run, 0, sizeof(*run));
	run->out_fd = run->err_fd = -1;
	if (plan->timeout_ns)
		r.deadline = clock_monotonic_ns() + plan->timeout_ns;
	if (streams->capture) {
		rc = make_pipe(&r.out_rd, &r.out_wr, &run->out_fd, "hop-stdout", e);
		if (rc == 0)
			rc = make_pipe(&r.err_rd, &r.err_wr, &run->err_fd, "hop-stderr", e);
	}
	if (rc == 0)
		rc = run_loop(&r, e);
	process_free(r.p);
	if (r.out_rd >= 0)
		close(r.out_rd);
	if (r.err_rd >= 0)
		close(r.err_rd);
	if (streams->capture && r.out_wr > 2)
		close(r.out_wr);
	if (streams->capture && r.err_wr > 2)
		close(r.err_wr);
	return rc;
}

void hop_run_free(struct hop_run *run)
{
	free(run->times);
	run->times = NULL;
	if (run->out_fd >= 0)
		close(run->out_fd);
	if (run->err_fd >= 0)
		close(run->err_fd);
	run->out_fd = run->err_fd = -1;
}
