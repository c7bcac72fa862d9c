/*
 * Each migration point tried, one or several a run, several runs at a time.
 *
 * Each worker is a process of its own: a parent of job processes must be single-
 * threaded, and a worker that dies takes its job process along. Results come back
 * over a pipe as records small enough to be written at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "cli/hop.h"
#include "common/clock.h"
#include "common/file.h"

#define RECORD_TIMES  24
#define WORKERS_MAX   64
#define FRUITLESS_MAX 8 /* runs without any of their moves, for one point */

/* What a run came to, or several. */
struct record {
	uint64_t at; /* its first point */
	uint64_t runs, tried, unmoved;
	uint64_t moves, deferred, refused;
	uint32_t ntimes;
	uint32_t different; /* or failed: text says */
	char text[384];
	char why[256];
	struct hop_times times[RECORD_TIMES];
};
_Static_assert(sizeof(struct record) <= PIPE_BUF, "a record is written at once");

/* How many points there are to try, and the i-th of them. */
static uint64_t point_count(const struct hop_each *each, uint64_t points)
{
	uint64_t all = points / each->stride;

	return each->sample && each->sample < all ? each->sample : all;
}

static uint64_t point_at(const struct hop_each *each, uint64_t points, uint64_t i)
{
	uint64_t n = point_count(each, points), all = points / each->stride;

	if (n != all)
		i = (uint64_t)((double)i * (double)all / (double)n);
	return (i + 1) * each->stride;
}

static uint64_t run_count(const struct hop_each *each, uint64_t points)
{
	uint64_t n = point_count(each, points);

	return n / each->per_run + (n % each->per_run != 0);
}

/* One run that tries n points. */
static void try_points(const struct hop_program *prog, const struct hop_each *each,
		       const struct hop_run *ref, const uint64_t *at, size_t n, struct record *rec)
{
	struct hop_plan plan = each->plan;
	struct hop_streams streams = {.in = -1, .capture = true};
	struct hop_run run;
	struct err e = ERR_INIT;
	int rc;

	plan.starts = at;
	plan.nstarts = n;
	if (each->stdin_path)
		streams.in = open(each->stdin_path, O_RDONLY | O_CLOEXEC);
	rc = hop_run(prog, &plan, &streams, &run, &e);
	*rec = (struct record){
		.at = at[0],
		.runs = 1,
		.tried = n,
		.unmoved = n - run.met,
		.moves = run.moves,
		.deferred = run.deferred,
		.refused = run.refused,
		.ntimes = (uint32_t)(run.ntimes < RECORD_TIMES ? run.ntimes : RECORD_TIMES),
	};
	memcpy(rec->why, run.why, sizeof(rec->why));
	if (rec->ntimes)
		memcpy(rec->times, run.times, rec->ntimes * sizeof(*run.times));
	if (rc < 0) {
		rec->different = 1;
		(void)snprintf(rec->text, sizeof(rec->text), "%.380s", e.msg);
	} else {
		rec->different = !hop_compare(ref, &run, rec->text, sizeof(rec->text));
	}
	if (streams.in >= 0)
		close(streams.in);
	hop_run_free(&run);
}

static void send_record(int out, const struct record *rec)
{
	if (file_write_all(out, rec, sizeof(*rec)) < 0)
		_exit(1);
}

/* Tries n points of a run that failed one by one. If none of them fails alone, the failure of all
 * of them together is reported. */
static void try_alone(const struct hop_program *prog, const struct hop_each *each,
		      const struct hop_run *ref, const uint64_t *at, size_t n, struct record *all,
		      int out)
{
	struct record one;
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		try_points(prog, each, ref, at + i, 1, &one);
		found |= one.different != 0;
		send_record(out, &one);
	}
	if (found)
		return;
	all->tried = all->unmoved = 0; /* counted above */
	(void)snprintf(one.text, sizeof(one.text), "with %zu further points in the run: %.320s",
		       n - 1, all->text);
	memcpy(all->text, one.text, sizeof(all->text));
	send_record(out, all);
}

/* Tries n points in one run, and in further ones what it left out. */
static void try_together(const struct hop_program *prog, const struct hop_each *each,
			 const struct hop_run *ref, const uint64_t *at, size_t n, int out)
{
	unsigned int fruitless = 0;
	struct record rec;
	size_t met;
	bool again;

	do {
		try_points(prog, each, ref, at, n, &rec);
		if (rec.different && n > 1) {
			try_alone(prog, each, ref, at, n, &rec, out);
			return;
		}
		met = n - rec.unmoved;
		/* A move that was put off can have missed all of a short run. */
		again = met < n && !rec.different &&
			(met || (rec.deferred && ++fruitless < FRUITLESS_MAX));
		if (again) {
			rec.tried = met;
			rec.unmoved = 0;
		}
		send_record(out, &rec);
		at += met;
		n -= met;
	} while (again);
}

static _noreturn_ void worker(const struct hop_program *prog, const struct hop_each *each,
			      const struct hop_run *ref, uint64_t start, pid_t parent, int out)
{
	uint64_t n = point_count(each, ref->points), runs = run_count(each, ref->points);
	uint64_t *at = calloc(each->per_run, sizeof(*at));

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !at)
		_exit(1);
	for (uint64_t run = start; run < runs; run += each->jobs) {
		size_t have = 0;

		for (uint64_t i = run; i < n; i += runs)
			at[have++] = point_at(each, ref->points, i);
		try_together(prog, each, ref, at, have, out);
	}
	free(at);
	_exit(0);
}

static int take_record(struct hop_report *report, const struct record *rec)
{
	int rc = 0;

	report->runs += rec->runs;
	report->tried += rec->tried;
	report->unmoved += rec->unmoved;
	report->moves += rec->moves;
	report->deferred += rec->deferred;
	report->refused += rec->refused;
	if (rec->why[0])
		memcpy(report->why, rec->why, sizeof(report->why));
	if (rec->different)
		rc = hop_report_add_difference(report, rec->at, rec->text);
	return rc < 0 ? rc : hop_report_add_times(report, rec->times, rec->ntimes);
}

static int gather(int rd, uint64_t n, bool progress, struct hop_report *report, struct err *e)
{
	uint64_t shown = 0;
	struct record rec;
	int rc;

	while ((rc = file_read_all(rd, &rec, sizeof(rec))) == 0) {
		if (rec.ntimes > RECORD_TIMES || take_record(report, &rec) < 0)
			return err_sys(e, -ENOMEM, "cannot keep the results");
		if (progress && clock_monotonic_ns() - shown > 200 * NS_PER_MS) {
			shown = clock_monotonic_ns();
			(void)fprintf(stderr,
				      "\r%" PRIu64 "/%" PRIu64 " points, %" PRIu64
				      " migrations, %" PRIu64 " different ",
				      report->tried, n, report->moves, report->ndifferences);
		}
	}
	if (progress)
		(void)fprintf(stderr, "\r%70s\r", "");
	if (report->tried != n)
		return err_set(e, -ECHILD,
			       "only %" PRIu64 " of %" PRIu64 " points were tried: a run vanished",
			       report->tried, n);
	return 0;
}

int hop_each(const struct hop_program *prog, const struct hop_each *each, const struct hop_run *ref,
	     struct hop_report *report, struct err *e)
{
	uint64_t n = point_count(each, ref->points), runs = run_count(each, ref->points);
	unsigned int jobs = each->jobs < WORKERS_MAX ? each->jobs : WORKERS_MAX;
	struct hop_each own = *each;
	pid_t pids[WORKERS_MAX], parent = getpid();
	unsigned int started = 0;
	int fds[2], rc = 0;

	if (jobs > runs)
		jobs = runs ? (unsigned int)runs : 1;
	own.jobs = jobs;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "cannot start runs");
	(void)fflush(NULL);
	for (; runs && started < jobs; started++) {
		pids[started] = fork();
		if (pids[started] < 0) {
			rc = err_sys(e, -errno, "cannot start runs");
			break;
		}
		if (pids[started] == 0)
			worker(prog, &own, ref, started, parent, fds[1]);
	}
	close(fds[1]);
	if (rc == 0)
		rc = gather(fds[0], n, each->progress, report, e);
	close(fds[0]);
	for (unsigned int i = 0; i < started; i++) {
		if (rc < 0)
			(void)kill(pids[i], SIGKILL);
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
	return rc;
}
