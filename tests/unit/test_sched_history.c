/*
 * Random histories of a cluster: nodes that obey the protocol but are slow, lose
 * messages, jobs and themselves, say old things again in any order, and now and
 * then anything at all; a clock that goes back; a scheduler that crashes and
 * starts again from what its effects said; people who hold, release, requeue,
 * cancel and drain; caps below what idling takes; nodes that are put to sleep,
 * woken, and vanish on the way. Whatever happens, no attempt of a job
 * runs at two places, all that the core says of itself holds after every event,
 * and when the trouble ends every job ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/core/internal.h"
#include "scheduler/policy/policy.h"

#define NODES     4
#define JOBS      160
#define ENTRIES   64
#define STEPS     4000
#define HISTORIES 40
#define OLD       4 /* earlier reports of a node that may come late */
#define NAME(i)   (const char *const[]){"a", "b", "c", "d"}[i]

/* What runs on a node: the fake agent's memory. */
struct entry {
	bool used;
	uint64_t id, work;
	uint32_t attempt, epoch;
	enum seen_state state;
	uint64_t migration;
	enum seen_migration mig;
	bool destination;
};

/* May be sent late, twice, or after later ones. */
struct said {
	struct node_report report;
	struct job_report jobs[ENTRIES];
};

struct agent {
	bool alive;
	uint64_t revision;
	struct entry e[ENTRIES];
	struct said now, old[OLD];
};

enum hook { HOOK_NONE, HOOK_SUSPEND, HOOK_RESUME };

struct world {
	struct cluster *c;
	struct agent agents[NODES];
	uint64_t now, seed, next_revision;
	bool calm; /* no more trouble */
	/* what a store would hold */
	struct job jobs[JOBS + 1];
	struct migration migrations[8192];
	char from[8192][2], to[8192][2];
	uint64_t njobs, nmigrations, ended;
	char dependencies[JOBS + 1][64];
	struct node nodes[NODES];
	enum hook hooks[NODES]; /* asked for and not done */
	uint64_t sleeps, wakes, arrays, array_first, array_left;
};

static uint32_t rnd(struct world *w, uint32_t below)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(w->seed >> 33) % below;
}

static void save(struct world *w, struct effects *fx)
{
	assert_false(fx->failed);
	for (size_t i = 0; i < fx->n; i++) {
		const struct effect *f = &fx->v[i];

		if (f->kind == FX_JOB) {
			char *text = dependencies_format(&f->job->spec);

			w->jobs[f->job->id] = *f->job;
			(void)snprintf(w->dependencies[f->job->id], 64, "%s", text);
			free(text);
			if (f->job->id > w->njobs)
				w->njobs = f->job->id;
		} else if (f->kind == FX_MIGRATION) {
			uint64_t id = f->migration->id;

			assert_true(id < 8192);
			w->migrations[id] = *f->migration;
			w->from[id][0] = f->migration->from->name[0];
			w->to[id][0] = f->migration->to->name[0];
			if (id > w->nmigrations)
				w->nmigrations = id;
		} else if (f->kind == FX_NODE) {
			w->nodes[f->node->name[0] - 'a'] = *f->node;
		} else if (f->kind == FX_SUSPEND || f->kind == FX_RESUME) {
			w->hooks[f->node->name[0] - 'a'] =
				f->kind == FX_SUSPEND ? HOOK_SUSPEND : HOOK_RESUME;
			w->sleeps += f->kind == FX_SUSPEND;
			w->wakes += f->kind == FX_RESUME;
		}
	}
	effects_free(fx);
	cluster_reap(w->c);
	if (cluster_check(w->c))
		fail_msg("%s", cluster_check(w->c));
}

static void introduce(struct world *w, int i)
{
	struct node intro = {.isa = i % 2 ? ISA_AARCH64 : ISA_X86_64,
			     .cpus = 3,
			     .idle_w = 10 + i,
			     .core_w = 1 + i,
			     .memory_bytes = 1000,
			     .sleep_capable = true,
			     .sleep_w = 1,
			     .sleep_s = 0.5,
			     .wake_s = 1,
			     .wake_j = 10,
			     .speed = 1 + i % 2};
	struct effects fx = {0};
	struct node *n;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", NAME(i));
	(void)snprintf(intro.instance, sizeof(intro.instance), "i");
	assert_int_equal(core_introduce(w->c, w->now, &intro, &n, &fx), 0);
	save(w, &fx);
}

static void make_cluster(struct world *w, bool again)
{
	struct policy_options po = policy_options_default;
	struct core_options o = core_options_default;

	po.cooldown_ms = 500;
	po.settle_ms = 200;
	po.max_in_flight = 4;
	po.require_saving = rnd(w, 2);
	o.can_sleep = true;
	o.sleep_ms = 20000;
	o.wake_ms = 30000;
	w->c = cluster_new(&o);
	assert_non_null(w->c);
	w->c->next_revision = w->next_revision;
	core_set_policy(w->c, policies[rnd(w, 7)], &po);
	w->c->now_ms = w->now;
	for (int i = 0; i < NODES && !again; i++)
		introduce(w, i);
	for (int i = 0; i < NODES && again; i++) {
		struct node *n = malloc(sizeof(*n));

		*n = w->nodes[i];
		n->meters = n->runs = NULL;
		n->seen_ms = w->now;
		assert_int_equal(cluster_adopt_node(w->c, n), 0);
	}
	if (rnd(w, 2))
		core_set_cap(w->c, 60);
}

/* The scheduler dies and comes back with what was saved. */
static void restart(struct world *w)
{
	w->next_revision = w->c->next_revision + 1000;
	struct effects fx = {0};

	cluster_free(w->c);
	memset(w->hooks, 0, sizeof(w->hooks));
	make_cluster(w, true);
	for (uint64_t k = 0; k < 2 * w->njobs; k++) {
		uint64_t id = k % w->njobs + 1;
		bool waits = k >= w->njobs; /* those with an owner first */
		struct job *j = malloc(sizeof(*j));

		*j = w->jobs[id];
		if (job_is_over(j) || waits != (j->state == JOB_PENDING)) {
			free(j);
			continue;
		}
		j->spec.launch = NULL;
		assert_int_equal(dependencies_parse(w->dependencies[id], &j->spec), 0);
		j->confirmed = false;
		j->present_ms = w->now;
		assert_int_equal(cluster_adopt_job(w->c, j,
						   j->state == JOB_PENDING
							   ? NULL
							   : cluster_node(w->c, j->last_node)),
				 0);
	}
	w->c->next_job = w->njobs + 1;
	for (uint64_t id = 1; id <= w->nmigrations; id++) {
		struct migration *m = malloc(sizeof(*m));

		*m = w->migrations[id];
		if (migration_is_over(m)) {
			free(m);
			continue;
		}
		m->from = cluster_node(w->c, w->from[id]);
		m->to = cluster_node(w->c, w->to[id]);
		m->released = false;
		m->release_revision = 0;
		assert_int_equal(cluster_adopt_migration(w->c, m), 0);
	}
	w->c->next_migration = w->nmigrations + 1;
	core_power_again(w->c, w->now, &fx);
	save(w, &fx);
}

/* ---- fake agents -------------------------------------------------------- */

static struct entry *find(struct agent *a, uint64_t id, uint32_t attempt, uint32_t epoch)
{
	for (int k = 0; k < ENTRIES; k++)
		if (a->e[k].used && a->e[k].id == id && a->e[k].attempt == attempt &&
		    a->e[k].epoch == epoch)
			return &a->e[k];
	return NULL;
}

static struct entry *add(struct agent *a)
{
	for (int k = 0; k < ENTRIES; k++)
		if (!a->e[k].used) {
			memset(&a->e[k], 0, sizeof(a->e[k]));
			a->e[k].used = true;
			return &a->e[k];
		}
	fail_msg("a fake agent holds too many jobs");
	return NULL;
}

struct follow {
	struct world *w;
	struct agent *a;
	bool wanted[ENTRIES];
};

static void start_send(struct world *w, struct agent *a, struct entry *e, const struct desired *d)
{
	struct agent *to = &w->agents[d->m->to->name[0] - 'a'];
	struct entry *r = find(to, e->id, e->attempt, d->m->next_epoch);

	if (e->state != SEEN_RUNNING)
		return;
	e->migration = d->m->id;
	e->state = SEEN_FROZEN;
	e->mig = SEEN_MIG_SENT;
	(void)a;
	if (r && r->state == SEEN_WAITING && r->migration == d->m->id)
		r->mig = SEEN_MIG_LOADED;
}

static void follow_one(const struct desired *d, void *arg)
{
	struct follow *f = arg;
	bool dest = d->role == ROLE_DESTINATION;
	uint32_t epoch = dest ? d->m->next_epoch : d->job->epoch;
	struct entry *e = find(f->a, d->job->id, d->job->attempt, epoch);

	if (e && dest && e->migration != d->migration) {
		e->used = false;
		e = NULL;
	}
	if (!e) {
		e = add(f->a);
		e->id = d->job->id;
		e->attempt = d->job->attempt;
		e->epoch = epoch;
		e->destination = dest;
		e->migration = dest ? d->migration : 0;
		e->state = dest ? SEEN_WAITING : epoch == 1 ? SEEN_RUNNING : SEEN_LOST;
		e->mig = dest ? SEEN_MIG_PREPARED : SEEN_MIG_NONE;
		e->work = 20 + rnd(f->w, 200);
	}
	f->wanted[e - f->a->e] = true;
	if (d->role == ROLE_CANCEL && e->state != SEEN_EXITED && e->state != SEEN_LOST)
		e->state = SEEN_EXITED;
	else if (d->role == ROLE_SOURCE && d->phase == PHASE_SEND)
		start_send(f->w, f->a, e, d);
	else if (d->phase == PHASE_ABORT && e->state == SEEN_FROZEN) {
		e->state = SEEN_RUNNING;
		e->mig = SEEN_MIG_ABORTED;
	} else if (d->role == ROLE_RUN && e->destination && e->state == SEEN_WAITING) {
		e->state = e->mig == SEEN_MIG_LOADED ? SEEN_RUNNING : SEEN_LOST;
		e->mig = SEEN_MIG_RUNNING;
	}
}

static void agent_poll(struct world *w, int i)
{
	struct agent *a = &w->agents[i];
	struct node *n = cluster_node(w->c, NAME(i));
	struct follow f = {.w = w, .a = a};

	core_desired(n, follow_one, &f);
	for (int k = 0; k < ENTRIES; k++)
		if (a->e[k].used && !f.wanted[k])
			a->e[k].used = false;
	a->revision = n->revision;
}

static void agent_compose(struct world *w, struct agent *a)
{
	struct said *s = &a->now;

	a->old[rnd(w, OLD)] = *s;
	s->report = (struct node_report){.revision = a->revision};
	for (int k = 0; k < ENTRIES; k++) {
		const struct entry *e = &a->e[k];
		struct job_report *r = &s->jobs[s->report.njobs];

		if (!e->used)
			continue;
		*r = (struct job_report){.id = e->id,
					 .attempt = e->attempt,
					 .epoch = e->epoch,
					 .state = e->state,
					 .migration = e->migration,
					 .migration_state = e->mig};
		(void)snprintf(r->endpoint, sizeof(r->endpoint), "e%d", k);
		(void)snprintf(r->secret, sizeof(r->secret), "s");
		s->report.njobs++;
	}
}

static void agent_report(struct world *w, int i, struct said *s)
{
	struct effects fx = {0};

	s->report.jobs = s->jobs;
	core_report(w->c, w->now, cluster_node(w->c, NAME(i)), &s->report, &fx);
	save(w, &fx);
}

/* What no agent should say, of jobs and migrations that there may be. */
static void agent_lie(struct world *w, int i)
{
	struct said s = {.report = {.revision = rnd(w, 2) ? w->agents[i].revision : rnd(w, 5000)}};

	s.report.njobs = 1 + rnd(w, 3);
	for (size_t k = 0; k < s.report.njobs; k++) {
		struct job *j = cluster_job(w->c, 1 + rnd(w, (uint32_t)w->njobs + 1));
		const struct migration *m = j ? j->migration : NULL;

		s.jobs[k] = (struct job_report){
			.id = j && rnd(w, 8) ? j->id : rnd(w, JOBS + 2),
			.attempt = j && rnd(w, 4) ? j->attempt : rnd(w, 4),
			.epoch = j && rnd(w, 4) ? j->epoch + rnd(w, 2) : rnd(w, 4),
			.state = (enum seen_state)rnd(w, SEEN_STATE_COUNT),
			.exit_code = (int32_t)rnd(w, 2),
			.cpu_us = rnd(w, 100000),
			.log_bytes = rnd(w, 2),
			.migration = m && rnd(w, 4) ? m->id : rnd(w, (uint32_t)w->nmigrations + 2),
			.migration_state = (enum seen_migration)rnd(w, SEEN_MIG_COUNT),
			.frozen_ms = rnd(w, 2) ? w->now + rnd(w, 1000) : 0,
			.resumed_ms = rnd(w, 2) ? w->now : 0,
			.reason = "a lie",
			.endpoint = "e0",
			.secret = "s"};
	}
	agent_report(w, i, &s);
}

static void work(struct world *w)
{
	for (int i = 0; i < NODES; i++)
		for (int k = 0; k < ENTRIES; k++) {
			struct entry *e = &w->agents[i].e[k];

			if (!e->used || e->state != SEEN_RUNNING)
				continue;
			if (e->work)
				e->work--;
			else
				e->state = SEEN_EXITED;
			if (!w->calm && !rnd(w, 4000))
				e->state = SEEN_LOST;
		}
}

/* No attempt that the scheduler counts on runs at two places. */
static void check_world(struct world *w)
{
	cluster_each_job(w->c, j)
	{
		int runs = 0;

		for (int i = 0; i < NODES; i++)
			for (int k = 0; k < ENTRIES; k++) {
				const struct entry *e = &w->agents[i].e[k];

				runs += e->used && e->id == j->id && e->attempt == j->attempt &&
					e->state == SEEN_RUNNING;
			}
		if (runs > 1)
			fail_msg("job %u runs at %d places", (unsigned int)j->id, runs);
	}
}

static void depend(struct world *w, struct job_spec *spec)
{
	struct dependency *d = calloc(1, sizeof(*d));
	bool live = false, failed = false;

	*d = (struct dependency){.job = 1 + rnd(w, (uint32_t)w->njobs), .type = rnd(w, 2)};
	d->array = w->jobs[d->job].spec.array == d->job;
	/* What the shell knows of jobs that are over. */
	for (uint64_t id = d->job; id <= w->njobs; id++) {
		const struct job *o = &w->jobs[id];

		if (d->array ? o->spec.array != d->job : id != d->job)
			continue;
		live |= !job_is_over(o);
		failed |= job_is_over(o) && o->state != JOB_COMPLETED;
	}
	if (failed && d->type == DEP_AFTEROK)
		d->state = DEP_NEVER;
	else if (!live)
		d->state = DEP_MET;
	spec->dependencies = d;
	spec->ndependencies = 1;
}

static void shape(struct world *w, struct job_spec *spec)
{
	spec->cpus = 1 + (rnd(w, 4) == 0);
	spec->memory_bytes = rnd(w, 3) ? 0 : rnd(w, 900);
	spec->priority = (int32_t)rnd(w, 3);
	spec->held = !rnd(w, 20);
	spec->begin_ms = rnd(w, 20) ? 0 : w->now + rnd(w, 5000);
	(void)snprintf(spec->name, sizeof(spec->name), "p%u", rnd(w, 3));
	if (w->njobs && !rnd(w, 10))
		depend(w, spec);
	if (!w->array_left && !rnd(w, 10)) {
		w->array_left = 6;
		w->array_first = core_next_job(w->c);
		w->arrays++;
	}
	if (w->array_left) {
		w->array_left--;
		spec->array = w->array_first;
		spec->array_limit = 2;
	}
}

static void submit(struct world *w)
{
	struct job_spec spec = {.cpus = 1, .isas = 3, .max_restarts = 1000};
	struct effects fx = {0};
	struct job *j;

	if (w->njobs >= JOBS)
		return;
	if (!rnd(w, 8))
		spec.time_limit_s = 1;
	shape(w, &spec);
	assert_int_equal(core_submit(w->c, w->now, &spec, &j, &fx), 0);
	save(w, &fx);
}

static void operate(struct world *w, struct effects *fx)
{
	struct node *n = cluster_node(w->c, NAME(rnd(w, NODES)));
	struct job *j = w->njobs ? cluster_job(w->c, 1 + rnd(w, (uint32_t)w->njobs)) : NULL;

	switch (rnd(w, 5)) {
	case 0:
		(void)core_node_action(w->c, w->now, n, (enum node_action)rnd(w, ACTION_COUNT),
				       "test", fx, NULL);
		break;
	case 1:
		if (j)
			(void)core_hold(w->c, w->now, j, rnd(w, 2), fx);
		break;
	case 2:
		if (j && !rnd(w, 8))
			(void)core_requeue(w->c, w->now, j, fx, NULL);
		break;
	case 3:
		if (j)
			(void)core_set_priority(w->c, w->now, j, (int32_t)rnd(w, 3), fx);
		break;
	default:
		core_set_cap(w->c, rnd(w, 3) ? 0 : 1 + rnd(w, 80));
	}
}

/* A sleep or wake program ends. */
static void run_hook(struct world *w, int i)
{
	bool resume = w->hooks[i] == HOOK_RESUME, ok = w->calm || rnd(w, 6);
	struct node *n = cluster_node(w->c, NAME(i));
	struct effects fx = {0};

	w->hooks[i] = HOOK_NONE;
	if (ok && !resume)
		w->agents[i].alive = false;
	core_power_done(w->c, w->now, n, resume, ok, "test", &fx);
	save(w, &fx);
	if (ok && resume && (w->calm || rnd(w, 6))) {
		introduce(w, i);
		w->agents[i].alive = true;
	}
}

/* What people would do in the end: let go, and take back what can't be. */
static void tidy(struct world *w)
{
	struct effects fx = {0};

	core_set_cap(w->c, 0);
	for (int i = 0; i < NODES; i++) {
		struct node *n = cluster_node(w->c, NAME(i));

		if (n->cordoned || n->draining || n->failed_wake)
			(void)core_node_action(w->c, w->now, n, ACTION_RESUME, "test", &fx, NULL);
	}
	cluster_each_job(w->c, j)
	{
		if (j->spec.held)
			(void)core_hold(w->c, w->now, j, false, &fx);
		else if (j->state == JOB_PENDING && j->why == WHY_DEPENDENCY_NEVER)
			(void)core_cancel(w->c, w->now, j, &fx);
	}
	save(w, &fx);
}

static void disturb(struct world *w)
{
	struct effects fx = {0};
	struct migration *m;
	struct job *j;

	switch (rnd(w, 40)) {
	case 0:
		restart(w);
		break;
	case 1:
		j = w->njobs ? cluster_job(w->c, 1 + rnd(w, (uint32_t)w->njobs)) : NULL;
		if (j && !rnd(w, 10))
			(void)core_cancel(w->c, w->now, j, &fx);
		break;
	case 2:
		w->agents[rnd(w, NODES)].alive = false;
		break;
	case 3:
		w->now += 5000 * rnd(w, 8);
		break;
	case 4:
	case 5:
	case 6:
		operate(w, &fx);
		break;
	case 7:
		w->now -= rnd(w, 3000);
		break;
	case 8:
	case 9:
		agent_lie(w, (int)rnd(w, NODES));
		break;
	case 10: /* drained on the way there, cancelled on the way, or gone */
		m = w->c->nactive ? list_entry(w->c->active.next, struct migration, active) : NULL;
		if (m && rnd(w, 3))
			(void)core_node_action(w->c, w->now, rnd(w, 2) ? m->to : m->from,
					       ACTION_DRAIN, "test", &fx, NULL);
		else if (m && !rnd(w, 3))
			(void)core_cancel(w->c, w->now, m->live, &fx);
		else if (m)
			w->agents[m->to->name[0] - 'a'].alive = false;
		break;
	default:
		j = w->njobs ? cluster_job(w->c, 1 + rnd(w, (uint32_t)w->njobs)) : NULL;
		if (j)
			(void)core_migrate(w->c, w->now, j, NULL, "test", &m, &fx, NULL);
	}
	save(w, &fx);
}

static void step(struct world *w)
{
	int i = (int)rnd(w, NODES);
	struct effects fx = {0};

	w->now += 1 + rnd(w, 60);
	work(w);
	if (!w->calm && !rnd(w, 8))
		disturb(w);
	if (!rnd(w, 30))
		submit(w);
	if (w->hooks[i] && (w->calm || !rnd(w, 5)))
		run_hook(w, i);
	if (w->calm && !rnd(w, 50))
		tidy(w);
	if (w->agents[i].alive || (w->calm && cluster_node(w->c, NAME(i))->power == POWER_ON)) {
		w->agents[i].alive = true;
		if (w->calm || rnd(w, 4))
			agent_poll(w, i);
		if (w->calm || rnd(w, 4))
			agent_compose(w, &w->agents[i]); /* else an old report is sent again */
		if (w->calm || rnd(w, 4))
			agent_report(w, i, &w->agents[i].now);
		if (!w->calm && !rnd(w, 10))
			agent_report(w, i, &w->agents[i].old[rnd(w, OLD)]);
	} else if (!rnd(w, 60)) {
		w->agents[i].alive = true;
	}
	core_tick(w->c, w->now, &fx);
	core_schedule(w->c, w->now, &fx);
	save(w, &fx);
	check_world(w);
}

static void run_history(uint64_t seed, uint64_t *sleeps, uint64_t *wakes)
{
	static struct world w;
	uint64_t moved = 0;

	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.now = 1000000;
	w.next_revision = 1;
	for (int i = 0; i < NODES; i++)
		w.agents[i].alive = true;
	make_cluster(&w, false);
	for (int s = 0; s < STEPS; s++)
		step(&w);
	w.calm = true;
	for (int s = 0; s < 20 * STEPS && (w.c->njobs || w.njobs < JOBS); s++)
		step(&w);
	assert_int_equal(w.c->njobs, 0);
	assert_int_equal(w.njobs, JOBS);
	for (uint64_t id = 1; id <= w.njobs; id++) {
		assert_true(job_is_over(&w.jobs[id]));
		moved += w.jobs[id].migrations;
	}
	assert_true(moved > 0);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(w.c->nodes[i]->used_cpus, 0);
	*sleeps += w.sleeps;
	*wakes += w.wakes;
	cluster_free(w.c);
}

static void random_histories_keep_one_owner_and_end_every_job(void **state)
{
	uint64_t sleeps = 0, wakes = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++)
		run_history(seed * 0x9e3779b97f4a7c15ull, &sleeps, &wakes);
	assert_true(sleeps > HISTORIES && wakes > HISTORIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_keep_one_owner_and_end_every_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
