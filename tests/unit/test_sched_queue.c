/* Who waits, why, and who goes first: priority, backfill, arrays, dependencies, hold, begin. */
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
	struct node *node; /* x86-1: 4 cpus, 8 GiB */
	struct effects fx;
	uint64_t now;
};

static void done(struct fixture *f)
{
	if (cluster_check(f->c))
		fail_msg("%s", cluster_check(f->c));
	assert_false(f->fx.failed);
	effects_free(&f->fx);
}

static struct node *introduce(struct fixture *f, const char *name, enum isa isa, uint32_t cpus)
{
	struct node intro = {.isa = isa, .cpus = cpus, .memory_bytes = 8ull << 30}, *n = NULL;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", name);
	(void)snprintf(intro.instance, sizeof(intro.instance), "i");
	assert_int_equal(core_introduce(f->c, f->now, &intro, &n, &f->fx), 0);
	done(f);
	return n;
}

static int setup(void **state)
{
	struct core_options opt = core_options_default;
	struct fixture *f = calloc(1, sizeof(*f));

	opt.node_unknown_ms = opt.node_down_ms = UINT64_MAX / 4;
	f->now = 1000000;
	f->c = cluster_new(&opt);
	core_set_policy(f->c, &policy_static_balanced, &policy_options_default);
	f->node = introduce(f, "x86-1", ISA_X86_64, 4);
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

static struct job *submit(struct fixture *f, struct job_spec spec)
{
	struct job *j;

	spec.cpus = spec.cpus ? spec.cpus : 1;
	spec.isas = spec.isas ? spec.isas : 3;
	if (spec.dependencies) {
		struct dependency *d = calloc(spec.ndependencies, sizeof(*d));

		memcpy(d, spec.dependencies, spec.ndependencies * sizeof(*d));
		spec.dependencies = d;
	}
	assert_int_equal(core_submit(f->c, f->now, &spec, &j, &f->fx), 0);
	done(f);
	return j;
}

/* Its node says that it ended. */
static void end(struct fixture *f, struct job *j, int32_t code)
{
	struct job_report r = {.id = j->id,
			       .attempt = j->attempt,
			       .epoch = j->epoch,
			       .state = SEEN_EXITED,
			       .exit_code = code};
	struct node_report report = {.revision = j->node->revision, .jobs = &r, .njobs = 1};

	core_report(f->c, f->now, j->node, &report, &f->fx);
	done(f);
	cluster_reap(f->c);
	pass(f, 0);
}

static void higher_priority_goes_first_and_equals_by_age(void **state)
{
	struct fixture *f = *state;
	struct job *full = submit(f, (struct job_spec){.cpus = 4}), *a, *b, *c;

	pass(f, 0);
	a = submit(f, (struct job_spec){.cpus = 4});
	b = submit(f, (struct job_spec){.cpus = 4, .priority = 5});
	c = submit(f, (struct job_spec){.cpus = 4, .priority = 5});
	pass(f, 0);
	assert_int_equal(b->why, WHY_RESOURCES);
	assert_int_equal(a->why, WHY_PRIORITY);
	end(f, full, 0);
	assert_ptr_equal(b->node, f->node);
	assert_int_equal(core_set_priority(f->c, f->now, a, 6, &f->fx), 0);
	done(f);
	end(f, b, 0);
	assert_ptr_equal(a->node, f->node);
	end(f, a, 0);
	assert_ptr_equal(c->node, f->node);
}

static void a_short_job_goes_ahead_if_it_ends_before_the_first_can_start(void **state)
{
	struct fixture *f = *state;
	struct job *first, *small, *large, *lasting;

	/* Two cpus are taken for 100 s; the first needs all four. */
	small = submit(f, (struct job_spec){.cpus = 2, .time_limit_s = 100});
	pass(f, 0);
	first = submit(f, (struct job_spec){.cpus = 4, .time_limit_s = 100});
	lasting = submit(f, (struct job_spec){.cpus = 1, .time_limit_s = 200});
	large = submit(f, (struct job_spec){.cpus = 1, .time_limit_s = 50});
	pass(f, 0);
	assert_null(first->node);
	assert_int_equal(first->why, WHY_RESOURCES);
	assert_null(lasting->node); /* it would end after the first could start */
	assert_ptr_equal(large->node, f->node);
	assert_int_equal(f->c->reserved.job, first->id);
	assert_int_equal(f->c->reserved.at_ms, f->now + 100000);
	end(f, large, 0);
	end(f, small, 0);
	assert_ptr_equal(first->node, f->node);
	assert_null(lasting->node);
}

static void a_job_of_unknown_time_never_delays_the_first(void **state)
{
	struct fixture *f = *state;
	struct job *first, *other, *running = submit(f, (struct job_spec){.cpus = 3});

	pass(f, 0);
	first = submit(f, (struct job_spec){.cpus = 3});
	other = submit(f, (struct job_spec){.cpus = 1});
	pass(f, 0);
	/* One cpu will be left beside the first: another that needs no more may go ahead. */
	assert_null(first->node);
	assert_ptr_equal(other->node, f->node);
	other = submit(f, (struct job_spec){.cpus = 1});
	end(f, running, 0);
	assert_ptr_equal(first->node, f->node);
	assert_null(other->node);
}

static void jobs_of_another_isa_do_not_wait_behind_the_first(void **state)
{
	struct fixture *f = *state;
	struct node *arm = introduce(f, "arm-1", ISA_AARCH64, 2);
	struct job *j;

	(void)submit(f, (struct job_spec){.cpus = 4, .isas = 1});
	pass(f, 0);
	for (int i = 0; i < 200; i++)
		(void)submit(f, (struct job_spec){.cpus = 4, .isas = 1, .priority = 9});
	j = submit(f, (struct job_spec){.isas = 2});
	pass(f, 0);
	assert_ptr_equal(j->node, arm);
}

static void a_job_that_fits_no_node_says_so_and_blocks_nobody(void **state)
{
	struct fixture *f = *state;
	struct job *huge = submit(f, (struct job_spec){.cpus = 64, .priority = 9});
	struct job *other = submit(f, (struct job_spec){.cpus = 4});

	pass(f, 0);
	assert_int_equal(huge->why, WHY_NO_NODE);
	assert_non_null(strstr(huge->reason, "NoNode"));
	assert_ptr_equal(other->node, f->node);
}

static void memory_is_counted_like_cpus(void **state)
{
	struct fixture *f = *state;
	struct job *a = submit(f, (struct job_spec){.memory_bytes = 6ull << 30});
	struct job *b = submit(f, (struct job_spec){.memory_bytes = 3ull << 30});
	struct job *c = submit(f, (struct job_spec){.memory_bytes = 2ull << 30});

	pass(f, 0);
	assert_ptr_equal(a->node, f->node);
	assert_null(b->node);
	assert_int_equal(b->why, WHY_RESOURCES);
	assert_ptr_equal(c->node, f->node); /* leaves room for b beside it, once a ends */
	assert_int_equal(f->node->used_memory_bytes, 8ull << 30);
	end(f, a, 0);
	assert_ptr_equal(b->node, f->node);
	assert_int_equal(f->node->used_memory_bytes, 5ull << 30);
}

static void a_held_job_starts_when_released(void **state)
{
	struct fixture *f = *state;
	struct job *j = submit(f, (struct job_spec){.held = true});

	pass(f, 0);
	assert_null(j->node);
	assert_int_equal(j->why, WHY_HELD);
	assert_int_equal(core_hold(f->c, f->now, j, false, &f->fx), 0);
	pass(f, 0);
	assert_ptr_equal(j->node, f->node);
	assert_int_equal(core_hold(f->c, f->now, j, true, &f->fx), -EBUSY);
}

static void a_job_does_not_start_before_its_time(void **state)
{
	struct fixture *f = *state;
	struct job *j = submit(f, (struct job_spec){.begin_ms = f->now + 5000});

	pass(f, 4999);
	assert_null(j->node);
	assert_int_equal(j->why, WHY_BEGIN);
	assert_int_equal(core_next_ms(f->c), f->now + 1);
	pass(f, 1);
	assert_ptr_equal(j->node, f->node);
}

static void an_array_has_no_more_elements_under_way_than_its_limit(void **state)
{
	struct fixture *f = *state;
	uint64_t id = core_next_job(f->c);
	struct job *v[4];

	for (uint32_t i = 0; i < 4; i++)
		v[i] = submit(f,
			      (struct job_spec){.array = id, .array_index = i, .array_limit = 2});
	pass(f, 0);
	assert_ptr_equal(v[1]->node, f->node);
	assert_null(v[2]->node);
	assert_int_equal(v[2]->why, WHY_ARRAY);
	end(f, v[0], 0);
	assert_ptr_equal(v[2]->node, f->node);
	assert_null(v[3]->node);
	/* One that waits and is cancelled takes no place. */
	assert_int_equal(core_cancel(f->c, f->now, v[3], &f->fx), 0);
	done(f);
	cluster_reap(f->c);
	end(f, v[1], 0);
	end(f, v[2], 0);
	assert_int_equal(f->c->njobs, 0);
}

static void a_held_element_lets_the_next_one_in(void **state)
{
	struct fixture *f = *state;
	uint64_t id = core_next_job(f->c);
	struct job *v[3];

	for (uint32_t i = 0; i < 3; i++)
		v[i] = submit(f,
			      (struct job_spec){.array = id, .array_index = i, .array_limit = 1});
	assert_int_equal(core_hold(f->c, f->now, v[0], true, &f->fx), 0);
	pass(f, 0);
	assert_ptr_equal(v[1]->node, f->node);
	assert_int_equal(v[2]->why, WHY_ARRAY);
}

static struct job *after(struct fixture *f, struct job *on, enum dependency_type type)
{
	struct dependency d = {.job = on->id, .type = type};

	return submit(f, (struct job_spec){.dependencies = &d, .ndependencies = 1});
}

static void dependencies_decide_by_how_the_other_job_ended(void **state)
{
	struct fixture *f = *state;
	struct job *good = submit(f, (struct job_spec){0}), *bad = submit(f, (struct job_spec){0});
	struct job *ok = after(f, good, DEP_AFTEROK), *any = after(f, bad, DEP_AFTERANY),
		   *never = after(f, bad, DEP_AFTEROK), *later = after(f, ok, DEP_AFTEROK);

	pass(f, 0);
	assert_int_equal(ok->why, WHY_DEPENDENCY);
	assert_null(ok->node);
	end(f, good, 0);
	assert_ptr_equal(ok->node, f->node);
	assert_null(later->node);
	end(f, bad, 1);
	assert_ptr_equal(any->node, f->node);
	assert_int_equal(never->why, WHY_DEPENDENCY_NEVER);
	end(f, ok, 0);
	assert_ptr_equal(later->node, f->node);
	assert_int_equal(core_cancel(f->c, f->now, never, &f->fx), 0);
	done(f);
}

static void a_dependency_on_an_array_waits_for_all_of_it(void **state)
{
	struct fixture *f = *state;
	struct dependency ok = {.job = core_next_job(f->c), .array = true};
	struct dependency any = {.job = ok.job, .array = true, .type = DEP_AFTERANY};
	struct job *e[3], *fails, *after_ok, *after_any, *self;
	uint64_t id = ok.job;
	bool failed;

	for (uint32_t i = 0; i < 3; i++)
		e[i] = submit(f, (struct job_spec){.array = id, .array_index = i});
	after_ok = submit(f, (struct job_spec){.dependencies = &ok, .ndependencies = 1});
	after_any = submit(f, (struct job_spec){.dependencies = &any, .ndependencies = 1});
	pass(f, 0);
	end(f, e[0], 0);
	end(f, e[2], 0);
	assert_int_equal(after_ok->why, WHY_DEPENDENCY);
	assert_true(cluster_array(f->c, id, &failed) && !failed);
	end(f, e[1], 0);
	assert_false(cluster_array(f->c, id, &failed));
	assert_ptr_equal(after_ok->node, f->node);
	assert_ptr_equal(after_any->node, f->node);
	end(f, after_ok, 0);
	end(f, after_any, 0);

	/* One that fails is enough for never; after any still waits for the rest. */
	id = ok.job = any.job = core_next_job(f->c);
	e[0] = submit(f, (struct job_spec){.array = id});
	fails = submit(f, (struct job_spec){.array = id, .array_index = 1});
	after_ok = submit(f, (struct job_spec){.dependencies = &ok, .ndependencies = 1});
	after_any = submit(f, (struct job_spec){.dependencies = &any, .ndependencies = 1});
	pass(f, 0);
	end(f, fails, 1);
	assert_int_equal(after_ok->why, WHY_DEPENDENCY_NEVER);
	assert_int_equal(after_any->why, WHY_DEPENDENCY);
	assert_true(cluster_array(f->c, id, &failed) && failed);
	self = submit(f, (struct job_spec){.array = id, .dependencies = &ok, .ndependencies = 1});
	assert_int_equal(self->why, WHY_DEPENDENCY_NEVER); /* it can't wait for itself */
	assert_int_equal(core_cancel(f->c, f->now, self, &f->fx), 0);
	done(f);
	end(f, e[0], 0);
	assert_ptr_equal(after_any->node, f->node);
}

static void a_cancelled_waiter_is_forgotten_by_what_it_waited_for(void **state)
{
	struct fixture *f = *state;
	struct job *a = submit(f, (struct job_spec){0}), *b = after(f, a, DEP_AFTEROK);

	pass(f, 0);
	assert_int_equal(core_cancel(f->c, f->now, b, &f->fx), 0);
	done(f);
	cluster_reap(f->c);
	end(f, a, 0);
	assert_int_equal(f->c->njobs, 0);
}

static void dependencies_are_written_and_read_alike(void **state)
{
	static const char *const bad[] = {"afterok",
					  "afterok:0",
					  "afterok:-1",
					  "afternot:1",
					  "afterok:1,",
					  "afterok:1 after",
					  "afterok:99999999999999999999"};
	struct job_spec spec = {0};
	char *text;

	(void)state;
	assert_int_equal(dependencies_parse("afterok:12,afterany:13[]=met,afterok:5=never", &spec),
			 0);
	assert_int_equal(spec.ndependencies, 3);
	assert_int_equal(spec.dependencies[1].state, DEP_MET);
	text = dependencies_format(&spec);
	assert_string_equal(text, "afterok:12,afterany:13[]=met,afterok:5=never");
	free(text);
	job_spec_free(&spec);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(dependencies_parse(bad[i], &spec), -EINVAL);
		assert_null(spec.dependencies);
	}
}

static void a_requeued_job_starts_again_from_the_beginning(void **state)
{
	struct fixture *f = *state;
	struct job *j = submit(f, (struct job_spec){0});
	struct err e = ERR_INIT;

	assert_int_equal(core_requeue(f->c, f->now, j, &f->fx, &e), -EBUSY);
	pass(f, 0);
	assert_int_equal(core_requeue(f->c, f->now, j, &f->fx, &e), 0);
	done(f);
	assert_int_equal(j->state, JOB_PENDING);
	assert_int_equal(j->restarts, 0);
	pass(f, 0);
	assert_int_equal(j->attempt, 2);
}

static void a_job_that_must_not_be_requeued_fails_with_its_node(void **state)
{
	struct fixture *f = *state;
	struct job *j = submit(f, (struct job_spec){.max_restarts = 3, .no_requeue = true});

	pass(f, 0);
	job_attempt_lost(f->c, f->now, j, "test", &f->fx);
	done(f);
	assert_int_equal(j->state, JOB_NODE_FAIL);
	assert_non_null(strstr(j->reason, "not to be requeued"));
}

static void the_core_learns_times_and_foretells_the_end(void **state)
{
	struct fixture *f = *state;
	struct job *j;

	for (int i = 0; i < 3; i++) {
		j = submit(f, (struct job_spec){.name = "same"});
		pass(f, 0);
		f->now += 30000;
		end(f, j, 0);
	}
	j = submit(f, (struct job_spec){.name = "same"});
	pass(f, 0);
	assert_int_equal(j->expected_end_ms, f->now + 30001);
	assert_int_equal(core_estimate(j, f->node->machine).runs, 3);
	/* Other arguments are another program. */
	{
		struct job_spec spec = {.name = "same", .cpus = 1, .isas = 3, .held = true};
		struct job *other;

		spec.launch =
			strdup("{\"args\":[\"-n\",\",\\\"env\\\":\"],\"env\":{},\"stdin\":null}");
		assert_int_equal(core_submit(f->c, f->now, &spec, &other, &f->fx), 0);
		done(f);
		assert_int_equal(core_estimate(other, f->node->machine).runs, 0);
		assert_string_equal(other->program->args, "[\"-n\",\",\\\"env\\\":\"]");
	}
	/* One that failed teaches nothing. */
	f->now += 1000;
	end(f, j, 1);
	j = submit(f, (struct job_spec){.name = "same"});
	assert_int_equal(core_estimate(j, f->node->machine).runs, 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(higher_priority_goes_first_and_equals_by_age),
		T(a_short_job_goes_ahead_if_it_ends_before_the_first_can_start),
		T(a_job_of_unknown_time_never_delays_the_first),
		T(jobs_of_another_isa_do_not_wait_behind_the_first),
		T(a_job_that_fits_no_node_says_so_and_blocks_nobody),
		T(memory_is_counted_like_cpus),
		T(a_held_job_starts_when_released),
		T(a_job_does_not_start_before_its_time),
		T(an_array_has_no_more_elements_under_way_than_its_limit),
		T(a_held_element_lets_the_next_one_in),
		T(dependencies_decide_by_how_the_other_job_ended),
		T(a_dependency_on_an_array_waits_for_all_of_it),
		T(a_cancelled_waiter_is_forgotten_by_what_it_waited_for),
		T(dependencies_are_written_and_read_alike),
		T(a_requeued_job_starts_again_from_the_beginning),
		T(a_job_that_must_not_be_requeued_fails_with_its_node),
		T(the_core_learns_times_and_foretells_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
