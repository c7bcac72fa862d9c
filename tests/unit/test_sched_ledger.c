/* Energy sums: nothing is lost or counted twice, and labels are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/segments.h"
#include "scheduler/ledger/series.h"
#include "scheduler/ledger/sleep.h"

static uint64_t seed = 42;

static uint64_t rnd(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

static struct energy_interval random_interval(void)
{
	struct energy_interval i = {.counted = rnd(5) != 0, .from_ms = rnd(1000000)};

	(void)snprintf(i.node, sizeof(i.node), "n%u", (unsigned int)rnd(7));
	(void)snprintf(i.meter, sizeof(i.meter), "m");
	(void)snprintf(i.source, sizeof(i.source), "model");
	(void)snprintf(i.scope, sizeof(i.scope), "node");
	(void)snprintf(i.kind, sizeof(i.kind), "modelled");
	i.to_ms = i.from_ms + rnd(2000);
	i.idle_uj = rnd(1u << 30);
	i.system_uj = rnd(1u << 20);
	i.energy_uj = i.idle_uj + i.system_uj;
	i.njobs = (uint32_t)rnd(6);
	for (uint32_t k = 0; k < i.njobs; k++) {
		i.jobs[k] = (struct energy_job){1 + rnd(200), 1, rnd(1u << 28)};
		i.energy_uj += i.jobs[k].energy_uj;
	}
	return i;
}

static void jobs_idle_and_system_are_the_node_over_any_history(void **state)
{
	(void)state;
	for (int history = 0; history < 50; history++) {
		uint64_t all = 0, nodes = 0, parts = 0, jobs = 0, nodes_jobs = 0;
		struct ledger l = {0};

		for (int n = 0; n < 400; n++) {
			struct energy_interval i = random_interval();

			assert_int_equal(ledger_check(&i, NULL), 0);
			ledger_add(&l, &i);
			if (i.counted)
				all += i.energy_uj;
		}
		assert_false(l.failed);
		for (size_t k = 0; k < l.nnodes; k++) {
			const struct ledger_sum *s = &l.nodes[k];

			assert_true(s->balanced);
			assert_int_equal(s->energy_uj, s->idle_uj + s->system_uj + s->jobs_uj);
			nodes += s->energy_uj;
			parts += s->idle_uj + s->system_uj;
			nodes_jobs += s->jobs_uj;
		}
		for (size_t k = 0; k < l.njobs; k++)
			jobs += l.jobs[k].energy_uj;
		assert_int_equal(nodes, all);
		assert_int_equal(l.total.energy_uj, all);
		assert_int_equal(jobs, nodes_jobs);
		assert_int_equal(parts + jobs, all);
		ledger_free(&l);
	}
}

static void an_interval_that_does_not_add_up_is_told(void **state)
{
	struct energy_interval i = random_interval();
	struct err e = ERR_INIT;
	struct ledger l = {0};

	(void)state;
	i.counted = true;
	i.energy_uj++;
	assert_true(ledger_check(&i, &e) < 0);
	assert_non_null(strstr(e.msg, "is not the sum"));
	ledger_add(&l, &i);
	assert_false(l.nodes[0].balanced);
	assert_false(l.total.balanced);
	ledger_free(&l);
}

static void sums_that_overflow_do_not_balance_by_accident(void **state)
{
	struct energy_interval i = {.idle_uj = UINT64_MAX, .system_uj = 2, .energy_uj = 1};

	(void)state;
	assert_true(ledger_check(&i, NULL) < 0);
}

static void mixed_kinds_are_flagged(void **state)
{
	struct energy_interval i = random_interval();
	struct ledger l = {0};

	(void)state;
	i.counted = true;
	ledger_add(&l, &i);
	assert_string_equal(l.total.kind, "modelled");
	strcpy(i.kind, "measured");
	ledger_add(&l, &i);
	assert_string_equal(l.nodes[0].kind, "mixed");
	assert_string_equal(l.total.kind, "mixed");
	assert_string_equal(l.total.scope, "node");
	ledger_free(&l);
}

static void meters_whose_scopes_overlap_are_not_added(void **state)
{
	static const char *const both[] = {"node", "package", "dram", NULL};
	static const char *const parts[] = {"package", "dram", "core", NULL};

	(void)state;
	assert_true(ledger_counted("node", both));
	assert_false(ledger_counted("package", both));
	assert_true(ledger_counted("package", parts));
	assert_true(ledger_counted("dram", parts));
	assert_false(ledger_counted("core", parts));
}

static void the_widest_meter_that_is_there_is_the_node(void **state)
{
	static const char *const server[] = {"package+dram", "platform", NULL};
	static const char *const socket[] = {"package+dram", NULL};
	static const char *const memory[] = {"dram", NULL};

	(void)state;
	assert_true(ledger_counted("platform", server));
	assert_false(ledger_counted("package+dram", server));
	assert_true(ledger_counted("package+dram", socket));
	/* A part is not passed off as the whole. */
	assert_false(ledger_counted("dram", memory));
}

static struct energy_interval reading(const char *node, uint64_t from_ms, uint64_t to_ms)
{
	struct energy_interval i = {.counted = true, .from_ms = from_ms, .to_ms = to_ms};

	(void)snprintf(i.node, sizeof(i.node), "%s", node);
	(void)snprintf(i.source, sizeof(i.source), "model");
	(void)snprintf(i.scope, sizeof(i.scope), "node");
	(void)snprintf(i.kind, sizeof(i.kind), "modelled");
	return i;
}

static void idle_energy_is_shown_kept_apart_and_attributed(void **state)
{
	struct energy_interval i = reading("n", 0, 1000);
	struct ledger l = {0};

	(void)state;
	i.idle_uj = 900;
	i.njobs = 2;
	i.jobs[0] = (struct energy_job){1, 1, 100};
	i.jobs[1] = (struct energy_job){2, 1, 200};
	i.energy_uj = 1200;
	ledger_add(&l, &i);
	/* An interval without jobs: its idle energy is nobody's. */
	i.from_ms = 1000;
	i.to_ms = 2000;
	i.njobs = 0;
	i.energy_uj = 900;
	ledger_add(&l, &i);
	assert_int_equal(l.nodes[0].idle_uj, 1800);
	assert_int_equal(l.nodes[0].idle_attributed_uj, 900);
	assert_int_equal(l.jobs[0].energy_uj, 100);
	assert_int_equal(l.jobs[0].idle_attributed_uj, 300);
	assert_int_equal(l.jobs[1].idle_attributed_uj, 600);
	ledger_free(&l);
}

static void time_between_readings_and_what_a_range_cuts_off_is_told(void **state)
{
	struct energy_interval i = reading("n", 1000, 2000);
	struct ledger l = {0};

	(void)state;
	i.energy_uj = i.idle_uj = 1000;
	ledger_add(&l, &i);
	i.from_ms = 4500;
	i.to_ms = 5000;
	i.gap_ms = 100;
	ledger_add(&l, &i);
	assert_int_equal(l.nodes[0].gap_ms, 2600);
	assert_int_equal(l.total.gap_ms, 2600);
	ledger_free(&l);
	l = (struct ledger){.from_ms = 4750, .to_ms = 4800};
	ledger_add(&l, &i);
	assert_int_equal(l.total.energy_uj, 100);
	assert_int_equal(l.total.from_ms, 4750);
	assert_int_equal(l.total.to_ms, 4800);
	ledger_free(&l);
}

static void a_series_has_gaps_where_nobody_read(void **state)
{
	struct energy_interval i = reading("n", 10000, 12000);
	struct series_set s;

	(void)state;
	assert_int_equal(series_init(&s, 10000, 20000, 0, 5, NULL), 0);
	assert_int_equal(s.resolution_ms, 2000);
	series_add(&s, "n", "x86_64", &i, 40000000);
	i.from_ms = 15000;
	i.to_ms = 19000;
	series_add(&s, "n", "x86_64", &i, 8000000);
	assert_int_equal(s.npoints, 5);
	assert_true(series_watts(&s, &s.v[0], 0) == 20.0);
	assert_true(series_watts(&s, &s.v[0], 1) < 0);
	/* Half covered: its power is that of the half. */
	assert_int_equal(s.v[0].energy_uj[2], 2000000);
	assert_true(series_watts(&s, &s.v[0], 2) == 2.0);
	series_free(&s);
	assert_int_equal(series_init(&s, 5, 5, 0, 5, NULL), -EINVAL);
	/* No more points than are asked for, whatever the range. */
	for (int k = 0; k < 10000; k++) {
		uint64_t from = rnd(1u << 30), points = 1 + rnd(700);

		assert_int_equal(
			series_init(&s, from, from + 1 + rnd(1u << 30), rnd(5000), points, NULL),
			0);
		assert_true(s.npoints >= 1 && s.npoints <= points);
		assert_true(s.from_ms + s.npoints * s.resolution_ms >= s.to_ms);
		series_free(&s);
	}
}

static void segment(struct segments *s, uint32_t attempt, const char *node, uint64_t from,
		    uint64_t to, uint64_t uj)
{
	struct segment_reading r = {.attempt = attempt,
				    .from_ms = from,
				    .to_ms = to,
				    .energy_uj = uj,
				    .idle_uj = uj / 2};

	(void)snprintf(r.node, sizeof(r.node), "%s", node);
	(void)snprintf(r.kind, sizeof(r.kind), "%s", *node == 'x' ? "measured" : "modelled");
	segments_add(s, &r);
}

static void a_jobs_energy_is_charged_to_where_it_ran(void **state)
{
	static const struct segment_move moves[] = {
		{1, 2, "x", "a", ISA_X86_64, ISA_AARCH64, 2000},
		{1, 3, "a", "x", ISA_AARCH64, ISA_X86_64, 4000},
	};
	struct segments s;

	(void)state;
	segments_init(&s, moves, 2);
	assert_int_equal(s.n, 3);
	segment(&s, 1, "x", 1000, 2000, 10);
	segment(&s, 1, "a", 1900, 3000, 20);
	/* What the source used last comes in after the job has gone on. */
	segment(&s, 1, "x", 2000, 2400, 1);
	segment(&s, 1, "x", 3900, 5000, 30);
	/* The next attempt, elsewhere. */
	segment(&s, 2, "b", 6000, 7000, 40);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.v[0].sum.energy_uj, 11);
	assert_int_equal(s.v[1].sum.energy_uj, 20);
	assert_int_equal(s.v[1].isa, ISA_AARCH64);
	assert_int_equal(s.v[2].sum.energy_uj, 30);
	assert_int_equal(s.v[3].sum.energy_uj, 40);
	assert_int_equal(s.v[3].attempt, 2);
	assert_int_equal(s.total.energy_uj, 101);
	assert_int_equal(s.total.idle_attributed_uj, 5 + 10 + 0 + 15 + 20);
	assert_string_equal(s.total.kind, "mixed");
	segments_free(&s);
}

/* ---- sleeps --------------------------------------------------------------- */

/* 10 W idle, 1 W asleep; a wake takes 5 s and 100 J. */
static const struct sleep_power box = {10, 1, 5, 100};

static int draw(uint64_t from_ms, uint64_t to_ms, uint64_t energy_uj, void *arg)
{
	struct energy_interval i = reading("n", from_ms, to_ms);

	i.energy_uj = i.idle_uj = energy_uj;
	ledger_add(arg, &i);
	return 0;
}

/* Of one node from 0 on, in joules. */
static double slept_j(const struct sleep_state *states, size_t n, uint64_t until_ms,
		      uint64_t *settled, uint64_t *gap_ms)
{
	struct ledger l = {0};
	double joules;
	int r;

	*settled = sleep_account(&box, states, n, 0, until_ms, draw, &l, &r);
	assert_int_equal(r, 0);
	joules = (double)l.total.energy_uj / 1e6;
	*gap_ms = l.total.gap_ms;
	ledger_free(&l);
	return joules;
}

static void a_sleep_draws_what_the_profile_says(void **state)
{
	static const struct sleep_state slow[] = {{0, NODE_UP},
						  {1000, NODE_SLEEPING},
						  {3000, NODE_ASLEEP},
						  {13000, NODE_WAKING},
						  {20000, NODE_UP}};
	static const struct sleep_state fast[] = {{0, NODE_SLEEPING},    {1000, NODE_ASLEEP},
						  {2000, NODE_WAKING},   {4000, NODE_DRAINED},
						  {5000, NODE_SLEEPING}, {5500, NODE_ASLEEP}};
	uint64_t settled, gap_ms;

	(void)state;
	/* 2 s at 10 W, 10 s at 1 W, 100 J in 5 s, and 2 s longer at 10 W. */
	assert_true(slept_j(slow, 5, 60000, &settled, &gap_ms) == 20 + 10 + 100 + 20);
	assert_int_equal(settled, 60000);
	assert_int_equal(gap_ms, 0);
	/* 10 J, 1 J; a wake in 2 s takes its 100 J all the same; 5 J, and 600 s at 1 W. */
	assert_true(slept_j(fast, 6, 605500, &settled, &gap_ms) == 10 + 1 + 100 + 5 + 600);
	assert_int_equal(gap_ms, 1000); /* its agent was up, and is not asked here */
}

static void a_step_is_counted_when_its_outcome_is_known(void **state)
{
	static const struct sleep_state v[] = {{0, NODE_UP},
					       {1000, NODE_SLEEPING},
					       {3000, NODE_ASLEEP},
					       {13000, NODE_WAKING},
					       {20000, NODE_UP}};
	uint64_t settled, gap_ms;

	(void)state;
	assert_true(slept_j(v, 5, 2999, &settled, &gap_ms) == 0);
	assert_int_equal(settled, 1000);
	assert_true(slept_j(v, 5, 3000, &settled, &gap_ms) == 20);
	assert_int_equal(settled, 3000);
	assert_true(slept_j(v, 4, 19000, &settled, &gap_ms) == 30);
	assert_int_equal(settled, 13000);
	/* Nothing is known of a node that is asleep before its beginning is. */
	assert_true(slept_j(v + 2, 1, 2000, &settled, &gap_ms) == 0);
}

static void what_failed_is_a_gap(void **state)
{
	static const struct sleep_state v[] = {
		{0, NODE_SLEEPING},   {1000, NODE_UP},     {2000, NODE_SLEEPING},
		{3000, NODE_ASLEEP},  {4000, NODE_WAKING}, {9000, NODE_DOWN},
		{20000, NODE_WAKING}, {25000, NODE_UP},    {26000, NODE_UNKNOWN}};
	uint64_t settled, gap_ms;

	(void)state;
	/* It stayed on; 10 J and 1 J; it did not wake; it woke at last for 100 J. */
	assert_true(slept_j(v, 9, 60000, &settled, &gap_ms) == 10 + 1 + 100);
	assert_int_equal(gap_ms, 16000);
	assert_int_equal(settled, 60000);
}

static void a_node_whose_profile_knows_no_sleep_has_none(void **state)
{
	struct node n = {.idle_w = 10};
	struct sleep_power p;

	(void)state;
	assert_false(sleep_power_of(&n, &p));
	n.sleep_w = 2;
	assert_true(sleep_power_of(&n, &p));
	assert_true(p.idle_w == 10 && p.sleep_w == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_idle_and_system_are_the_node_over_any_history),
		cmocka_unit_test(an_interval_that_does_not_add_up_is_told),
		cmocka_unit_test(sums_that_overflow_do_not_balance_by_accident),
		cmocka_unit_test(mixed_kinds_are_flagged),
		cmocka_unit_test(meters_whose_scopes_overlap_are_not_added),
		cmocka_unit_test(the_widest_meter_that_is_there_is_the_node),
		cmocka_unit_test(idle_energy_is_shown_kept_apart_and_attributed),
		cmocka_unit_test(time_between_readings_and_what_a_range_cuts_off_is_told),
		cmocka_unit_test(a_series_has_gaps_where_nobody_read),
		cmocka_unit_test(a_jobs_energy_is_charged_to_where_it_ran),
		cmocka_unit_test(a_sleep_draws_what_the_profile_says),
		cmocka_unit_test(a_step_is_counted_when_its_outcome_is_known),
		cmocka_unit_test(what_failed_is_a_gap),
		cmocka_unit_test(a_node_whose_profile_knows_no_sleep_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
