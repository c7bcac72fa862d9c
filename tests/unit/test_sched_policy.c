/* What each policy decides for a given view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/policy/policy.h"

enum { ARM, X86, NNODES };

struct fixture {
	struct policy_options opt;
	struct view_node nodes[NNODES];
	struct view_job pending[16], running[16];
	struct decision decisions[64];
	struct policy_view v;
	uint64_t low_since;
};

/* arm-1: 2 cpus, idles at 33 W, emulated; x86-1: 4 cpus, 50 W. */
static void init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->opt = policy_options_default;
	f->nodes[ARM] = (struct view_node){.name = "arm-1",
					   .isa = ISA_AARCH64,
					   .emulated = true,
					   .cpus = 2,
					   .idle_w = 33,
					   .core_w = 4,
					   .usable = true};
	f->nodes[X86] = (struct view_node){.name = "x86-1",
					   .isa = ISA_X86_64,
					   .cpus = 4,
					   .idle_w = 50,
					   .core_w = 10,
					   .usable = true};
	f->v = (struct policy_view){.now_ms = 1000000,
				    .opt = &f->opt,
				    .nodes = f->nodes,
				    .nnodes = NNODES,
				    .pending = f->pending,
				    .running = f->running,
				    .moves_left = 2,
				    .low_since_ms = &f->low_since,
				    .decisions = f->decisions};
}

static void pending(struct fixture *f, uint32_t isas)
{
	f->pending[f->v.npending++] =
		(struct view_job){.cpus = 1, .isas = isas, .node = VIEW_NOWHERE};
}

static void running(struct fixture *f, uint32_t node, bool movable)
{
	f->running[f->v.nrunning++] =
		(struct view_job){.cpus = 1, .isas = 3, .node = node, .movable = movable};
	f->nodes[node].used++;
}

static void balance_spreads_new_jobs(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	for (int i = 0; i < 6; i++)
		pending(&f, 3);
	policy_balance.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 6);
	assert_int_equal(f.nodes[ARM].used, 2);
	assert_int_equal(f.nodes[X86].used, 4);
	assert_int_equal(f.decisions[0].node, X86); /* a tie goes to the native node */
}

static void balance_moves_a_job_to_the_idle_side(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	running(&f, ARM, true);
	running(&f, ARM, true);
	policy_balance.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 1);
	assert_int_equal(f.decisions[0].node, X86);
	assert_non_null(strstr(f.decisions[0].reason, "100 %"));
}

static void balance_lets_small_differences_and_unsettled_jobs_be(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	running(&f, ARM, false);
	running(&f, ARM, false);
	policy_balance.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 0);
	init(&f);
	running(&f, ARM, true);
	running(&f, X86, true);
	running(&f, X86, true);
	policy_balance.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 0);
}

static void consolidate_starts_on_the_node_that_idles_cheapest(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	pending(&f, 3);
	policy_consolidate.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 1);
	assert_int_equal(f.decisions[0].node, ARM);
}

static void consolidate_uses_one_larger_node_for_a_burst_and_moves_there(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	running(&f, ARM, true);
	pending(&f, 3);
	pending(&f, 3);
	f.low_since = 1; /* outside of the set for long */
	policy_consolidate.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 3);
	assert_int_equal(f.nodes[X86].used, 3);
	assert_int_equal(f.nodes[ARM].used, 0);
	assert_true(f.decisions[2].predicted_j > 0);
}

static void consolidate_comes_back_when_the_burst_is_over_and_settled(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	running(&f, X86, true);
	running(&f, X86, true);
	policy_consolidate.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 0);
	assert_int_equal(f.low_since, f.v.now_ms);
	f.v.now_ms += f.opt.settle_ms;
	policy_consolidate.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 2);
	assert_int_equal(f.nodes[ARM].used, 2);
	assert_non_null(strstr(f.decisions[0].reason, "x86-1"));
}

static void a_job_bound_to_one_isa_gets_it_whatever_the_policy(void **state)
{
	static const struct policy *const all[] = {&policy_balance, &policy_consolidate,
						   &policy_static};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		init(&f);
		pending(&f, 1u << ISA_X86_64);
		pending(&f, 1u << ISA_AARCH64);
		all[i]->decide(&f.v);
		assert_int_equal(f.v.ndecisions, 2);
		assert_int_equal(f.decisions[0].node, X86);
		assert_int_equal(f.decisions[1].node, ARM);
	}
}

static void no_policy_uses_a_node_that_is_not_up_or_full(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; policies[i]; i++) {
		init(&f);
		f.nodes[X86].usable = false;
		running(&f, X86, true);
		pending(&f, 3);
		pending(&f, 3);
		pending(&f, 3);
		policies[i]->decide(&f.v);
		for (uint32_t k = 0; k < f.v.ndecisions; k++)
			assert_int_equal(f.decisions[k].node, ARM);
		assert_true(f.nodes[ARM].used <= f.nodes[ARM].cpus);
	}
}

static void static_never_moves(void **state)
{
	struct fixture f;

	(void)state;
	init(&f);
	running(&f, ARM, true);
	running(&f, ARM, true);
	policy_static.decide(&f.v);
	assert_int_equal(f.v.ndecisions, 0);
}

static void no_policy_starts_more_moves_than_are_left(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; policies[i]; i++) {
		init(&f);
		f.v.moves_left = 1;
		f.low_since = 1;
		f.nodes[ARM].cpus = 4;
		for (int k = 0; k < 4; k++)
			running(&f, X86, true);
		policies[i]->decide(&f.v);
		assert_true(f.v.ndecisions <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balance_spreads_new_jobs),
		cmocka_unit_test(balance_moves_a_job_to_the_idle_side),
		cmocka_unit_test(balance_lets_small_differences_and_unsettled_jobs_be),
		cmocka_unit_test(consolidate_starts_on_the_node_that_idles_cheapest),
		cmocka_unit_test(consolidate_uses_one_larger_node_for_a_burst_and_moves_there),
		cmocka_unit_test(consolidate_comes_back_when_the_burst_is_over_and_settled),
		cmocka_unit_test(a_job_bound_to_one_isa_gets_it_whatever_the_policy),
		cmocka_unit_test(no_policy_uses_a_node_that_is_not_up_or_full),
		cmocka_unit_test(static_never_moves),
		cmocka_unit_test(no_policy_starts_more_moves_than_are_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
