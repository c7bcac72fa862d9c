#include <errno.h>
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
#include "scheduler/replay/replay.h"
#include "tests/unit/replay_profiles.h"

static void cluster(const char *text, struct machines *m)
{
	_cleanup_json_ json_t *doc = json_loads(text, 0, NULL);
	struct err e = ERR_INIT;

	assert_non_null(doc);
	assert_int_equal(machines_parse(doc, false, m, &e), 0);
}

static void trace(const char *text, struct trace *t)
{
	struct err e = ERR_INIT;

	assert_int_equal(trace_read(text, strlen(text), TRACE_AUTO, t, &e), 0);
}

/* Runs it; the caller frees. */
static struct replay *run(struct trace *t, struct machines *m, const char *policy,
			  uint64_t until_ms, bool (*progress)(void *, double))
{
	struct replay_options o = {.trace = t,
				   .machines = m,
				   .policy = policy_find(policy),
				   .policy_options = policy_options_default,
				   .until_ms = until_ms,
				   .progress = progress};
	struct replay *r = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(replay_run(&o, &r, &e), 0);
	return r;
}

static void sums_up(const struct replay *r)
{
	double nodes = 0, jobs = 0, job_nodes = 0;

	for (uint32_t i = 0; i < r->nnodes; i++) {
		const struct replay_node *n = &r->nodes[i];

		nodes += n->energy_j;
		job_nodes += n->jobs_j + n->moves_j;
		assert_true(fabs(n->idle_j + n->jobs_j + n->moves_j + n->sleep_j - n->energy_j) <=
			    n->energy_j / 1000);
	}
	for (size_t i = 0; i < r->opt->trace->njobs; i++)
		jobs += r->jobs[i].energy_j;
	assert_true(fabs(nodes - r->sum.energy_j) <= nodes / 1e6);
	assert_true(fabs(jobs - job_nodes) <= nodes / 1000);
}

#define LINE(n, at, run, cpus)                                                                     \
	#n " " #at " -1 " #run " " #cpus " -1 -1 " #cpus " -1 -1 1 1 1 1 1 -1 -1 -1\n"

/* ---- energies computed by hand ------------------------------------------ */

static void two_jobs_on_a_node_take_what_paper_says(void **state)
{
	struct machines m;
	struct trace t;
	struct replay *r;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"}]}", &m);
	trace(LINE(1, 0, 10, 1) LINE(2, 5, 10, 1), &t);
	r = run(&t, &m, "balance", 0, NULL);
	/* 15 s of 10 W, and 10 s of 5 W for each job. */
	assert_true(fabs(r->sum.makespan_s - 15) < 1e-9);
	assert_true(fabs(r->sum.idle_j - 150) < 1e-6);
	assert_true(fabs(r->sum.jobs_j - 100) < 1e-6);
	assert_true(fabs(r->sum.energy_j - 250) < 1e-6);
	assert_true(fabs(r->sum.edp_js - 250 * 15) < 1e-3);
	assert_true(fabs(r->jobs[1].energy_j - 50) < 1e-6);
	sums_up(r);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

static void a_sleep_takes_what_paper_says(void **state)
{
	struct machines m;
	struct trace t;
	struct replay *r;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"}]}", &m);
	trace(LINE(1, 0, 10, 1) LINE(2, 100, 10, 1), &t);
	r = run(&t, &m, "consolidate", 0, NULL);
	/* Break-even: 2 s + 60 J / 9 W = 8.667 s. On from 0 to 18.667 and from 104 to 114; 2 s at
	 * 10 W going to sleep, 79.333 s at 1 W, 60 J to wake. */
	assert_int_equal(r->sum.sleeps, 1);
	assert_int_equal(r->sum.wakes, 1);
	assert_true(fabs(r->sum.makespan_s - 114) < 1e-9);
	assert_true(fabs(r->sum.idle_j - 286.67) < 0.02);
	assert_true(fabs(r->sum.sleep_j - 159.333) < 0.02);
	assert_true(fabs(r->sum.jobs_j - 100) < 1e-6);
	assert_true(fabs(r->sum.mean_wait_s - 2) < 1e-9);
	sums_up(r);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

static void the_scaled_column_is_apart_and_by_the_square_of_the_process(void **state)
{
	struct machines m;
	struct trace t;
	struct replay *r;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"},{\"profile\":\"slow\"}]}", &m);
	trace(LINE(1, 0, 10, 1), &t);
	r = run(&t, &m, "static-x86", 0, NULL);
	/* flat: 100 J idle and 50 J; slow: 40 J idle, made in 20 nm a quarter of it. */
	assert_int_equal(m.process_nm, 20);
	assert_true(fabs(r->sum.energy_j - 190) < 1e-6);
	assert_true(fabs(r->sum.scaled_j - 160) < 1e-6);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

/* ---- what holds for any trace ------------------------------------------- */

/* Jobs of a linear congruential generator. */
static char *many(size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	unsigned int x = 7, at = 0;

	assert_non_null(f);
	for (size_t i = 1; i <= n; i++) {
		x = x * 1103515245u + 12345u;
		at += (x >> 16) % 9;
		(void)fprintf(f, "%zu %u -1 %u %u -1 -1 -1 -1 -1 1 %u 1 %u 1 -1 -1 -1\n", i, at,
			      1 + (x >> 18) % 40, 1 + (x >> 21) % 2, (x >> 9) % 5, (x >> 12) % 3);
	}
	assert_int_equal(fclose(f), 0);
	return text;
}

#define MIXED "{\"nodes\":[{\"profile\":\"flat\",\"count\":3},{\"profile\":\"slow\",\"count\":2}]}"

static void every_policy_sums_up_and_comes_out_the_same_again(void **state)
{
	char *text = many(1500);
	struct machines m;
	struct trace t;

	(void)state;
	cluster(MIXED, &m);
	trace(text, &t);
	for (int i = 0; policies[i]; i++) {
		struct replay *a = run(&t, &m, policies[i]->name, 0, NULL);
		struct replay *b = run(&t, &m, policies[i]->name, 0, NULL);

		sums_up(a);
		assert_int_equal(a->sum.done, 1500);
		assert_int_equal(a->sum.migrations, b->sum.migrations);
		assert_memory_equal(a->jobs, b->jobs, 1500 * sizeof(*a->jobs));
		assert_true(a->sum.energy_j >= b->sum.energy_j &&
			    a->sum.energy_j <= b->sum.energy_j);
		replay_free(a);
		replay_free(b);
	}
	free(text);
	trace_free(&t);
	machines_release(&m);
}

static bool at_once(void *arg, double part)
{
	(void)arg;
	(void)part;
	return true;
}

static void one_that_is_cancelled_sums_up_so_far(void **state)
{
	char *text = many(4000);
	struct machines m;
	struct trace t;

	(void)state;
	cluster(MIXED, &m);
	trace(text, &t);
	for (int i = 0; policies[i]; i++) {
		struct replay *r = run(&t, &m, policies[i]->name, 0, at_once);

		assert_true(r->cancelled);
		assert_true(r->sum.done > 0 && r->sum.done < 4000);
		sums_up(r);
		replay_free(r);
	}
	free(text);
	trace_free(&t);
	machines_release(&m);
}

static void nodes_go_to_sleep_also_after_the_last_job(void **state)
{
	struct machines m;
	struct trace t;
	struct replay *r;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"}]}", &m);
	trace(LINE(1, 0, 10, 1), &t);
	r = run(&t, &m, "consolidate", 1000000, NULL);
	assert_int_equal(r->sum.sleeps, 1);
	assert_int_equal(r->end_ms, 1000000);
	assert_true(r->nodes[0].asleep_ms > 970000);
	sums_up(r);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

/* ---- how jobs come and go ----------------------------------------------- */

static void jobs_follow_others_in_the_order_of_the_file_and_as_fast(void **state)
{
	struct machines m;
	struct trace t;
	struct replay_options o = {.speedup = 10, .policy_options = policy_options_default};
	struct replay *r = NULL;
	struct err e = ERR_INIT;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"}]}", &m);
	/* 2 and 3 follow 1, 20 s after its end. */
	trace("1 0 -1 10 2 -1 -1 2 -1 -1 1 1 1 1 1 -1 -1 -1\n"
	      "2 1 -1 10 2 -1 -1 2 -1 -1 1 1 1 1 1 -1 1 20\n"
	      "3 1 -1 10 2 -1 -1 2 -1 -1 1 1 1 1 1 -1 1 20\n",
	      &t);
	o.trace = &t;
	o.machines = &m;
	o.policy = policy_find("balance");
	assert_int_equal(replay_run(&o, &r, &e), 0);
	assert_int_equal(r->jobs[1].submit_ms, 12000);
	assert_int_equal(r->jobs[2].submit_ms, 12000);
	assert_true(r->jobs[1].start_ms < r->jobs[2].start_ms);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

static void a_job_withdrawn_while_it_waited_never_completes(void **state)
{
	struct machines m;
	struct trace t;
	struct replay *r;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"}]}", &m);
	trace("1 0 30 0 1 -1 -1 1 -1 -1 5 1 1 1 1 -1 -1 -1\n" LINE(2, 0, 10, 1), &t);
	r = run(&t, &m, "balance", 0, NULL);
	assert_int_equal(r->sum.withdrawn, 1);
	assert_int_equal(r->sum.completed, 1);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

static void a_job_that_fits_no_node_is_refused_or_clamped(void **state)
{
	struct machines m;
	struct trace t;
	struct replay *r;
	struct replay_options o = {.clamp = true, .policy_options = policy_options_default};
	struct err e = ERR_INIT;

	(void)state;
	cluster("{\"nodes\":[{\"profile\":\"flat\"}]}", &m);
	trace(LINE(1, 0, 10, 4) LINE(2, 0, 10, 1), &t);
	r = run(&t, &m, "balance", 0, NULL);
	assert_int_equal(r->sum.refused, 1);
	assert_int_equal(r->sum.done, 1);
	replay_free(r);
	o.trace = &t;
	o.machines = &m;
	o.policy = policy_find("balance");
	assert_int_equal(replay_run(&o, &r, &e), 0);
	assert_int_equal(r->sum.done, 2);
	assert_int_equal(r->sum.clamped, 1);
	assert_int_equal(r->jobs[0].end_ms - r->jobs[0].start_ms, 20000);
	replay_free(r);
	trace_free(&t);
	machines_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_jobs_on_a_node_take_what_paper_says),
		cmocka_unit_test(a_sleep_takes_what_paper_says),
		cmocka_unit_test(the_scaled_column_is_apart_and_by_the_square_of_the_process),
		cmocka_unit_test(every_policy_sums_up_and_comes_out_the_same_again),
		cmocka_unit_test(one_that_is_cancelled_sums_up_so_far),
		cmocka_unit_test(nodes_go_to_sleep_also_after_the_last_job),
		cmocka_unit_test(jobs_follow_others_in_the_order_of_the_file_and_as_fast),
		cmocka_unit_test(a_job_withdrawn_while_it_waited_never_completes),
		cmocka_unit_test(a_job_that_fits_no_node_is_refused_or_clamped),
	};

	return cmocka_run_group_tests(tests, profiles_setup, profiles_teardown);
}
