/* What each policy decides, on clusters made through the core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/core/internal.h"
#include "scheduler/policy/machine_set.h"

struct fixture {
	struct cluster *c;
	struct node *arm, *x86;
	struct policy_options opt;
	struct effects fx;
	uint64_t now;
};

static struct node *introduce(struct fixture *f, const char *name, struct node intro)
{
	struct node *n = NULL;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", name);
	(void)snprintf(intro.instance, sizeof(intro.instance), "i");
	assert_int_equal(core_introduce(f->c, f->now, &intro, &n, &f->fx), 0);
	return n;
}

/* arm-1: 2 cpus, idles at 33 W, emulated, a third as fast; x86-1: 4 cpus, 50 W. */
static void init(struct fixture *f, const struct policy *p)
{
	memset(f, 0, sizeof(*f));
	f->now = 1000000;
	f->opt = policy_options_default;
	f->opt.cooldown_ms = 0;
	f->opt.settle_ms = 2000;
	f->opt.max_in_flight = 8;
	f->c = cluster_new(&core_options_default);
	core_set_policy(f->c, p, &f->opt);
	f->arm = introduce(f, "arm-1",
			   (struct node){.isa = ISA_AARCH64,
					 .emulated = true,
					 .cpus = 2,
					 .idle_w = 33,
					 .core_w = 4,
					 .speed = 0.5});
	f->x86 = introduce(
		f, "x86-1",
		(struct node){
			.isa = ISA_X86_64, .cpus = 4, .idle_w = 50, .core_w = 10, .speed = 1});
}

static void end(struct fixture *f)
{
	assert_null(cluster_check(f->c));
	assert_false(f->fx.failed);
	effects_free(&f->fx);
	cluster_free(f->c);
}

static struct job *submit(struct fixture *f, uint32_t isas)
{
	struct job_spec spec = {.cpus = 1, .isas = isas};
	struct job *j;

	assert_int_equal(core_submit(f->c, f->now, &spec, &j, &f->fx), 0);
	return j;
}

static void schedule(struct fixture *f)
{
	f->c->schedule = true;
	core_schedule(f->c, f->now, &f->fx);
	if (cluster_check(f->c))
		fail_msg("%s", cluster_check(f->c));
}

/* A job that runs on n, as if placed there. */
static struct job *running(struct fixture *f, struct node *n)
{
	struct job *j = submit(f, 3);

	job_place(f->c, f->now, j, n, "test", &f->fx);
	j->confirmed = true;
	return j;
}

static void balance_spreads_new_jobs(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, &policy_balance);
	for (int i = 0; i < 6; i++)
		(void)submit(&f, 3);
	schedule(&f);
	assert_int_equal(f.arm->used_cpus, 2);
	assert_int_equal(f.x86->used_cpus, 4);
	assert_ptr_equal(cluster_job(f.c, 1)->node, f.x86); /* a tie goes to the native node */
	end(&f);
}

static void balance_moves_a_job_to_the_idle_side(void **state)
{
	struct fixture f;
	struct job *a, *b;

	(void)state;
	init(&f, &policy_balance);
	f.c->policy_opt.require_saving = false;
	a = running(&f, f.arm);
	b = running(&f, f.arm);
	schedule(&f);
	assert_int_equal(f.c->nactive, 1);
	assert_non_null(
		strstr((a->migration ? a : b)->migration->reason, "arm-1 has 2 cpus in use"));
	end(&f);
}

static void balance_lets_small_differences_and_unsettled_jobs_be(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, &policy_balance);
	f.c->policy_opt.require_saving = false;
	running(&f, f.arm)->confirmed = false;
	running(&f, f.arm)->confirmed = false;
	schedule(&f);
	assert_int_equal(f.c->nactive, 0);
	end(&f);
	init(&f, &policy_balance);
	f.c->policy_opt.require_saving = false;
	(void)running(&f, f.arm);
	(void)running(&f, f.x86);
	(void)running(&f, f.x86);
	schedule(&f);
	assert_int_equal(f.c->nactive, 0);
	end(&f);
}

/* Teaches what the jobs of this test take: one second at speed 1, at these watts on each ISA. */
static void teach(struct job *j, double seconds, double x86_w, double arm_w)
{
	j->program->of[ISA_X86_64][0] =
		(struct belief){.runs = 9, .work_s = seconds, .watts = x86_w, .watt_runs = 9};
	j->program->of[ISA_AARCH64][1] =
		(struct belief){.runs = 9, .work_s = seconds, .watts = arm_w, .watt_runs = 9};
}

static void a_move_that_saves_no_energy_is_not_made(void **state)
{
	struct fixture f;
	struct job *a;

	(void)state;
	init(&f, &policy_balance);
	a = running(&f, f.x86);
	teach(a, 100, 5, 30); /* half as fast, and draws more: never worth it */
	(void)running(&f, f.x86);
	schedule(&f);
	assert_int_equal(f.c->nactive, 0);
	teach(a, 100, 30, 5);
	schedule(&f);
	assert_int_equal(f.c->nactive, 1);
	assert_true(a->migration ? a->migration->predicted_j > 0 : true);
	end(&f);
}

static void unbalance_gives_faster_nodes_more(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, &policy_unbalance);
	for (int i = 0; i < 3; i++)
		(void)submit(&f, 3);
	schedule(&f);
	assert_int_equal(f.x86->used_cpus, 2);
	assert_int_equal(f.arm->used_cpus, 1);
	end(&f);
	init(&f, &policy_static_unbalanced);
	f.c->policy_opt.bias = 4;
	for (int i = 0; i < 4; i++)
		(void)submit(&f, 3);
	schedule(&f);
	assert_int_equal(f.x86->used_cpus, 4);
	end(&f);
}

static void static_x86_leaves_the_other_isa_alone(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, &policy_static_x86);
	for (int i = 0; i < 5; i++)
		(void)submit(&f, 3);
	schedule(&f);
	assert_int_equal(f.x86->used_cpus, 4);
	assert_int_equal(f.arm->used_cpus, 0);
	assert_int_equal(cluster_job(f.c, 5)->why, WHY_RESOURCES);
	end(&f);
}

static void consolidate_starts_on_the_node_that_idles_cheapest(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, &policy_consolidate);
	assert_ptr_equal((submit(&f, 3), schedule(&f), cluster_job(f.c, 1)->node), f.arm);
	end(&f);
}

static void consolidate_uses_one_larger_node_for_a_burst_and_moves_there(void **state)
{
	struct fixture f;
	struct job *j;

	(void)state;
	init(&f, &policy_consolidate);
	j = running(&f, f.arm);
	(void)submit(&f, 3);
	(void)submit(&f, 3);
	f.c->low_since_ms = 1; /* outside of the set for long */
	schedule(&f);
	assert_ptr_equal(cluster_job(f.c, 2)->node, f.x86);
	assert_ptr_equal(cluster_job(f.c, 3)->node, f.x86);
	assert_non_null(j->migration);
	assert_ptr_equal(j->migration->to, f.x86);
	assert_true(j->migration->predicted_j > 0);
	end(&f);
}

static void consolidate_comes_back_when_the_burst_is_over_and_settled(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, &policy_consolidate);
	teach(running(&f, f.x86), 1000, 20, 4);
	(void)running(&f, f.x86);
	schedule(&f);
	assert_int_equal(f.c->nactive, 0);
	assert_int_equal(f.c->low_since_ms, f.now);
	f.now += f.opt.settle_ms;
	schedule(&f);
	assert_int_equal(f.c->nactive, 2);
	assert_int_equal(f.arm->used_cpus, 2);
	end(&f);
}

static void energy_takes_the_machine_with_the_least_joules_within_the_bound(void **state)
{
	struct fixture f;
	struct job *j;

	(void)state;
	init(&f, &policy_energy);
	f.x86->sleep_w = 0;
	j = submit(&f, 3);
	teach(j, 100, 60, 4); /* x86: 100 s x (60 + 50) W; arm: 200 s x (4 + 33) W */
	schedule(&f);
	assert_ptr_equal(j->node, f.arm);
	end(&f);
	init(&f, &policy_energy);
	f.c->policy_opt.max_slowdown = 1.5;
	j = submit(&f, 3);
	teach(j, 100, 60, 4);
	schedule(&f);
	assert_ptr_equal(j->node, f.x86);
	end(&f);
}

static void every_policy_keeps_to_isas_room_and_drains(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; policies[i]; i++) {
		init(&f, policies[i]);
		(void)submit(&f, 1u << ISA_X86_64);
		(void)submit(&f, 1u << ISA_AARCH64);
		schedule(&f);
		assert_ptr_equal(cluster_job(f.c, 1)->node, f.x86);
		assert_ptr_equal(cluster_job(f.c, 2)->node, f.arm);
		assert_int_equal(
			core_node_action(f.c, f.now, f.x86, ACTION_CORDON, "test", &f.fx, NULL), 0);
		for (int k = 0; k < 5; k++)
			(void)submit(&f, 3);
		schedule(&f);
		assert_int_equal(f.x86->used_cpus, 1);
		assert_true(f.arm->used_cpus <= 2);
		end(&f);
	}
}

static void static_policies_never_move(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; policies[i]; i++) {
		if (policies[i]->moves)
			continue;
		init(&f, policies[i]);
		f.c->policy_opt.require_saving = false;
		(void)running(&f, f.arm);
		(void)running(&f, f.arm);
		schedule(&f);
		assert_int_equal(f.c->nactive, 0);
		end(&f);
	}
}

static void no_policy_has_more_moves_in_flight_than_may_be(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; policies[i]; i++) {
		init(&f, policies[i]);
		f.c->policy_opt.max_in_flight = 1;
		f.c->policy_opt.require_saving = false;
		f.c->low_since_ms = 1;
		for (int k = 0; k < 4; k++)
			(void)running(&f, f.x86);
		schedule(&f);
		assert_true(f.c->nactive <= 1);
		schedule(&f);
		assert_true(f.c->nactive <= 1);
		end(&f);
	}
}

static void a_set_of_machines_is_the_fewest_nodes_that_hold_the_demand(void **state)
{
	struct machine_set s;
	struct fixture f;

	(void)state;
	init(&f, &policy_consolidate);
	(void)introduce(
		&f, "x86-2",
		(struct node){
			.isa = ISA_X86_64, .cpus = 4, .idle_w = 50, .core_w = 10, .speed = 1});
	machine_set_choose(&s, f.c, 0);
	assert_int_equal(s.nodes, 1);
	assert_ptr_equal(s.by_power[0], f.arm->machine);
	assert_int_equal(s.count[0], 1);
	machine_set_choose(&s, f.c, 3);
	assert_int_equal(s.nodes, 1);
	assert_int_equal(s.count[0], 0);
	assert_int_equal(s.count[1], 1);
	machine_set_choose(&s, f.c, 6);
	assert_int_equal(s.nodes, 2);
	assert_int_equal(s.count[0], 1);
	assert_int_equal(s.count[1], 1);
	machine_set_choose(&s, f.c, 7);
	assert_int_equal(s.count[1], 2);
	machine_set_choose(&s, f.c, 100);
	assert_int_equal(s.nodes, 3);
	end(&f);
}

static void every_option_is_read_as_it_was_written(void **state)
{
	struct policy_options o = policy_options_default;

	(void)state;
	for (const struct policy_option *d = policy_options_table; d->name; d++) {
		policy_option_set(d, &o, 1);
		assert_true(policy_option_get(d, &o) > 0.99 && policy_option_get(d, &o) < 1.01);
	}
	for (size_t i = 0; policies[i]; i++)
		for (const char *const *p = policies[i]->options; *p; p++) {
			const struct policy_option *d = policy_options_table;

			while (d->name && strcmp(d->name, *p))
				d++;
			if (!d->name)
				fail_msg("%s: option %s is not in the table", policies[i]->name,
					 *p);
		}
	assert_ptr_equal(policy_find("static"), &policy_static_balanced);
	assert_null(policy_find("nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balance_spreads_new_jobs),
		cmocka_unit_test(balance_moves_a_job_to_the_idle_side),
		cmocka_unit_test(balance_lets_small_differences_and_unsettled_jobs_be),
		cmocka_unit_test(a_move_that_saves_no_energy_is_not_made),
		cmocka_unit_test(unbalance_gives_faster_nodes_more),
		cmocka_unit_test(static_x86_leaves_the_other_isa_alone),
		cmocka_unit_test(consolidate_starts_on_the_node_that_idles_cheapest),
		cmocka_unit_test(consolidate_uses_one_larger_node_for_a_burst_and_moves_there),
		cmocka_unit_test(consolidate_comes_back_when_the_burst_is_over_and_settled),
		cmocka_unit_test(energy_takes_the_machine_with_the_least_joules_within_the_bound),
		cmocka_unit_test(every_policy_keeps_to_isas_room_and_drains),
		cmocka_unit_test(static_policies_never_move),
		cmocka_unit_test(no_policy_has_more_moves_in_flight_than_may_be),
		cmocka_unit_test(a_set_of_machines_is_the_fewest_nodes_that_hold_the_demand),
		cmocka_unit_test(every_option_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
