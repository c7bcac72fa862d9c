/*
 * Nodes: introductions, reports, silence. A report is level-triggered: it says
 * how things are, may be late or repeated, and each part of it is taken only if
 * it speaks of the attempt and epoch that the cluster knows.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void tell(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		 struct effects *fx)
{
	node_tell(c, now_ms, n, reason, (double)NAN, (double)NAN, fx);
}

static int watch_silence(struct cluster *c, struct node *n)
{
	uint64_t limit = n->alive == ALIVE_UP ? c->opt.node_unknown_ms : c->opt.node_down_ms;

	if (n->alive == ALIVE_DOWN || n->power != POWER_ON)
		return 0;
	return timer_set(&c->timers, &n->silence, n->seen_ms + limit);
}

static void take_intro(struct node *n, struct node *intro)
{
	memcpy(n->instance, intro->instance, sizeof(n->instance));
	memcpy(n->address, intro->address, sizeof(n->address));
	memcpy(n->profile, intro->profile, sizeof(n->profile));
	memcpy(n->emulator, intro->emulator, sizeof(n->emulator));
	memcpy(n->software, intro->software, sizeof(n->software));
	free(n->meters);
	n->meters = intro->meters;
	intro->meters = NULL;
	n->isa = intro->isa;
	n->emulated = intro->emulated;
	n->cpus = intro->cpus;
	n->memory_bytes = intro->memory_bytes;
	n->idle_w = intro->idle_w;
	n->core_w = intro->core_w;
	n->sleep_w = intro->sleep_w;
	n->sleep_s = intro->sleep_s;
	n->wake_s = intro->wake_s;
	n->wake_j = intro->wake_j;
	n->speed = intro->speed;
	n->sleep_capable = intro->sleep_capable;
	free(n->runs);
	n->runs = intro->runs;
	intro->runs = NULL;
}

int core_introduce(struct cluster *c, uint64_t now_ms, struct node *intro, struct node **out,
		   struct effects *fx)
{
	struct node *n = cluster_node(c, intro->name);
	int r;

	*out = NULL;
	now_ms = core_time(c, now_ms);
	if (n && strcmp(n->instance, intro->instance) && strcmp(n->instance, intro->replaces) &&
	    n->alive == ALIVE_UP && now_ms < n->seen_ms + 3 * c->opt.heartbeat_ms)
		return -EBUSY;
	if (n && n->isa != intro->isa && n->used_cpus)
		return -EINVAL;
	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n)
			return -ENOMEM;
		memcpy(n->name, intro->name, sizeof(n->name));
		r = cluster_adopt_node(c, n);
		if (r) {
			node_free(n);
			return r;
		}
	}
	take_intro(n, intro);
	n->sleep_capable = n->sleep_capable && c->opt.can_sleep;
	n->seen_ms = now_ms;
	n->alive = ALIVE_UP;
	if (n->power != POWER_ON)
		power_heard(c, now_ms, n, true, fx);
	n->failed_wake = false;
	if (node_join(c, n) || watch_silence(c, n))
		return -ENOMEM;
	c->schedule = true;
	fx_desired(c, fx, n);
	tell(c, now_ms, n, "its agent introduced itself", fx);
	fx_node(fx, n);
	*out = n;
	return 0;
}

/* Does the report still hold what the migration's source had? */
static bool holds(const struct node_report *r, const struct migration *m)
{
	for (size_t i = 0; i < r->njobs; i++)
		if (r->jobs[i].id == m->job && r->jobs[i].attempt == m->attempt &&
		    r->jobs[i].epoch + 1 == m->next_epoch)
			return true;
	return false;
}

/* What a report leaves out: jobs the node should have, jobs it has let go of. */
static void report_absent(struct cluster *c, uint64_t now_ms, struct node *n,
			  const struct node_report *r, struct effects *fx)
{
	list_each_safe(i, t, &n->jobs)
	{
		struct job *j = list_entry(i, struct job, at);

		/* A job that is mentioned was present just now. */
		if (r->revision >= j->placed_revision && now_ms >= j->present_ms + c->opt.start_ms)
			job_attempt_lost(c, now_ms, j, "its node no longer knows it", fx);
	}
	list_each_safe(i, t, &n->outgoing)
	{
		struct migration *m = list_entry(i, struct migration, at);

		if (r->revision >= m->release_revision && !holds(r, m))
			migration_released(c, now_ms, m, fx);
	}
}

static void heard(struct cluster *c, uint64_t now_ms, struct node *n, struct effects *fx)
{
	if (n->power != POWER_ON)
		power_heard(c, now_ms, n, false, fx);
	if (n->power != POWER_ON || n->alive == ALIVE_UP)
		return;
	n->alive = ALIVE_UP;
	n->failed_wake = false;
	tell(c, now_ms, n, "its agent reports", fx);
	if (watch_silence(c, n))
		fx->failed = true;
}

void core_report(struct cluster *c, uint64_t now_ms, struct node *n, const struct node_report *r,
		 struct effects *fx)
{
	now_ms = core_time(c, now_ms);
	n->seen_ms = now_ms;
	n->seen_revision = r->revision;
	n->cpu_percent = r->cpu_percent;
	n->memory_used_bytes = r->memory_used_bytes;
	heard(c, now_ms, n, fx);
	for (size_t i = 0; i < r->njobs; i++) {
		struct job *j = cluster_job(c, r->jobs[i].id);

		if (!j || job_is_over(j))
			continue;
		migration_report(c, now_ms, n, &r->jobs[i], fx);
		job_report(c, now_ms, n, j, &r->jobs[i], r->revision, fx);
	}
	report_absent(c, now_ms, n, r, fx);
}

static void node_down(struct cluster *c, uint64_t now_ms, struct node *n, struct effects *fx)
{
	char why[CORE_REASON_MAX];

	(void)snprintf(why, sizeof(why), "node %.60s has been silent for %" PRIu64 " s", n->name,
		       (now_ms - n->seen_ms) / 1000);
	n->alive = ALIVE_DOWN;
	tell(c, now_ms, n, why, fx);
	list_each_safe(i, t, &n->jobs)
		job_attempt_lost(c, now_ms, list_entry(i, struct job, at), why, fx);
	list_each_safe(i, t, &n->incoming)
		migration_abort(c, now_ms, list_entry(i, struct migration, at), fx, "%s", why);
}

void node_silence_tick(struct cluster *c, uint64_t now_ms, struct node *n, struct effects *fx)
{
	uint64_t silent = now_ms > n->seen_ms ? now_ms - n->seen_ms : 0;

	if (n->power != POWER_ON || n->alive == ALIVE_DOWN)
		return;
	if (silent >= c->opt.node_down_ms) {
		node_down(c, now_ms, n, fx);
	} else if (n->alive == ALIVE_UP && silent >= c->opt.node_unknown_ms) {
		n->alive = ALIVE_UNKNOWN;
		tell(c, now_ms, n, "its agent is silent", fx);
	}
	if (watch_silence(c, n))
		fx->failed = true;
}

void core_tick(struct cluster *c, uint64_t now_ms, struct effects *fx)
{
	struct timer *t;

	now_ms = core_time(c, now_ms);
	while ((t = timer_due(&c->timers, now_ms))) {
		if (t->kind == TIMER_JOB)
			job_due(c, now_ms, tree_entry(t, struct job_key, timer)->job, fx);
		else if (t->kind == TIMER_NODE)
			node_silence_tick(c, now_ms, tree_entry(t, struct node, silence), fx);
		else
			power_tick(c, now_ms, tree_entry(t, struct node, power_timer), fx);
	}
	list_each_safe(i, next, &c->active)
		migration_tick(c, now_ms, list_entry(i, struct migration, active), fx);
}

/* ---- desired state ------------------------------------------------------ */

static struct desired of_owner(const struct job *j)
{
	const struct migration *m = j->migration;
	struct desired d = {.job = j, .role = ROLE_RUN};

	if (j->ending != JOB_PENDING) {
		d.role = ROLE_CANCEL;
	} else if (m && m->state < MIG_COMMITTED) {
		d.role = ROLE_SOURCE;
		d.phase = m->state == MIG_PREPARING ? PHASE_PREPARE : PHASE_SEND;
	} else if (m) {
		d.phase = PHASE_COMMIT;
	} else if (j->aborting) {
		d.phase = PHASE_ABORT;
		d.migration = j->aborting;
	}
	if (m && d.phase != PHASE_NONE) {
		d.m = m;
		d.migration = m->id;
	}
	return d;
}

void core_desired(const struct node *n, void (*fn)(const struct desired *d, void *arg), void *arg)
{
	list_each(i, &n->jobs)
	{
		struct desired d = of_owner(list_entry(i, struct job, at));

		fn(&d, arg);
	}
	list_each(i, &n->incoming)
	{
		const struct migration *m = list_entry(i, struct migration, at);
		struct desired d = {.job = m->live,
				    .role = ROLE_DESTINATION,
				    .phase = PHASE_PREPARE,
				    .migration = m->id,
				    .m = m};

		fn(&d, arg);
	}
}
