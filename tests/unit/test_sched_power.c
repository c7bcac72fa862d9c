/* Nodes that sleep, wake and drain; the power cap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "scheduler/core/internal.h"
#include "scheduler/policy/policy.h"

struct fixture {
	struct cluster *c;
	struct node *x86, *arm;
	struct effects fx;
	uint64_t now;
	struct node *suspended, *resumed; /* whose hook was asked for last */
};

static void done(struct fixture *f)
{
	if (cluster_check(f->c))
		fail_msg("%s", cluster_check(f->c));
	assert_false(f->fx.failed);
	for (size_t i = 0; i < f->fx.n; i++) {
		if (f->fx.v[i].kind == FX_SUSPEND)
			f->suspended = f->fx.v[i].node;
		if (f->fx.v[i].kind == FX_RESUME)
			f->resumed = f->fx.v[i].node;
	}
	effects_free(&f->fx);
	cluster_reap(f->c);
}

static struct node *introduce(struct fixture *f, const char *name, enum isa isa)
{
	struct node intro = {.isa = isa,
			     .cpus = 4,
			     .idle_w = 40,
			     .core_w = isa == ISA_X86_64 ? 15 : 4,
			     .sleep_capable = true,
			     .sleep_w = 6,
			     .sleep_s = 5,
			     .wake_s = 10,
			     .wake_j = 850,
			     .runs = strdup("long:1000 short:60 ")},
		    *n = NULL;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", name);
	(void)snprintf(intro.instance, sizeof(intro.instance), "i%u", (unsigned int)f->now);
	assert_int_equal(core_introduce(f->c, f->now, &intro, &n, &f->fx), 0);
	done(f);
	return n;
}

static int setup(void **state)
{
	struct core_options opt = core_options_default;
	struct fixture *f = calloc(1, sizeof(*f));

	opt.node_unknown_ms = opt.node_down_ms = UINT64_MAX / 4;
	opt.can_sleep = true;
	f->now = 1000000;
	f->c = cluster_new(&opt);
	core_set_policy(f->c, &policy_consolidate, &policy_options_default);
	f->x86 = introduce(f, "x86-1", ISA_X86_64);
	f->arm = introduce(f, "arm-1", ISA_AARCH64);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cluster_free(f->c);
	free(f);
	return 0;
}

static void pass(struct fixture *f, uint64_t ms)
{
	f->now += ms;
	core_tick(f->c, f->now, &f->fx);
	core_schedule(f->c, f->now, &f->fx);
	done(f);
}

static struct job *submit(struct fixture *f, uint32_t isas, uint32_t cpus)
{
	struct job_spec spec = {.cpus = cpus, .isas = isas, .max_restarts = 1};
	struct job *j;

	assert_int_equal(core_submit(f->c, f->now, &spec, &j, &f->fx), 0);
	done(f);
	return j;
}

static void hook(struct fixture *f, struct node *n, bool resume, bool ok)
{
	core_power_done(f->c, f->now, n, resume, ok, "test says so", &f->fx);
	done(f);
}

static void fall_asleep(struct fixture *f)
{
	pass(f, 30000); /* 5 s + 850 J / (40 - 6) W */
	hook(f, f->x86, false, true);
	hook(f, f->arm, false, true);
	assert_int_equal(f->x86->state, NODE_ASLEEP);
}

static void an_idle_node_sleeps_only_past_its_break_even_time(void **state)
{
	struct fixture *f = *state;

	assert_true(core_break_even_s(f->x86->machine) > 29.99 &&
		    core_break_even_s(f->x86->machine) < 30.01);
	pass(f, 0);
	assert_int_equal(core_next_ms(f->c), f->now + 30000);
	pass(f, 29999);
	assert_null(f->suspended);
	assert_int_equal(f->x86->state, NODE_UP);
	pass(f, 1);
	assert_non_null(f->suspended);
	assert_int_equal(f->x86->state, NODE_SLEEPING);
	assert_non_null(strstr(f->x86->state_reason, "idle for 30 s"));
	hook(f, f->x86, false, true);
	assert_int_equal(f->x86->state, NODE_ASLEEP);
	assert_int_equal(f->x86->mw, 6000);
}

static void policies_that_do_not_sleep_leave_nodes_awake(void **state)
{
	struct fixture *f = *state;

	core_set_policy(f->c, &policy_balance, &policy_options_default);
	pass(f, 10000000);
	assert_null(f->suspended);
}

static void as_many_nodes_as_wanted_stay_awake(void **state)
{
	struct fixture *f = *state;

	f->c->policy_opt.min_awake = 1;
	pass(f, 100000);
	pass(f, 100000);
	assert_true((f->x86->state == NODE_UP) != (f->arm->state == NODE_UP));
}

static void a_job_wakes_a_node_and_starts_when_its_agent_is_ready(void **state)
{
	struct fixture *f = *state;
	struct job *j;

	fall_asleep(f);
	j = submit(f, 1, 1);
	pass(f, 60000);
	assert_ptr_equal(f->resumed, f->x86);
	assert_int_equal(f->x86->state, NODE_WAKING);
	assert_int_equal(j->why, WHY_WAKING);
	assert_null(j->node);
	hook(f, f->x86, true, true); /* the program ended; the agent isn't there yet */
	pass(f, 0);
	assert_null(j->node);
	f->resumed = NULL;
	(void)introduce(f, "x86-1", ISA_X86_64);
	assert_int_equal(f->x86->state, NODE_UP);
	pass(f, 0);
	assert_ptr_equal(j->node, f->x86);
	assert_null(f->resumed);
}

static void as_many_nodes_wake_as_the_waiting_jobs_fill(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	for (int i = 0; i < 4; i++)
		(void)submit(f, 3, 1);
	pass(f, 0);
	assert_int_equal((f->x86->state == NODE_WAKING) + (f->arm->state == NODE_WAKING), 1);
	(void)submit(f, 3, 1);
	pass(f, 0);
	assert_int_equal(f->x86->state, NODE_WAKING);
	assert_int_equal(f->arm->state, NODE_WAKING);
}

static void a_node_that_does_not_wake_is_down_and_its_jobs_go_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct job *j;
	struct node *first;

	fall_asleep(f);
	j = submit(f, 3, 1);
	pass(f, 0);
	first = f->resumed;
	pass(f, f->c->opt.wake_ms);
	assert_int_equal(first->state, NODE_DOWN);
	assert_non_null(strstr(first->state_reason, "did not wake"));
	assert_ptr_not_equal(f->resumed, first); /* the other one is woken now */
	(void)introduce(f, f->resumed->name, f->resumed->isa);
	pass(f, 0);
	assert_ptr_equal(j->node, f->resumed);
}

static void a_failed_hook_is_told_and_not_tried_at_once_again(void **state)
{
	struct fixture *f = *state;

	pass(f, 30000);
	assert_non_null(f->suspended);
	hook(f, f->x86, false, false);
	assert_int_equal(f->x86->state, NODE_UP);
	assert_non_null(strstr(f->x86->state_reason, "test says so"));
	f->suspended = NULL;
	pass(f, 60000);
	assert_null(f->suspended);
	submit(f, 1, 1);
	pass(f, 0);
	hook(f, f->arm, false, true);
	assert_int_equal(core_node_action(f->c, f->now, f->arm, ACTION_WAKE, "", &f->fx, NULL), 0);
	done(f);
	hook(f, f->arm, true, false);
	assert_int_equal(f->arm->state, NODE_DOWN);
}

static void a_sleeping_node_that_others_wake_is_used(void **state)
{
	struct fixture *f = *state;

	fall_asleep(f);
	f->now += 10000;
	(void)introduce(f, "arm-1", ISA_AARCH64);
	assert_int_equal(f->arm->state, NODE_UP);
	assert_non_null(strstr(f->arm->state_reason, "others"));
}

static void hooks_under_way_run_again_after_a_restart(void **state)
{
	struct fixture *f = *state;

	pass(f, 30000);
	f->suspended = NULL;
	core_power_again(f->c, f->now, &f->fx);
	done(f);
	assert_non_null(f->suspended);
}

/* On x86-1 at 15 W above idle, confirmed and cooled down; on arm-1 it would be 4 W. */
static struct job *running(struct fixture *f, const char *name)
{
	struct job_spec spec = {.cpus = 1, .isas = 3};
	struct job *j;

	(void)snprintf(spec.name, sizeof(spec.name), "%s", name);
	assert_int_equal(core_submit(f->c, f->now, &spec, &j, &f->fx), 0);
	pass(f, 0);
	assert_ptr_equal(j->node, f->x86);
	j->confirmed = true;
	f->resumed = NULL;
	pass(f, policy_options_default.cooldown_ms);
	return j;
}

static void arm_sleeps(struct fixture *f, const struct policy *p)
{
	core_set_policy(f->c, p, &policy_options_default);
	assert_int_equal(core_node_action(f->c, f->now, f->arm, ACTION_SLEEP, "test", &f->fx, NULL),
			 0);
	done(f);
	hook(f, f->arm, false, true);
	assert_int_equal(f->arm->state, NODE_ASLEEP);
}

static void a_node_is_woken_for_running_jobs_that_save_more_than_its_wake(void **state)
{
	static const struct policy *const by[] = {&policy_energy, &policy_consolidate};
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct job *j;

		arm_sleeps(f, by[i]);
		j = running(f, "long");
		/* (1000 - 8 - 10) s * 11 W are more than 850 J. First it wakes, */
		assert_ptr_equal(f->resumed, f->arm);
		assert_non_null(strstr(f->arm->state_reason, "the wake included"));
		assert_int_equal(f->c->nactive, 0);
		assert_ptr_equal(j->node, f->x86);
		hook(f, f->arm, true, true);
		assert_int_equal(f->c->nactive, 0);
		/* then, when its agent is ready, they go. */
		(void)introduce(f, "arm-1", ISA_AARCH64);
		pass(f, 0);
		pass(f, policy_options_default.settle_ms);
		assert_int_equal(f->c->nactive, 1);
		assert_ptr_equal(j->migration->to, f->arm);
		job_end(f->c, f->now, j, JOB_CANCELLED, "test", &f->fx);
		done(f);

		/* Not again so soon. */
		arm_sleeps(f, by[i]);
		j = running(f, "long");
		assert_null(f->resumed);
		pass(f, 600000);
		assert_null(f->resumed); /* nothing has happened that asks for another look: */
		job_end(f->c, f->now, j, JOB_CANCELLED, "test", &f->fx);
		done(f);
		j = running(f, "long");
		assert_ptr_equal(f->resumed, f->arm);
		job_end(f->c, f->now, j, JOB_CANCELLED, "test", &f->fx);
		done(f);
		hook(f, f->arm, true, true);
		(void)introduce(f, "arm-1", ISA_AARCH64);
		f->now += 600000;
	}
}

static void a_node_sleeps_on_when_running_jobs_save_less_than_its_wake(void **state)
{
	struct fixture *f = *state;
	struct job *j;

	arm_sleeps(f, &policy_energy);
	j = running(f, "short"); /* 52 s * 11 W are less than 850 J */
	assert_null(f->resumed);
	job_end(f->c, f->now, j, JOB_CANCELLED, "test", &f->fx);
	done(f);
	core_set_cap(f->c, 100); /* x86-1 draws 55 W, arm-1 would draw 85 W while it wakes */
	(void)running(f, "long");
	assert_null(f->resumed);
	core_set_cap(f->c, 0);
	pass(f, 0);
	assert_ptr_equal(f->resumed, f->arm);
}

static void an_operator_may_put_only_an_empty_node_to_sleep(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	(void)submit(f, 1, 1);
	pass(f, 0);
	assert_int_equal(core_node_action(f->c, f->now, f->x86, ACTION_SLEEP, "", &f->fx, &e),
			 -EBUSY);
	assert_non_null(strstr(e.hint, "drain"));
	assert_int_equal(core_node_action(f->c, f->now, f->x86, ACTION_WAKE, "", &f->fx, &e),
			 -EBUSY);
	assert_int_equal(core_node_action(f->c, f->now, f->arm, ACTION_SLEEP, "", &f->fx, &e), 0);
	done(f);
	assert_ptr_equal(f->suspended, f->arm);
}

static void a_drained_node_is_emptied_and_takes_nothing(void **state)
{
	struct fixture *f = *state;
	struct job *j = submit(f, 3, 1);

	pass(f, 0);
	j->confirmed = true;
	assert_int_equal(
		core_node_action(f->c, f->now, j->node, ACTION_DRAIN, "repair", &f->fx, NULL), 0);
	assert_int_equal(j->node->state, NODE_DRAINING);
	pass(f, 0);
	assert_non_null(j->migration); /* whether it saves energy or not */
	assert_non_null(strstr(j->migration->reason, "drain"));
	migration_abort(f->c, f->now, j->migration, &f->fx, "test");
	j->aborting = 0;
	done(f);
	job_end(f->c, f->now, j, JOB_COMPLETED, "completed", &f->fx);
	done(f);
	pass(f, 0);
	assert_int_equal((f->x86->state == NODE_DRAINED) + (f->arm->state == NODE_DRAINED), 1);
	assert_int_equal(core_node_action(f->c, f->now, f->x86, ACTION_RESUME, "", &f->fx, NULL),
			 0);
	assert_int_equal(core_node_action(f->c, f->now, f->arm, ACTION_RESUME, "", &f->fx, NULL),
			 0);
	done(f);
	assert_int_equal(f->x86->state, NODE_UP);
	assert_int_equal(f->arm->state, NODE_UP);
}

static void jobs_wait_rather_than_exceed_the_power_cap(void **state)
{
	struct fixture *f = *state;
	struct job *v[4];

	core_set_policy(f->c, &policy_balance, &policy_options_default);
	core_set_cap(f->c, 80 + 15 + 4 + 4 + 1); /* idle, one of x86-64, two of AArch64 */
	for (int i = 0; i < 4; i++)
		v[i] = submit(f, 3, 1);
	pass(f, 0);
	assert_true(f->c->mw <= f->c->cap_mw);
	assert_null(v[3]->node);
	assert_int_equal(v[3]->why, WHY_CAP);
	core_set_cap(f->c, 0);
	pass(f, 0);
	assert_non_null(v[3]->node);
}

static void over_a_lowered_cap_idle_nodes_sleep_and_jobs_go_where_they_draw_less(void **state)
{
	struct fixture *f = *state;
	struct job *j;

	core_set_policy(f->c, &policy_static_x86, &policy_options_default);
	j = submit(f, 3, 1);
	pass(f, 0);
	assert_ptr_equal(j->node, f->x86);
	core_set_cap(f->c, 70);
	pass(f, 0);
	assert_ptr_equal(f->suspended, f->arm); /* 80 + 15 W > 70 W */
	hook(f, f->arm, false, true);
	assert_int_equal(f->c->mw, 40000 + 15000 + 6000);
	assert_int_equal(core_node_action(f->c, f->now, f->arm, ACTION_WAKE, "", &f->fx, NULL), 0);
	done(f);
	(void)introduce(f, "arm-1", ISA_AARCH64);
	f->arm->no_sleep_ms = UINT64_MAX; /* if it can't sleep, the job moves */
	j->confirmed = true;
	pass(f, f->c->policy_opt.cooldown_ms);
	assert_non_null(j->migration);
	assert_non_null(strstr(j->migration->reason, "power cap"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_idle_node_sleeps_only_past_its_break_even_time),
		T(policies_that_do_not_sleep_leave_nodes_awake),
		T(as_many_nodes_as_wanted_stay_awake),
		T(a_job_wakes_a_node_and_starts_when_its_agent_is_ready),
		T(as_many_nodes_wake_as_the_waiting_jobs_fill),
		T(a_node_that_does_not_wake_is_down_and_its_jobs_go_elsewhere),
		T(a_failed_hook_is_told_and_not_tried_at_once_again),
		T(a_sleeping_node_that_others_wake_is_used),
		T(hooks_under_way_run_again_after_a_restart),
		T(a_node_is_woken_for_running_jobs_that_save_more_than_its_wake),
		T(a_node_sleeps_on_when_running_jobs_save_less_than_its_wake),
		T(an_operator_may_put_only_an_empty_node_to_sleep),
		T(a_drained_node_is_emptied_and_takes_nothing),
		T(jobs_wait_rather_than_exceed_the_power_cap),
		T(over_a_lowered_cap_idle_nodes_sleep_and_jobs_go_where_they_draw_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
