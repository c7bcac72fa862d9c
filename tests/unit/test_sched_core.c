/* The job and migration state machines, one decision at a time. */
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
	struct job *job;
	struct migration *m;
	struct effects fx;
	uint64_t now;
};

static void done(struct fixture *f)
{
	const char *bad = cluster_check(f->c);

	if (bad)
		fail_msg("%s", bad);
	assert_false(f->fx.failed);
	effects_free(&f->fx);
}

static struct node *introduce(struct fixture *f, const char *name, const char *instance,
			      enum isa isa, int expect)
{
	struct node intro = {.isa = isa, .cpus = 2}, *n = NULL;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", name);
	(void)snprintf(intro.instance, sizeof(intro.instance), "%s", instance);
	(void)snprintf(intro.address, sizeof(intro.address), "127.0.0.1");
	assert_int_equal(core_introduce(f->c, f->now, &intro, &n, &f->fx), expect);
	done(f);
	return n;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->now = 1000000;
	f->c = cluster_new(&core_options_default);
	core_set_policy(f->c, &policy_static_balanced, &policy_options_default);
	f->x86 = introduce(f, "x86-1", "i1", ISA_X86_64, 0);
	f->arm = introduce(f, "arm-1", "i2", ISA_AARCH64, 0);
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

static void report(struct fixture *f, struct node *n, enum seen_state s, enum seen_migration ms,
		   uint32_t epoch)
{
	struct job_report j = {.id = f->job->id,
			       .attempt = f->job->attempt,
			       .epoch = epoch,
			       .state = s,
			       .migration = f->m ? f->m->id : 0,
			       .migration_state = ms,
			       .endpoint = "127.0.0.1:1",
			       .secret = "ab",
			       .frozen_mono_ns = n == f->x86 ? 1000000 : 0,
			       .resumed_mono_ns = n == f->arm && s == SEEN_RUNNING ? 9000000 : 0};
	struct node_report r = {.revision = n->revision, .jobs = &j, .njobs = 1};

	core_report(f->c, f->now, n, &r, &f->fx);
	done(f);
}

static void report_nothing(struct fixture *f, struct node *n)
{
	struct node_report r = {.revision = n->revision};

	core_report(f->c, f->now, n, &r, &f->fx);
	done(f);
}

static void tick(struct fixture *f, uint64_t ms)
{
	f->now += ms;
	core_tick(f->c, f->now, &f->fx);
	done(f);
}

/* A job that runs on x86-1. */
static void start(struct fixture *f, uint32_t max_restarts, uint64_t limit_s)
{
	struct job_spec spec = {
		.cpus = 1, .isas = 3, .max_restarts = max_restarts, .time_limit_s = limit_s};

	assert_int_equal(core_submit(f->c, f->now, &spec, &f->job, &f->fx), 0);
	core_schedule(f->c, f->now, &f->fx);
	done(f);
	assert_ptr_equal(f->job->node, f->x86); /* of two idle nodes the first that came */
	report(f, f->x86, SEEN_RUNNING, SEEN_MIG_NONE, 1);
}

static void migrate(struct fixture *f)
{
	assert_int_equal(core_migrate(f->c, f->now, f->job, NULL, "test", &f->m, &f->fx, NULL), 0);
	done(f);
	assert_ptr_equal(f->m->to, f->arm);
}

static void want(const struct desired *d, void *arg)
{
	*(struct desired *)arg = *d;
}

static struct desired wanted(const struct node *n)
{
	struct desired d = {0};

	core_desired(n, want, &d);
	return d;
}

static void a_migration_goes_through_its_phases(void **state)
{
	struct fixture *f = *state;

	start(f, 3, 0);
	migrate(f);
	assert_int_equal(wanted(f->x86).role, ROLE_SOURCE);
	assert_int_equal(wanted(f->x86).phase, PHASE_PREPARE);
	assert_int_equal(wanted(f->arm).role, ROLE_DESTINATION);
	report(f, f->arm, SEEN_WAITING, SEEN_MIG_PREPARED, 2);
	assert_int_equal(f->m->state, MIG_SENDING);
	assert_int_equal(wanted(f->x86).phase, PHASE_SEND);
	report(f, f->x86, SEEN_FROZEN, SEEN_MIG_SENT, 1);
	assert_ptr_equal(f->job->node, f->x86);
	report(f, f->arm, SEEN_WAITING, SEEN_MIG_LOADED, 2);
	assert_int_equal(f->m->state, MIG_COMMITTED);
	assert_ptr_equal(f->job->node, f->arm);
	assert_int_equal(f->job->epoch, 2);
	assert_null(wanted(f->x86).job);
	assert_int_equal(wanted(f->arm).role, ROLE_RUN);
	assert_int_equal(wanted(f->arm).phase, PHASE_COMMIT);
	report(f, f->arm, SEEN_RUNNING, SEEN_MIG_RUNNING, 2);
	assert_int_equal(f->job->state, JOB_RUNNING);
	assert_int_equal(f->m->state, MIG_COMMITTED);
	report_nothing(f, f->x86);
	assert_int_equal(f->m->state, MIG_DONE);
	assert_int_equal(f->job->downtime_us, 8000);
	assert_int_equal(wanted(f->arm).phase, PHASE_NONE);
}

static void a_failure_before_commit_leaves_the_job_where_it_was(void **state)
{
	struct fixture *f = *state;

	start(f, 3, 0);
	migrate(f);
	report(f, f->arm, SEEN_WAITING, SEEN_MIG_PREPARED, 2);
	report(f, f->x86, SEEN_FROZEN, SEEN_MIG_SENT, 1);
	report(f, f->arm, SEEN_FAILED, SEEN_MIG_FAILED, 2);
	assert_int_equal(f->m->state, MIG_ABORTED);
	assert_ptr_equal(f->job->node, f->x86);
	assert_int_equal(f->job->epoch, 1);
	assert_int_equal(f->arm->used_cpus, 0);
	assert_int_equal(wanted(f->x86).phase, PHASE_ABORT);
	assert_null(wanted(f->arm).job);
	report(f, f->x86, SEEN_RUNNING, SEEN_MIG_ABORTED, 1);
	assert_int_equal(wanted(f->x86).phase, PHASE_NONE);
}

static void each_phase_has_a_limit(void **state)
{
	struct fixture *f = *state;

	start(f, 3, 0);
	migrate(f);
	for (int i = 0; i < 3; i++) {
		report(f, f->x86, SEEN_RUNNING, SEEN_MIG_NONE, 1);
		report_nothing(f, f->arm);
		tick(f, f->c->opt.prepare_ms / 3 + 1);
	}
	assert_int_equal(f->m->state, MIG_ABORTED);
	assert_non_null(strstr(f->m->error, "not ready to receive"));
}

static void a_frozen_job_without_a_migration_is_told_to_run_on(void **state)
{
	struct fixture *f = *state;

	start(f, 3, 0);
	report(f, f->x86, SEEN_RUNNING, SEEN_MIG_NONE, 1);
	f->m = &(struct migration){.id = 77};
	report(f, f->x86, SEEN_FROZEN, SEEN_MIG_SENT, 1);
	assert_int_equal(wanted(f->x86).phase, PHASE_ABORT);
	assert_int_equal(wanted(f->x86).migration, 77);
}

static void a_lost_job_is_restarted_as_often_as_it_may(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 0);
	report(f, f->x86, SEEN_LOST, SEEN_MIG_NONE, 1);
	assert_int_equal(f->job->state, JOB_PENDING);
	core_schedule(f->c, f->now, &f->fx);
	done(f);
	assert_int_equal(f->job->state, JOB_PENDING); /* not at once */
	tick(f, 1000);
	core_schedule(f->c, f->now, &f->fx);
	done(f);
	assert_int_equal(f->job->attempt, 2);
	assert_int_equal(f->job->epoch, 1);
	report(f, f->job->node, SEEN_LOST, SEEN_MIG_NONE, 1);
	assert_int_equal(f->job->state, JOB_NODE_FAIL);
}

static void reports_of_an_earlier_attempt_or_epoch_change_nothing(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 0);
	report(f, f->x86, SEEN_LOST, SEEN_MIG_NONE, 1);
	tick(f, 1000);
	core_schedule(f->c, f->now, &f->fx);
	done(f);
	f->job->attempt = 1; /* what an old report says */
	struct job_report j = {.id = f->job->id, .attempt = 1, .epoch = 1, .state = SEEN_EXITED};
	struct node_report r = {.revision = f->x86->revision, .jobs = &j, .njobs = 1};

	f->job->attempt = 2;
	core_report(f->c, f->now, f->x86, &r, &f->fx);
	done(f);
	j.attempt = 2;
	j.epoch = 7;
	core_report(f->c, f->now, f->x86, &r, &f->fx);
	done(f);
	assert_int_equal(f->job->state, JOB_RUNNING);
}

static void a_silent_node_loses_its_jobs_after_its_time(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 0);
	tick(f, f->c->opt.node_unknown_ms);
	assert_int_equal(f->x86->state, NODE_UNKNOWN);
	assert_int_equal(f->job->state, JOB_RUNNING);
	tick(f, f->c->opt.node_down_ms);
	assert_int_equal(f->x86->state, NODE_DOWN);
	assert_int_equal(f->job->state, JOB_PENDING);
	report_nothing(f, f->x86);
	assert_int_equal(f->x86->state, NODE_UP);
}

static void an_exit_waits_for_its_output_but_not_for_ever(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 0);
	struct job_report j = {.id = f->job->id,
			       .attempt = 1,
			       .epoch = 1,
			       .state = SEEN_EXITED,
			       .log_bytes = 10,
			       .log_held = 4};
	struct node_report r = {.revision = f->x86->revision, .jobs = &j, .njobs = 1};

	core_report(f->c, f->now, f->x86, &r, &f->fx);
	done(f);
	assert_int_equal(f->job->state, JOB_RUNNING);
	f->now += f->c->opt.log_ms;
	core_report(f->c, f->now, f->x86, &r, &f->fx);
	done(f);
	assert_int_equal(f->job->state, JOB_COMPLETED);
	cluster_reap(f->c);
}

static void a_job_is_cancelled_by_its_owner_and_ends_cancelled(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 0);
	migrate(f);
	assert_int_equal(core_cancel(f->c, f->now, f->job, &f->fx), 0);
	done(f);
	assert_int_equal(f->m->state, MIG_ABORTED);
	assert_int_equal(wanted(f->x86).role, ROLE_CANCEL);
	assert_int_equal(core_cancel(f->c, f->now, f->job, &f->fx), -EALREADY);
	report(f, f->x86, SEEN_EXITED, SEEN_MIG_NONE, 1);
	assert_int_equal(f->job->state, JOB_CANCELLED);
}

static void a_job_over_its_time_limit_ends_as_timeout(void **state)
{
	struct fixture *f = *state;

	start(f, 1, 3);
	tick(f, 2999);
	assert_int_equal(wanted(f->x86).role, ROLE_RUN);
	tick(f, 1);
	assert_int_equal(wanted(f->x86).role, ROLE_CANCEL);
	report(f, f->x86, SEEN_EXITED, SEEN_MIG_NONE, 1);
	assert_int_equal(f->job->state, JOB_TIMEOUT);
}

static void a_second_live_agent_of_one_name_is_refused(void **state)
{
	struct fixture *f = *state;

	introduce(f, "x86-1", "other", ISA_X86_64, -EBUSY);
	f->now += 3 * f->c->opt.heartbeat_ms;
	introduce(f, "x86-1", "other", ISA_X86_64, 0);
}

static void migrations_that_cannot_be_are_refused_with_the_reason(void **state)
{
	struct fixture *f = *state;
	struct migration *m;
	struct err e = ERR_INIT;

	start(f, 1, 0);
	assert_int_equal(core_migrate(f->c, f->now, f->job, f->x86, "", &m, &f->fx, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "already runs"));
	f->arm->alive = ALIVE_DOWN;
	node_refresh(f->c, f->arm);
	assert_int_equal(core_migrate(f->c, f->now, f->job, f->arm, "", &m, &f->fx, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "down"));
	f->arm->alive = ALIVE_UP;
	node_refresh(f->c, f->arm);
	migrate(f);
	assert_int_equal(core_migrate(f->c, f->now, f->job, f->arm, "", &m, &f->fx, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "already migrating"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_migration_goes_through_its_phases),
		T(a_failure_before_commit_leaves_the_job_where_it_was),
		T(each_phase_has_a_limit),
		T(a_frozen_job_without_a_migration_is_told_to_run_on),
		T(a_lost_job_is_restarted_as_often_as_it_may),
		T(reports_of_an_earlier_attempt_or_epoch_change_nothing),
		T(a_silent_node_loses_its_jobs_after_its_time),
		T(an_exit_waits_for_its_output_but_not_for_ever),
		T(a_job_is_cancelled_by_its_owner_and_ends_cancelled),
		T(a_job_over_its_time_limit_ends_as_timeout),
		T(a_second_live_agent_of_one_name_is_refused),
		T(migrations_that_cannot_be_are_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
