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

const char *const node_action_names[] = {"cordon", "uncordon", "drain", "resume",
					 "sleep",  "wake",     NULL};

static void set_timer(struct cluster *c, struct node *n, uint64_t at_ms, struct effects *fx)
{
	if (timer_set(&c->timers, &n->power_timer, at_ms))
		fx->failed = true;
}

static void fx_hook(struct effects *fx, enum effect_kind kind, struct node *n)
{
	fx_add(fx, kind)->node = n;
}

void power_sleep(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		 struct effects *fx)
{
	const struct machine *m = n->machine;
	double idle_s =
		n->idle_ms && now_ms > n->idle_ms ? (double)(now_ms - n->idle_ms) / 1000 : 0;
	double saved_w = m->idle_w - m->sleep_w;

	/* It is expected to be idle as long again as it was. */
	n->sleep_predicted_j = saved_w * (idle_s - m->sleep_s) - m->wake_j;
	n->woken_to_move = false;
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

void power_wake(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
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
	now_ms = core_time(c, now_ms);
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
	now_ms = core_time(c, now_ms);
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
	power_sleep(c, now_ms, n, reason, fx);
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
	power_wake(c, now_ms, n, reason, fx);
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

	now_ms = core_time(c, now_ms);
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
