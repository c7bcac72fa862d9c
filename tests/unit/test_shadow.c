/* The shadow of the savings: its trace, both sides' figures, energies computed by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/json.h"
#include "scheduler/replay/shadow.h"
#include "tests/unit/replay_profiles.h"

#define T0 UINT64_C(1700000000000)

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-6;
}

static struct shadow_job job(uint64_t id, double submit, double start, double end, double work)
{
	return (struct shadow_job){.id = id,
				   .submit_ms = T0 + (uint64_t)(submit * 1000),
				   .start_ms = start < 0 ? 0 : T0 + (uint64_t)(start * 1000),
				   .end_ms = end < 0 ? 0 : T0 + (uint64_t)(end * 1000),
				   .work_s = work,
				   .done_s = work,
				   .busy = 1,
				   .cpus = 1,
				   .user = 1,
				   .program = 1};
}

/* The shadow of jobs on one flat machine, from T0 + from to T0 + to. */
static struct replay *shadow_of(struct shadow_job *jobs, size_t *n, uint64_t from, uint64_t to,
				struct trace *t, struct machines *m, struct shadow_side *side)
{
	_cleanup_json_ json_t *doc =
		json_loads("{\"process_nm\":10,\"nodes\":[{\"profile\":\"flat\"}]}", 0, NULL);
	struct replay_options o = {.trace = t,
				   .machines = m,
				   .policy = policy_find("static-x86"),
				   .policy_options = policy_options_default,
				   .clamp = true,
				   .stop_ms = to - from};
	struct replay *r = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(machines_parse(doc, false, m, &e), 0);
	*n = shadow_choose(jobs, *n, T0 + from, T0 + to);
	assert_int_equal(shadow_trace(jobs, *n, T0 + from, t, &e), 0);
	assert_int_equal(replay_run(&o, &r, &e), 0);
	assert_int_equal(shadow_replay_side(jobs, r, T0 + from, T0 + to, side, &e), 0);
	return r;
}

static void release(struct replay *r, struct trace *t, struct machines *m)
{
	replay_free(r);
	trace_free(t);
	machines_release(m);
}

static void shadow_takes_what_paper_says(void **state)
{
	/* Given in no order; live they waited 1 s and 3 s. */
	struct shadow_job jobs[] = {job(2, 5, 8, 30, 10), job(1, 0, 1, 40, 10)};
	struct shadow_side side, live;
	struct machines m;
	struct trace t;
	struct err e = ERR_INIT;
	size_t n = 2;
	struct replay *r = shadow_of(jobs, &n, 0, 60000, &t, &m, &side);

	(void)state;
	assert_int_equal(n, 2);
	/* 60 s of 10 W, and 10 s of 5 W for each; the last ends at 15 s. */
	assert_true(near(side.energy_j, 700));
	assert_true(near(r->sum.scaled_j, 175)); /* (10 nm / 20 nm)^2 */
	assert_true(near(side.makespan_s, 15));
	assert_true(near(side.edp_js, 700 * 15));
	assert_true(near(side.mean_wait_s, 0));
	assert_int_equal(side.jobs, 2);
	assert_true(near(shadow_energy_until(r, 15000), 250));
	assert_true(near(shadow_energy_until(r, 500), 7.5));
	assert_true(near(shadow_energy_until(r, 60000), 700));
	assert_int_equal(shadow_live_side(jobs, n, T0, T0 + 60000, &live, &e), 0);
	assert_true(near(live.makespan_s, 40));
	assert_true(near(live.mean_wait_s, 2));
	assert_true(near(live.p95_wait_s, 3));
	assert_int_equal(live.jobs, 2);
	assert_int_equal(live.unfinished, 0);
	release(r, &t, &m);
}

static void both_sides_end_with_the_interval(void **state)
{
	struct shadow_job jobs[] = {job(1, 0, 0, 2, 100), job(2, 1, -1, -1, 10),
				    job(3, 9, 9, 10, 1)};
	struct shadow_side side, live;
	struct machines m;
	struct trace t;
	struct err e = ERR_INIT;
	size_t n = 3;
	struct replay *r = shadow_of(jobs, &n, 0, 8000, &t, &m, &side);

	(void)state;
	assert_int_equal(n, 2); /* the third came later */
	/* 8 s of 10 W, 8 s and 7 s of 5 W. */
	assert_true(near(side.energy_j, 80 + 40 + 35));
	assert_int_equal(side.jobs, 0);
	assert_int_equal(side.unfinished, 2);
	assert_true(near(side.makespan_s, 8));
	assert_int_equal(shadow_live_side(jobs, n, T0, T0 + 8000, &live, &e), 0);
	assert_int_equal(live.jobs, 1);
	assert_int_equal(live.unfinished, 1);
	assert_true(near(live.makespan_s, 8));
	release(r, &t, &m);
}

static void jobs_from_before_bring_the_work_they_had_left(void **state)
{
	/* Half of the first one's 20 s of work was done by 10 s; the second was over. */
	struct shadow_job jobs[] = {job(1, 0, 0, 20, 20), job(2, 0, 0, 5, 5)};
	struct shadow_side side, live;
	struct machines m;
	struct trace t;
	struct err e = ERR_INIT;
	size_t n = 2;
	struct replay *r = shadow_of(jobs, &n, 10000, 30000, &t, &m, &side);

	(void)state;
	assert_int_equal(n, 1);
	assert_true(near(t.jobs[0].run_s, 10));
	assert_true(near(side.energy_j, 200 + 50));
	assert_true(near(side.makespan_s, 10));
	assert_int_equal(shadow_live_side(jobs, n, T0 + 10000, T0 + 30000, &live, &e), 0);
	assert_true(near(live.makespan_s, 10));
	assert_true(near(live.mean_wait_s, 0));
	release(r, &t, &m);
}

static void followers_and_cancelled_jobs_are_as_they_were(void **state)
{
	struct shadow_job jobs[] = {job(1, 0, 0, 50, 10), job(2, 1, 50, 60, 10),
				    job(3, 2, -1, 12, 0)};
	struct shadow_side side, live;
	struct machines m;
	struct trace t;
	struct err e = ERR_INIT;
	size_t n = 3;
	struct replay *r;

	(void)state;
	jobs[1].after = 1;
	jobs[2].cpus = 2; /* waits for both cpus, and is cancelled at 12 s, live as in the shadow */
	r = shadow_of(jobs, &n, 0, 60000, &t, &m, &side);
	assert_int_equal(t.jobs[2].end, TRACE_WITHDRAWN);
	assert_int_equal(t.jobs[2].cancel_ms, 10000);
	assert_true(r->jobs[1].start_ms >= 10000);
	assert_int_equal(side.jobs, 3);
	assert_int_equal(shadow_live_side(jobs, n, T0, T0 + 60000, &live, &e), 0);
	assert_true(near(live.mean_wait_s, 0)); /* it could not start before the first one's end */
	release(r, &t, &m);
}

static void live_energy_falls_where_it_was_used(void **state)
{
	static struct shadow_energy s;
	struct energy_interval i = {.from_ms = T0 + 500,
				    .to_ms = T0 + 2500,
				    .energy_uj = 20000000,
				    .idle_uj = 20000000,
				    .counted = true};

	(void)state;
	shadow_energy_init(&s, T0, T0 + 2000);
	assert_int_equal(s.npoints, 2);
	shadow_energy_add(&s, &i, 0.25);
	/* 10 W from 0.5 s to 2 s; the rest is beyond the interval. */
	assert_true(near(s.joules[0], 5));
	assert_true(near(s.joules[1], 10));
	assert_true(near(s.total_j, 15));
	assert_true(near(s.scaled_j, 3.75));
	assert_true(near(s.scaled[0] + s.scaled[1], s.scaled_j));
}

static void work_goes_by_kernel_then_by_speed(void **state)
{
	static const char *const none[] = {"",      "ep",      "ep.",   "ep.Q",
					   "ep.Ax", "ep.Ax1y", "ep.AB", "e.A"};
	struct profile a = {.time_s.kind = PROFILE_MEASURED}, b = a;
	int8_t k0, c0, k1, c1;

	(void)state;
	for (int k = 0; k < PROFILE_KERNELS; k++)
		for (int c = 0; c < PROFILE_CLASSES; c++)
			a.time_s.value[k][c] = b.time_s.value[k][c] = -1;
	a.time_s.value[0][2] = 30; /* the node's ep.A */
	b.time_s.value[0][2] = 10; /* the reference's */
	shadow_kernel("ep.A", &k0, &c0);
	assert_true(near(shadow_work(&a, &b, k0, c0), 1.0 / 3));
	shadow_kernel("ep.Ax14", &k1, &c1);
	assert_true(k1 == k0 && c1 == c0);
	/* "ep.W" has no time: the speeds. */
	shadow_kernel("ep.W", &k1, &c1);
	assert_true(k1 == k0 && c1 != c0);
	assert_true(near(shadow_work(&a, &b, k1, c1),
			 profile_speed(&a) > 0 ? profile_speed(&a) / profile_speed(&b) : 1));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		shadow_kernel(none[i], &k1, &c1);
		assert_true(k1 == TRACE_NO_KERNEL && c1 == TRACE_NO_KERNEL);
	}
	a.time_s.kind = PROFILE_UNKNOWN;
	assert_true(near(shadow_work(&a, &b, k0, c0), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shadow_takes_what_paper_says),
		cmocka_unit_test(both_sides_end_with_the_interval),
		cmocka_unit_test(jobs_from_before_bring_the_work_they_had_left),
		cmocka_unit_test(followers_and_cancelled_jobs_are_as_they_were),
		cmocka_unit_test(live_energy_falls_where_it_was_used),
		cmocka_unit_test(work_goes_by_kernel_then_by_speed),
	};

	return cmocka_run_group_tests(tests, profiles_setup, profiles_teardown);
}
