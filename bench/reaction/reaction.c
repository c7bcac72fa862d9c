/*
 * Asks a running program for captures and takes each back: how long from the request until all of
 * its threads stood still with their stacks saved.
 *
 * usage: reaction BUNDLE ISA THREADS REQUESTS RESTARTS [ARGUMENT]...
 * Requests that find fewer than THREADS threads do not count. A program that ends before REQUESTS
 * have been met, or has had fewer threads for a while, is started again, RESTARTS times at most;
 * its output passes through. For each capture one line on standard error: nanoseconds from the
 * request to the stop, of these the nanoseconds between the thread that saw the request first and
 * the last stack, then threads and frames. Status 0 if the program, each time it ended, ended with
 * 0.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "binaries/bundle/bundle.h"
#include "common/clock.h"
#include "common/compiler.h"
#include "kernels/satellite.h"
#include "migrator/process/process.h"

/* Time between a program's resumption and the next request: a mean of these. */
static const uint64_t pause_least_ns = 200000, pause_spread_ns = 3000000;
static uint64_t random_state = 88172645463325252ull;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void rest(void)
{
	uint64_t ns = pause_least_ns + next_random() % pause_spread_ns;
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	(void)nanosleep(&t, NULL);
}

/* The next event of a type other than DEFERRED, or the end. */
static int await(struct process *p, struct process_event *ev, struct err *e)
{
	int n;

	do
		n = process_next(p, -1, ev, e);
	while (n == 0 || (n > 0 && ev->type == PROCESS_DEFERRED));
	return n < 0 ? n : 0;
}

/* Requests in a row that find too few threads, before the program is taken to be past its threads.
 */
enum { FEW_MAX = 8 };

/* One request. 1: taken back; 2: the same, but there were fewer than `least` threads; 0: the
 * program ended first; or a negative errno. */
static int request(struct process *p, unsigned long least, int *status, struct err *e)
{
	struct process_event ev;
	uint64_t asked = clock_monotonic_ns(), stopped;
	bool counts;
	int r = process_request_capture(p, false, e);

	if (r < 0 && r != -EPIPE) /* it may just have ended */
		return r;
	do {
		r = await(p, &ev, e);
		if (r < 0)
			return r;
		if (ev.type == PROCESS_EXITED) {
			*status = ev.wait_status;
			return 0;
		}
		if (ev.type == PROCESS_REFUSED || ev.type == PROCESS_PROTOCOL)
			return err_set(e, -EIO, "%s", ev.text);
	} while (ev.type != PROCESS_CAPTURED);
	stopped = clock_monotonic_ns() - asked - ev.a[4];
	counts = ev.a[6] >= least;
	if (counts)
		(void)fprintf(stderr, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", stopped,
			      ev.a[3], ev.a[6], ev.a[1]);
	r = process_abort(p, e);
	while (!r && ev.type != PROCESS_RESUMED && ev.type != PROCESS_EXITED)
		r = await(p, &ev, e);
	if (!r && ev.type == PROCESS_EXITED) {
		*status = ev.wait_status;
		return 0;
	}
	return r < 0 ? r : counts ? 1 : 2;
}

/* One run of the program; the number of requests that were met, or a negative errno. */
static long run(const struct process_spec *spec, unsigned long least, long requests, struct err *e)
{
	struct process *p;
	struct process_event ev = {0};
	int status = 0, few = 0, r = process_start(spec, &p, e);
	long n = 0;

	if (r < 0)
		return r;
	r = await(p, &ev, e); /* HELLO */
	while (!r && n < requests && few < FEW_MAX) {
		rest();
		r = request(p, least, &status, e);
		if (r <= 0)
			break;
		n += r == 1;
		few = r == 1 ? 0 : few + 1;
		r = 0;
	}
	while (!r && n == requests && ev.type != PROCESS_EXITED)
		r = await(p, &ev, e);
	if (ev.type == PROCESS_EXITED)
		status = ev.wait_status;
	process_free(p);
	if (!r && status)
		return err_set(e, -EIO, "the program ended with wait status 0x%x",
			       (unsigned int)status);
	return r < 0 ? r : n;
}

int main(int argc, char **argv)
{
	struct process_spec spec = {
		.satellite = &satellite_process, .stdio = {0, 1, -1}, .image_in = -1};
	const char *envp[] = {NULL};
	struct err e = ERR_INIT;
	struct bundle *b;
	long least, left, restarts;
	int isa;

	if (argc < 6) {
		(void)fprintf(stderr, "usage: reaction BUNDLE ISA THREADS REQUESTS RESTARTS "
				      "[ARGUMENT]...\n");
		return 2;
	}
	isa = isa_parse(argv[2]);
	least = strtol(argv[3], NULL, 10);
	left = strtol(argv[4], NULL, 10);
	restarts = strtol(argv[5], NULL, 10);
	if (isa < 0 || least < 1 || left < 1) {
		(void)fprintf(stderr, "reaction: ISA is x86_64 or aarch64, THREADS and REQUESTS at "
				      "least 1\n");
		return 2;
	}
	if (bundle_open(argv[1], &b, &e) < 0)
		goto failed;
	spec.isa = (enum isa)isa;
	spec.exe_fd = bundle_half_fd(b, spec.isa, &e);
	if (spec.exe_fd < 0)
		goto failed;
	argv[5] = argv[1];
	spec.argv = (const char *const *)&argv[5];
	spec.envp = envp;
	for (; left > 0 && restarts >= 0; restarts--) {
		long n = run(&spec, (unsigned long)least, left, &e);

		if (n < 0)
			goto failed;
		left -= n;
	}
	return 0;
failed:
	(void)fprintf(stderr, "reaction: %s\n", e.msg);
	return 1;
}
