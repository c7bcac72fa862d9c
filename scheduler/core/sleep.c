/*
 * When nodes sleep and wake: an idle one sleeps past its break-even time; one
 * that sleeps wakes for jobs that wait, or for running ones that save by it.
 */
#include "scheduler/core/internal.h"

#include <inttypes.h>
#include <math.h>

#include "scheduler/policy/policy.h"

#define SOON_S     2.0    /* idle so long before a sleep that is expected to last */
#define AHEAD      256    /* waiting jobs that are counted when nodes are woken */
#define WAKES_MAX  64     /* at once for one class */
#define SLEEP_LOOK 64     /* idle nodes looked at in one step */
#define NO_WAKE_MS 600000 /* between two wakes of a node for running jobs */

double core_break_even_s(const struct machine *m)
{
	double saved_w = m->idle_w - m->sleep_w;

	/* idle_w * T = idle_w * sleep_s + sleep_w * (T - sleep_s) + wake_j, solved for T */
	if (!m->sleep_capable || saved_w <= 0 || (m->wake_j <= 0 && m->sleep_s <= 0))
		return 0;
	return m->sleep_s + m->wake_j / saved_w;
}

/* ---- when to sleep ----------------------------------------------------------- */

static bool over_cap(const struct cluster *c)
{
	return c->cap_mw && c->mw > c->cap_mw;
}

static uint64_t sleep_due_ms(const struct cluster *c, const struct node *n)
{
	double even_s = core_break_even_s(n->machine), t = even_s * c->policy_opt.sleep_after;
	uint64_t due;

	if (c->policy && c->policy->foresees && t > SOON_S &&
	    (!n->idle_periods || n->idle_mean_s > even_s))
		t = SOON_S;
	due = t > 0 ? n->idle_ms + (uint64_t)ceil(t * 1000) : UINT64_MAX;

	return due > n->no_sleep_ms ? due : n->no_sleep_ms;
}

uint64_t power_next_ms(const struct cluster *c)
{
	uint64_t next = UINT64_MAX;
	uint32_t look = SLEEP_LOOK;

	if (!c->policy_sleeps || c->awake <= c->policy_opt.min_awake)
		return next;
	list_each(i, &c->idle)
	{
		uint64_t due = sleep_due_ms(c, list_entry(i, struct node, idle));

		if (due < next)
			next = due;
		if (!--look)
			break;
	}
	return next;
}

void power_sleep_idle(struct cluster *c, uint64_t now_ms, struct effects *fx)
{
	uint32_t look = SLEEP_LOOK;
	char reason[CORE_REASON_MAX];

	list_each_safe(i, t, &c->idle)
	{
		struct node *n = list_entry(i, struct node, idle);
		bool cap = over_cap(c) && now_ms >= n->no_sleep_ms;

		if (c->awake <= c->policy_opt.min_awake || !look--)
			return;
		if (!cap && (!c->policy_sleeps || now_ms < sleep_due_ms(c, n)))
			continue;
		if (cap)
			(void)snprintf(reason, sizeof(reason),
				       "power cap: idle, and the cluster is over its cap");
		else
			(void)snprintf(
				reason, sizeof(reason),
				"%.20s: idle for %.0f s; a sleep saves energy from %.0f s on",
				c->policy->name, (double)(now_ms - n->idle_ms) / 1000,
				core_break_even_s(n->machine));
		power_sleep(c, now_ms, n, reason, fx);
	}
}

/* ---- when to wake ------------------------------------------------------------- */

/* Joules a job on a machine that is asleep: of its own, and a share of the wake and of the time the
 * node is awake for as many of its like as wait and fit. */
static double wake_cost_j(const struct cluster *c, const struct job_class *cls,
			  const struct machine *m)
{
	const struct job *j = cls->first;
	uint32_t fit = j->spec.cpus ? m->cpus / j->spec.cpus : 1;
	uint32_t like = cls->jobs.n < fit ? cls->jobs.n : fit;
	double s = core_seconds(c, j, m), awake_w = m->idle_w - m->sleep_w;

	return s * core_estimate(j, m).watts + (m->wake_j + awake_w * s) / (like ? like : 1);
}

static bool cap_lets_wake(const struct cluster *c, const struct node *n, uint32_t cpus)
{
	double awake_w = n->idle_w + n->core_w * cpus;
	double wake_w = n->wake_s > 0 ? n->wake_j / n->wake_s : 0;

	return !c->cap_mw ||
	       (double)c->mw / 1000 - n->sleep_w + (awake_w > wake_w ? awake_w : wake_w) <=
		       (double)c->cap_mw / 1000;
}

/* bound_s: in which a job must be able to end; 0: any time. */
static struct node *node_to_wake(const struct cluster *c, const struct job_class *cls,
				 double bound_s)
{
	struct node *best = NULL;
	double best_j = 0;

	for (uint32_t i = 0; i < c->nmachines; i++) {
		const struct machine *m = c->machines[i];
		struct node *n;
		double cost_j;

		if (!(cls->isas & (1u << m->isa)))
			continue;
		n = index_fullest(&m->asleep, cls->cpus, cls->memory_bytes);
		if (!n || !cap_lets_wake(c, n, cls->cpus))
			continue;
		if (bound_s > 0 && m->wake_s + core_seconds(c, cls->first, m) > bound_s)
			continue;
		cost_j = wake_cost_j(c, cls, m);
		if (!best || cost_j < best_j) {
			best = n;
			best_j = cost_j;
		}
	}
	return best;
}

/* Cpus that are on their way for jobs of this class, in whole jobs. */
static uint64_t waking_cpus(const struct cluster *c, const struct job_class *cls, uint64_t enough)
{
	uint64_t cpus = 0;

	for (uint32_t i = 0; i < c->nmachines; i++) {
		const struct machine *m = c->machines[i];

		if (!(cls->isas & (1u << m->isa)))
			continue;
		for (struct tree_node *t = tree_last(&m->waking); t && cpus < enough;
		     t = tree_before(&m->waking, t->key, t->tie))
			cpus += node_of(t)->cpus / cls->cpus * cls->cpus;
	}
	return cpus;
}

/* Cpus for jobs of this class that running jobs are expected to leave before a node woken now is
 * ready. */
static uint64_t leaving_cpus(const struct cluster *c, uint64_t now_ms, const struct job_class *cls,
			     const struct node *asleep, uint64_t enough)
{
	uint64_t ready_ms = now_ms + (uint64_t)(asleep->wake_s * 1000), cpus = 0;

	for (struct tree_node *t = tree_first(&c->ends); t && cpus < enough;
	     t = tree_after(&c->ends, t->key, t->tie)) {
		const struct job *j = job_of(t);

		if (!j->expected_end_ms || j->expected_end_ms > ready_ms)
			break;
		if (cls->isas & (1u << j->node->isa))
			cpus += j->spec.cpus;
	}
	return cpus;
}

bool power_any_waking(const struct cluster *c)
{
	for (uint32_t i = 0; i < c->nmachines; i++)
		if (c->machines[i]->waking.n)
			return true;
	return false;
}

bool power_wake_to_move(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
			struct effects *fx)
{
	if (n->power != POWER_ASLEEP || now_ms < n->no_wake_ms || !cap_lets_wake(c, n, 0))
		return false;
	n->no_wake_ms = now_ms + NO_WAKE_MS;
	power_wake(c, now_ms, n, reason, fx);
	n->woken_to_move = true;
	return true;
}

bool power_wake_for(struct cluster *c, uint64_t now_ms, const struct job_class *cls,
		    struct effects *fx)
{
	uint64_t wanted = (uint64_t)cls->cpus * (cls->jobs.n < AHEAD ? cls->jobs.n : AHEAD);
	uint64_t coming = waking_cpus(c, cls, wanted);
	double bound_s = c->policy_by_last_end ? core_bound_s(c, cls->first) : 0;
	char reason[CORE_REASON_MAX];

	for (int k = 0; k < WAKES_MAX && coming < wanted; k++) {
		struct node *n = node_to_wake(c, cls, bound_s);

		if (!n && bound_s > 0)
			n = node_to_wake(c, cls, 0);
		if (!n || coming + leaving_cpus(c, now_ms, cls, n, wanted - coming) >= wanted)
			break;
		(void)snprintf(reason, sizeof(reason),
			       "job %" PRIu64 " and %" PRIu32 " others like it wait for cpus",
			       cls->first->id, cls->jobs.n - 1);
		power_wake(c, now_ms, n, reason, fx);
		coming += n->cpus / cls->cpus * cls->cpus;
	}
	return coming > 0;
}
