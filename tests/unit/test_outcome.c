/* What decisions came to, by hand: joules of the kind that was predicted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/api/outcome.h"
#include "scheduler/core/core.h"
#include "scheduler/policy/policy.h"

/* A start on a, a move to b after 10 s that cost 3 J, another back after 20 s, an end after 30 s;
 * then an attempt that runs. */
static const struct segment_record segments[] = {
	{.attempt = 1,
	 .epoch = 1,
	 .from_ms = 0,
	 .to_ms = 10000,
	 .energy_uj = 100000000,
	 .energy_kind = "measured"},
	{.attempt = 1,
	 .epoch = 2,
	 .from_ms = 10000,
	 .to_ms = 20000,
	 .energy_uj = 20000000,
	 .energy_kind = "modelled"},
	{.attempt = 1,
	 .epoch = 3,
	 .from_ms = 20000,
	 .to_ms = 30000,
	 .energy_uj = 50000000,
	 .energy_kind = "measured"},
	{.attempt = 2,
	 .epoch = 1,
	 .from_ms = 40000,
	 .energy_uj = 7000000,
	 .energy_kind = "measured"},
};
static const struct outcome_move moves[] = {{1, 2, 3}, {1, 3, 1.5}};

static double outcome(size_t n, bool completed, const char *kind, uint32_t attempt, uint32_t epoch,
		      double stay_j, double go_s)
{
	const struct outcome_of_job job = {segments, n, moves, 2, completed};
	struct decision_record d = {
		.attempt = attempt, .epoch = epoch, .stay_j = stay_j, .go_s = go_s};

	(void)snprintf(d.kind, sizeof(d.kind), "%s", kind);
	return outcome_of(&job, &d);
}

static void a_start_came_to_all_that_the_attempt_took(void **state)
{
	(void)state;
	assert_true(outcome(3, true, "place", 1, 1, 0, 0) == 100 + 20 + 50);
	/* The second one is not over. */
	assert_true(isnan(outcome(4, false, "place", 2, 1, 0, 0)));
	assert_true(outcome(4, false, "place", 1, 1, 0, 0) == 170);
	assert_true(isnan(outcome(3, true, "place", 5, 1, 0, 0)));
	assert_true(isnan(outcome(3, true, "hold", 1, 1, 0, 0)));
}

static void a_move_came_to_what_it_saved_net(void **state)
{
	(void)state;
	/* Staying would have taken 200 J in all; the rest takes 40 s there, of which it did 10. */
	assert_true(outcome(3, true, "migrate", 1, 2, 200, 40) == 200 * 0.25 - 20 - 3);
	/* The last one did all that was left, however long that took. */
	assert_true(outcome(3, true, "migrate", 1, 3, 80, 40) == 80 - 50 - 1.5);
	/* It did not complete: a quarter of the rest. */
	assert_true(outcome(3, false, "migrate", 1, 3, 80, 40) == 80 * 0.25 - 50 - 1.5);
	/* It takes longer than was thought: no more than all of it. */
	assert_true(outcome(3, false, "migrate", 1, 3, 80, 5) == 80 - 50 - 1.5);
}

/* ---- the prediction that the core makes is of the same terms ----------------- */

static struct node *add_node(struct cluster *c, const char *name, enum isa isa, double idle_w,
			     double core_w, double speed)
{
	struct node intro = {.isa = isa,
			     .cpus = 2,
			     .idle_w = idle_w,
			     .core_w = core_w,
			     .speed = speed,
			     .sleep_capable = true,
			     .sleep_w = 1,
			     .wake_j = 1,
			     .runs = strdup("ep.A:100 ")};
	struct effects fx = {0};
	struct node *n;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", name);
	(void)snprintf(intro.instance, sizeof(intro.instance), "i");
	assert_int_equal(core_introduce(c, 1000, &intro, &n, &fx), 0);
	effects_free(&fx);
	return n;
}

/* The decision of that kind among the effects. */
static const struct effect *decided(const struct effects *fx, const char *what)
{
	for (size_t i = 0; i < fx->n; i++)
		if (fx->v[i].kind == FX_DECISION && !strcmp(fx->v[i].what, what))
			return &fx->v[i];
	return NULL;
}

static void predictions_are_of_the_terms_that_outcomes_have(void **state)
{
	struct core_options o = core_options_default;
	struct job_spec spec = {.name = "ep.A", .user = "u", .cpus = 1, .isas = 3};
	struct job_report r = {.attempt = 1, .epoch = 1, .state = SEEN_RUNNING};
	struct node_report nr = {.jobs = &r, .njobs = 1};
	struct effects fx = {0};
	const struct effect *f;
	struct migration *m;
	struct cluster *c;
	struct node *a, *b;
	struct job *j;

	(void)state;
	o.can_sleep = true;
	c = cluster_new(&o);
	core_set_policy(c, policy_find("consolidate"), &policy_options_default);
	a = add_node(c, "a", ISA_X86_64, 21, 10, 1);
	b = add_node(c, "b", ISA_AARCH64, 5, 2, 1);
	assert_int_equal(core_node_action(c, 1000, b, ACTION_CORDON, "no", &fx, NULL), 0);
	assert_int_equal(core_submit(c, 1000, &spec, &j, &fx), 0);
	core_schedule(c, 1000, &fx);
	/* 100 s at 10 W: the job's own, as its segments will show. */
	f = decided(&fx, "place");
	assert_non_null(f);
	assert_true(f->predicted_j == 1000 && j->predicted_j == 1000);
	effects_free(&fx);
	r.id = j->id;
	nr.revision = a->revision;
	core_report(c, 1000, a, &nr, &fx);
	effects_free(&fx);
	assert_int_equal(core_node_action(c, 1000, b, ACTION_UNCORDON, "yes", &fx, NULL), 0);
	effects_free(&fx);
	/* At once: all of it is left. Own: 1000 J against 200. Idle: 20 W of the source saved and
	 * 4 W of the destination spent for 100 s. */
	assert_int_equal(core_migrate(c, 1000, j, b, "test", &m, &fx, NULL), 0);
	assert_true(fabs(m->stay_j - 1000) < 1e-6 && fabs(m->go_j - 200) < 1e-6);
	assert_true(fabs(m->idle_j - (2000 - 400)) < 1e-6);
	assert_true(fabs(m->move_w - 12) < 1e-9);
	assert_true(fabs(m->predicted_j - (1000 - 200 + 1600 - c->move_s * 12)) < 1e-6);
	effects_free(&fx);
	cluster_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_came_to_all_that_the_attempt_took),
		cmocka_unit_test(a_move_came_to_what_it_saved_net),
		cmocka_unit_test(predictions_are_of_the_terms_that_outcomes_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
