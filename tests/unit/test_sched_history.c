/*
 * Random histories of a cluster: nodes that obey the protocol but are slow, lose
 * messages, jobs and themselves; a scheduler that crashes and starts again from
 * what its effects said. Whatever happens, no attempt of a job runs at two
 * places, and when the trouble ends every job ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "scheduler/core/core.h"
#include "scheduler/policy/policy.h"

#define NODES     4
#define JOBS      160
#define ENTRIES   64
#define STEPS     4000
#define HISTORIES 40
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

struct agent {
	bool alive;
	uint64_t revision;
	struct entry e[ENTRIES];
	struct node_report report; /* may be sent late or twice */
	struct job_report jobs[ENTRIES];
};

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
			w->jobs[f->job->id] = *f->job;
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
		}
	}
	effects_free(fx);
	cluster_reap(w->c);
	if (cluster_check(w->c))
		fail_msg("%s", cluster_check(w->c));
}

static void introduce(struct world *w, int i)
{
	struct node intro = {.isa = i % 2 ? ISA_AARCH64 : ISA_X86_64, .cpus = 3, .idle_w = 10 + i};
	struct effects fx = {0};
	struct node *n;

	(void)snprintf(intro.name, sizeof(intro.name), "%s", NAME(i));
	(void)snprintf(intro.instance, sizeof(intro.instance), "i");
	assert_int_equal(core_introduce(w->c, w->now, &intro, &n, &fx), 0);
	save(w, &fx);
}

static void make_cluster(struct world *w)
{
	struct policy_options po = policy_options_default;
	struct core_options o = core_options_default;

	po.cooldown_ms = 500;
	po.settle_ms = 200;
	po.max_in_flight = 4;
	w->c = cluster_new(&o);
	assert_non_null(w->c);
	w->c->next_revision = w->next_revision;
	core_set_policy(w->c, policies[rnd(w, 4)], &po);
	for (int i = 0; i < NODES; i++)
		introduce(w, i);
}

/* The scheduler dies and comes back with what was saved. */
static void restart(struct world *w)
{
	w->next_revision = w->c->next_revision + 1000;
	cluster_free(w->c);
	make_cluster(w);
	for (uint64_t id = 1; id <= w->njobs; id++) {
		struct job *j = malloc(sizeof(*j));

		*j = w->jobs[id];
		if (job_is_over(j)) {
			free(j);
			continue;
		}
		j->spec.launch = NULL;
		j->spec.dependencies = NULL; /* the test makes its own */
		j->spec.ndependencies = 0;
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
	if (cluster_check(w->c))
		fail_msg("after restart: %s", cluster_check(w->c));
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

static void agent_compose(struct agent *a)
{
	a->report = (struct node_report){.revision = a->revision, .jobs = a->jobs};
	for (int k = 0; k < ENTRIES; k++) {
		const struct entry *e = &a->e[k];
		struct job_report *r = &a->jobs[a->report.njobs];

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
		a->report.njobs++;
	}
}

static void agent_report(struct world *w, int i)
{
	struct effects fx = {0};

	core_report(w->c, w->now, cluster_node(w->c, NAME(i)), &w->agents[i].report, &fx);
	save(w, &fx);
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
	list_each(l, &w->c->jobs)
	{
		const struct job *j = list_entry(l, struct job, all);
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

static void submit(struct world *w)
{
	struct job_spec spec = {.cpus = 1, .isas = 3, .max_restarts = 1000};
	struct effects fx = {0};
	struct job *j;

	if (w->njobs >= JOBS)
		return;
	if (!rnd(w, 8))
		spec.time_limit_s = 1;
	assert_int_equal(core_submit(w->c, w->now, &spec, &j, &fx), 0);
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
	if (w->agents[i].alive || w->calm) {
		w->agents[i].alive = true;
		if (w->calm || rnd(w, 4))
			agent_poll(w, i);
		if (w->calm || rnd(w, 4))
			agent_compose(&w->agents[i]); /* else an old report is sent again */
		if (w->calm || rnd(w, 4))
			agent_report(w, i);
	} else if (!rnd(w, 60)) {
		w->agents[i].alive = true;
	}
	core_tick(w->c, w->now, &fx);
	core_schedule(w->c, w->now, &fx);
	save(w, &fx);
	check_world(w);
}

static void run_history(uint64_t seed)
{
	static struct world w;
	uint64_t moved = 0;

	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.now = 1000000;
	w.next_revision = 1;
	for (int i = 0; i < NODES; i++)
		w.agents[i].alive = true;
	make_cluster(&w);
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
	cluster_free(w.c);
}

static void random_histories_keep_one_owner_and_end_every_job(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= HISTORIES; seed++)
		run_history(seed * 0x9e3779b97f4a7c15ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_keep_one_owner_and_end_every_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
