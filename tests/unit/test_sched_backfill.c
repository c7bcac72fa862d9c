/*
 * The one promise of EASY backfill, over random histories on clusters of one to
 * hundreds of nodes, under every policy, with jobs that move: the first job that
 * waits starts at the time that was first reserved for it, at the latest, and that
 * time never gets later. Jobs end by their time limits, mostly sooner.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/core/core.h"
#include "scheduler/policy/policy.h"

struct world {
	struct cluster *c;
	struct effects fx;
	uint64_t now, seed;
	uint64_t *ends; /* by id: when the job ends, once it runs */
	uint64_t *runs; /* by id: how long it takes */
	uint64_t submitted, wanted;
	uint64_t head, promised_ms; /* the job that has the reservation, and its time */
	uint64_t promises, backfills, moves;
};

static uint32_t rnd(struct world *w, uint32_t below)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(w->seed >> 33) % below;
}

static void take(struct world *w)
{
	assert_false(w->fx.failed);
	for (size_t i = 0; i < w->fx.n; i++) {
		const struct effect *f = &w->fx.v[i];

		w->moves += f->kind == FX_MIGRATION && f->step && !strcmp(f->step, "commit");
		if (f->kind != FX_DECISION || strcmp(f->what, "place") != 0)
			continue;
		w->ends[f->job->id] = w->now + w->runs[f->job->id];
		w->backfills += w->head && f->job->id > w->head;
		if (f->job->id != w->head)
			continue;
		assert_true(w->now <= w->promised_ms);
		w->promises += w->now > f->job->submitted_ms;
		w->head = 0;
	}
	w->fx.n = 0;
	cluster_reap(w->c);
}

static void report(struct world *w, struct node *n, struct job_report r)
{
	struct node_report report = {.revision = n->revision, .jobs = &r, .njobs = 1};

	core_report(w->c, w->now, n, &report, &w->fx);
	take(w);
}

/* A step of each migration under way, mostly. */
static void migrations(struct world *w)
{
	list_each_safe(i, t, &w->c->active)
	{
		struct migration *m = list_entry(i, struct migration, active);
		struct job_report r = {.id = m->job,
				       .attempt = m->attempt,
				       .epoch = m->next_epoch,
				       .state = SEEN_WAITING,
				       .migration = m->id,
				       .endpoint = "e",
				       .secret = "s"};
		struct node *from = m->from, *to = m->to;

		if (!rnd(w, 3))
			continue;
		if (m->state == MIG_COMMITTED) {
			struct node_report none = {.revision = from->revision};

			r.state = SEEN_RUNNING;
			r.migration_state = SEEN_MIG_RUNNING;
			report(w, to, r);
			core_report(w->c, w->now, from, &none, &w->fx);
			take(w);
			continue;
		}
		r.migration_state = m->state == MIG_PREPARING ? SEEN_MIG_PREPARED : SEEN_MIG_LOADED;
		report(w, to, r);
	}
}

static void agents(struct world *w)
{
	for (uint32_t k = 0; k < w->c->nnodes; k++) {
		struct node *n = w->c->nodes[k];

		list_each_safe(i, t, &n->jobs)
		{
			struct job *j = list_entry(i, struct job, at);
			struct job_report r = {.id = j->id,
					       .attempt = j->attempt,
					       .epoch = j->epoch,
					       .state = SEEN_RUNNING};

			if (w->ends[j->id] <= w->now)
				r.state = SEEN_EXITED;
			if (r.state == SEEN_EXITED || !j->confirmed)
				report(w, n, r);
		}
	}
}

static void submit(struct world *w)
{
	uint64_t limit_s = 1 + rnd(w, rnd(w, 3) ? 20 : 200);
	struct job_spec spec = {.cpus = 1 + rnd(w, rnd(w, 4) ? 3 : 8),
				.isas = rnd(w, 4) ? 3 : 1 + rnd(w, 2),
				.memory_bytes = rnd(w, 3) ? 0 : rnd(w, 1000),
				.time_limit_s = limit_s};
	struct job *j;

	(void)snprintf(spec.name, sizeof(spec.name), "%u", (unsigned int)w->submitted);
	assert_int_equal(core_submit(w->c, w->now, &spec, &j, &w->fx), 0);
	w->runs[j->id] = rnd(w, 3) ? rnd(w, (uint32_t)limit_s * 1000) : limit_s * 1000;
	w->submitted++;
	take(w);
}

static void look(struct world *w)
{
	const struct reservation *r = &w->c->reserved;

	if (cluster_check(w->c))
		fail_msg("%s", cluster_check(w->c));
	if (!r->job)
		return;
	assert_true(r->at_ms != UINT64_MAX); /* all have limits */
	if (r->job == w->head)
		assert_true(r->at_ms <= w->promised_ms);
	w->head = r->job;
	w->promised_ms = r->at_ms;
}

static void live(struct world *w, uint32_t nodes)
{
	while (w->submitted < w->wanted || w->c->njobs) {
		while (w->submitted < w->wanted && w->c->npending < nodes + 10)
			submit(w);
		w->now += 100;
		agents(w);
		migrations(w);
		core_tick(w->c, w->now, &w->fx);
		core_schedule(w->c, w->now, &w->fx);
		take(w);
		look(w);
	}
}

static void history(uint32_t nodes, const struct policy *p, uint64_t wanted, struct world *sum)
{
	struct core_options opt = core_options_default;
	struct policy_options po = policy_options_default;
	struct world w = {.now = 1000000, .seed = 7 * nodes + wanted, .wanted = wanted};

	/* Agents report only what is new, and only the promise is looked at. */
	opt.node_unknown_ms = opt.node_down_ms = opt.start_ms = UINT64_MAX / 4;
	po.cooldown_ms = 500;
	po.require_saving = false;
	w.ends = calloc(wanted + 1, sizeof(*w.ends));
	w.runs = calloc(wanted + 1, sizeof(*w.runs));
	w.c = cluster_new(&opt);
	assert_true(w.ends && w.runs && w.c);
	core_set_policy(w.c, p, &po);
	for (uint32_t i = 0; i < nodes; i++) {
		/* The first has room for any job; the second, too, of the other ISA. */
		struct node intro = {.isa = i % 2 ? ISA_AARCH64 : ISA_X86_64,
				     .cpus = i < 2 ? 8 : 2 + 2 * rnd(&w, 4),
				     .memory_bytes = 1000 + 500 * rnd(&w, 3),
				     .idle_w = 20,
				     .core_w = 2 + i % 2,
				     .speed = 1 + i % 2};
		struct node *n;

		(void)snprintf(intro.name, sizeof(intro.name), "n%u", i);
		(void)snprintf(intro.instance, sizeof(intro.instance), "i");
		assert_int_equal(core_introduce(w.c, w.now, &intro, &n, &w.fx), 0);
		take(&w);
	}
	live(&w, nodes);
	sum->promises += w.promises;
	sum->backfills += w.backfills;
	sum->moves += w.moves;
	effects_free(&w.fx);
	cluster_free(w.c);
	free(w.ends);
	free(w.runs);
}

static void the_first_job_starts_when_it_was_promised_at_the_latest(void **state)
{
	static const uint32_t sizes[] = {2, 3, 5, 8, 20, 300};
	struct world sum = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int p = 0; policies[p]; p++)
			if (policies[p] != &policy_static_x86)
				history(sizes[i], policies[p], sizes[i] > 20 ? 1500 : 300, &sum);
	/* It is no promise if nobody waits, goes ahead or moves. */
	assert_true(sum.promises > 1000);
	assert_true(sum.backfills > 1000);
	assert_true(sum.moves > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_job_starts_when_it_was_promised_at_the_latest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
