/*
 * Nodes that sleep and wake, and what an operator asks of a node.
 *
 *	on --told--> sleeping --hook ended well--> asleep --needed--> waking --agent ready--> on
 *	 ^               | hook failed                                   | hook failed, or too late
 *	 +---------------+                                               +--> on, but down
 *
 * The state is saved before its hook runs, and after a restart the hooks of the
 * steps under way run again: they must bear that. No job is given to a node
 * that isn't on.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/policy/policy.h"

#define NO_SLEEP_MS 600000 /* after a hook that failed */
#define SOON_S      2.0    /* idle so long before a sleep that is expected to last */
#define GRACE_MS    3000   /* the last reports of an agent that ends may come late */
#define AHEAD       256    /* waiting jobs that are counted when nodes are woken */
#define WAKES_MAX   64     /* at once for one class */
#define SLEEP_LOOK  64     /* idle nodes looked at in one step */

const char *const node_action_names[] = {"cordon", "uncordon", "drain", "resume",
					 "sleep",  "wake",     NULL};

double core_break_even_s(const struct machine *m)
{
	double saved_w = m->idle_w - m->sleep_w;

	/* idle_w * T = idle_w * sleep_s + sleep_w * (T - sleep_s) + wake_j, solved for T */
	if (!m->sleep_capable || saved_w <= 0 || (m->wake_j <= 0 && m->sleep_s <= 0))
		return 0;
	return m->sleep_s + m->wake_j / saved_w;
}

static void set_timer(struct cluster *c, struct node *n, uint64_t at_ms, struct effects *fx)
{
	if (timer_set(&c->timers, &n->power_timer, at_ms))
		fx->failed = true;
}

static void fx_hook(struct effects *fx, enum effect_kind kind, struct node *n)
{
	fx_add(fx, kind)->node = n;
}

static void go_to_sleep(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
			struct effects *fx)
{
	const struct machine *m = n->machine;
	double idle_s =
		n->idle_ms && now_ms > n->idle_ms ? (double)(now_ms - n->idle_ms) / 1000 : 0;
	double saved_w = m->idle_w - m->sleep_w;

	/* It is expected to be idle as long again as it was. */
	n->sleep_predicted_j = saved_w * (idle_s - m->sleep_s) - m->wake_j;
	n->power = POWER_SLEEPING;
	n->power_ms = now_ms;
	set_timer(c, n, now_ms + c->opt.sleep_ms, fx);
	node_tell(c, now_ms, n, reason, n->sleep_predicted_j, (double)NAN, fx);
	fx_hook(fx, FX_SUSPEND, n);
}

void power_idle_over(struct node *n, uint64_t now_ms)
{
	double s = now_ms > n->idle_ms ? (double)(now_ms - n->idle_ms) / 1000 : 0;

	/* Shorter ones are over before they would end a wait for a sleep. */
	if (!n->idle_counted && n->idle_ms && s > SOON_S)
		n->idle_mean_s += (s - n->idle_mean_s) / (n->idle_periods++ ? 2 : 1);
	n->idle_counted = false;
}

static void wake_up(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		    struct effects *fx)
{
	const struct machine *m = n->machine;
	double slept_s = (double)(now_ms - n->power_ms) / 1000;
	double saved_j = (m->idle_w - m->sleep_w) * slept_s - m->wake_j;

	power_idle_over(n, now_ms);
	n->idle_counted = true;
	n->power = POWER_WAKING;
	n->power_ms = now_ms;
	set_timer(c, n, now_ms + c->opt.wake_ms, fx);
	node_tell(c, now_ms, n, reason, (double)NAN, saved_j, fx);
	fx_hook(fx, FX_RESUME, n);
}

static void wake_failed(struct cluster *c, uint64_t now_ms, struct node *n, const char *why,
			struct effects *fx)
{
	char reason[CORE_REASON_MAX];

	(void)snprintf(reason, sizeof(reason), "did not wake: %.120s", why);
	timer_clear(&c->timers, &n->power_timer);
	n->power = POWER_ON;
	n->alive = ALIVE_DOWN;
	n->failed_wake = true;
	node_tell(c, now_ms, n, reason, (double)NAN, (double)NAN, fx);
}

static void sleep_failed(struct cluster *c, uint64_t now_ms, struct node *n, const char *why,
			 struct effects *fx)
{
	char reason[CORE_REASON_MAX];

	(void)snprintf(reason, sizeof(reason), "could not be put to sleep: %.110s", why);
	timer_clear(&c->timers, &n->power_timer);
	n->power = POWER_ON;
	n->no_sleep_ms = now_ms + NO_SLEEP_MS;
	/* Its agent may be gone: it has the usual time to be heard of. */
	node_tell(c, now_ms, n, reason, (double)NAN, (double)NAN, fx);
}

void core_power_done(struct cluster *c, uint64_t now_ms, struct node *n, bool resume, bool ok,
		     const char *why, struct effects *fx)
{
	c->now_ms = now_ms;
	if (!resume && n->power == POWER_SLEEPING) {
		if (!ok) {
			sleep_failed(c, now_ms, n, why, fx);
			return;
		}
		timer_clear(&c->timers, &n->power_timer);
		n->power = POWER_ASLEEP;
		n->power_ms = now_ms;
		n->alive = ALIVE_UNKNOWN;
		node_tell(c, now_ms, n, n->state_reason[0] ? n->state_reason : "asleep",
			  (double)NAN, (double)NAN, fx);
	} else if (resume && n->power == POWER_WAKING && !ok) {
		wake_failed(c, now_ms, n, why, fx);
	}
}

void power_tick(struct cluster *c, uint64_t now_ms, struct node *n, struct effects *fx)
{
	char why[96];

	if (n->power == POWER_SLEEPING) {
		(void)snprintf(why, sizeof(why), "not asleep within %" PRIu64 " s",
			       c->opt.sleep_ms / 1000);
		sleep_failed(c, now_ms, n, why, fx);
	} else if (n->power == POWER_WAKING) {
		(void)snprintf(why, sizeof(why), "its agent was not heard of within %" PRIu64 " s",
			       c->opt.wake_ms / 1000);
		wake_failed(c, now_ms, n, why, fx);
	}
}

void power_heard(struct cluster *c, uint64_t now_ms, struct node *n, bool introduced,
		 struct effects *fx)
{
	const char *reason = "its agent reports";

	if (n->power == POWER_SLEEPING)
		return;
	if (n->power == POWER_ASLEEP && !introduced && now_ms < n->power_ms + GRACE_MS)
		return;
	if (n->power == POWER_ASLEEP)
		reason = introduced ? "was woken by others" : "reports though it was put to sleep";
	else if (n->power == POWER_WAKING)
		reason = "awake, its agent is ready";
	timer_clear(&c->timers, &n->power_timer);
	n->power = POWER_ON;
	n->alive = ALIVE_UP;
	n->failed_wake = false;
	node_tell(c, now_ms, n, n->draining ? "drained by an operator" : reason, (double)NAN,
		  (double)NAN, fx);
}

void core_power_again(struct cluster *c, uint64_t now_ms, struct effects *fx)
{
	c->now_ms = now_ms;
	for (uint32_t i = 0; i < c->nnodes; i++) {
		struct node *n = c->nodes[i];

		if (n->power == POWER_SLEEPING) {
			set_timer(c, n, now_ms + c->opt.sleep_ms, fx);
			fx_hook(fx, FX_SUSPEND, n);
		} else if (n->power == POWER_WAKING) {
			set_timer(c, n, now_ms + c->opt.wake_ms, fx);
			fx_hook(fx, FX_RESUME, n);
		}
	}
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
		go_to_sleep(c, now_ms, n, reason, fx);
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
		wake_up(c, now_ms, n, reason, fx);
		coming += n->cpus / cls->cpus * cls->cpus;
	}
	return coming > 0;
}

void core_set_cap(struct cluster *c, double cap_w)
{
	c->cap_mw = cap_w > 0 ? (uint64_t)llround(cap_w * 1000) : 0;
	c->schedule = true;
}

/* ---- what an operator asks ------------------------------------------------------- */

static int ask_sleep(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		     struct effects *fx, struct err *e)
{
	if (n->power != POWER_ON || n->alive != ALIVE_UP)
		return err_set(e, -EBUSY, "node %s can't be put to sleep: it is %s", n->name,
			       node_state_names[n->state]);
	if (!n->sleep_capable) {
		err_set(e, -EBUSY, "node %s can't be put to sleep: there is no way to wake it",
			n->name);
		return err_hint(e, "start droverd with --suspend-program and --resume-program");
	}
	if (n->used_cpus || n->outgoing.next != &n->outgoing) {
		err_set(e, -EBUSY, "node %s can't be put to sleep: it has jobs", n->name);
		return err_hint(e, "drain it first");
	}
	go_to_sleep(c, now_ms, n, reason, fx);
	return 0;
}

static int ask_wake(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		    struct effects *fx, struct err *e)
{
	if (n->power != POWER_ASLEEP && !n->failed_wake)
		return err_set(e, -EBUSY, "node %s isn't asleep: it is %s", n->name,
			       node_state_names[n->state]);
	if (!n->sleep_capable)
		return err_set(e, -EBUSY, "node %s can't be woken: there is no --resume-program",
			       n->name);
	if (n->power == POWER_ON)
		n->power_ms = now_ms;
	wake_up(c, now_ms, n, reason, fx);
	return 0;
}

static int ask_drain(struct cluster *c, uint64_t now_ms, struct node *n, bool all,
		     const char *reason, struct effects *fx)
{
	n->cordoned = true;
	(void)snprintf(n->state_reason, sizeof(n->state_reason), "%s", reason);
	if (all && !n->draining) {
		n->draining = true;
		list_push(&c->drains, &n->drain);
	}
	node_tell(c, now_ms, n, reason, (double)NAN, (double)NAN, fx);
	return 0;
}

static void undo_drain(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		       struct effects *fx)
{
	n->cordoned = n->draining = false;
	list_remove(&n->drain);
	n->state_reason[0] = '\0';
	node_tell(c, now_ms, n, reason, (double)NAN, (double)NAN, fx);
}

int core_node_action(struct cluster *c, uint64_t now_ms, struct node *n, enum node_action action,
		     const char *reason, struct effects *fx, struct err *e)
{
	enum node_state before = n->shown;
	int r = 0;

	c->now_ms = now_ms;
	c->schedule = true;
	switch (action) {
	case ACTION_CORDON:
	case ACTION_DRAIN:
		r = ask_drain(c, now_ms, n, action == ACTION_DRAIN, reason, fx);
		break;
	case ACTION_UNCORDON:
	case ACTION_RESUME:
		undo_drain(c, now_ms, n, reason, fx);
		if (action == ACTION_RESUME && n->failed_wake)
			r = ask_wake(c, now_ms, n, reason, fx, e);
		break;
	case ACTION_SLEEP:
		r = ask_sleep(c, now_ms, n, reason, fx, e);
		break;
	case ACTION_WAKE:
		r = ask_wake(c, now_ms, n, reason, fx, e);
		break;
	case ACTION_COUNT:
		r = -EINVAL;
	}
	if (r)
		return r;
	node_refresh(c, n);
	if (n->shown == before)
		fx_node(fx, n);
	return 0;
}
