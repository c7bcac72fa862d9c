/* Energy sums: nothing is lost or counted twice, and labels are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/ledger/ledger.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_idle_and_system_are_the_node_over_any_history),
		cmocka_unit_test(an_interval_that_does_not_add_up_is_told),
		cmocka_unit_test(sums_that_overflow_do_not_balance_by_accident),
		cmocka_unit_test(mixed_kinds_are_flagged),
		cmocka_unit_test(meters_whose_scopes_overlap_are_not_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
