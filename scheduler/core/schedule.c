/*
 * One step of deciding: waiting jobs are started (start.c), draining nodes are
 * emptied, running jobs are moved as the policy says, and idle nodes sleep. Also
 * a person's wish to move a job.
 *
 * The cost of a step is bounded by what it starts and by opt.backfill, not by
 * the length of the queue or the number of nodes.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scheduler/policy/policy.h"

void core_set_policy(struct cluster *c, const struct policy *p, const struct policy_options *o)
{
	c->policy = p;
	c->policy_sleeps = p->sleeps;
	c->policy_by_last_end = p->by_last_end;
	c->policy_opt = *o;
	c->low_since_ms = 0;
	c->moves_ms = 0;
	c->schedule = true;
}

const char *job_unmovable(const struct job *j)
{
	if (job_is_over(j))
		return "it is over";
	if (j->state == JOB_PENDING)
		return "it isn't running yet";
	if (j->ending != JOB_PENDING)
		return "it is being ended";
	if (j->migration)
		return "it is already migrating";
	if (j->aborting)
		return "its last migration is still being undone";
	if (!j->confirmed)
		return "its node has not yet reported it running";
	if (j->exited_ms)
		return "it has exited";
	return NULL;
}

bool core_movable(const struct cluster *c, const struct job *j)
{
	return !job_unmovable(j) && c->now_ms >= j->settled_ms + c->policy_opt.cooldown_ms;
}

/* ---- moving ------------------------------------------------------------------------ */

static void empty_draining(struct policy_view *v)
{
	struct cluster *c = v->c;

	list_each_safe(i, t, &c->drains)
	{
		struct node *n = list_entry(i, struct node, drain);

		node_tell(c, v->now_ms, n, n->state_reason, (double)NAN, (double)NAN, v->fx);
		list_each_safe(l, next, &n->jobs)
		{
			struct job *j = list_entry(l, struct job, at);
			const char *why;
			struct node *to;
			struct saving s;
			char reason[CORE_REASON_MAX];

			if (!v->moves_left || job_unmovable(j))
				continue;
			to = c->policy->place(v, j, &why);
			if (!to || !node_takes(to, j) || !backfill_take(c, v->now_ms, to, j))
				continue;
			s = core_saving(c, j, to);
			(void)snprintf(reason, sizeof(reason), "drain: %.60s is to be empty",
				       n->name);
			if (!migration_start(c, v->now_ms, j, to, reason, &s, false, v->fx))
				v->fx->failed = true;
			v->moves_left--;
		}
	}
}

/* Over the cap, and no idle node to put to sleep: a job goes where it draws less. */
static void move_for_cap(struct policy_view *v)
{
	struct cluster *c = v->c;
	struct machine *worst = NULL;
	struct node *from, *to = NULL;

	for (uint32_t i = 0; i < c->nmachines; i++)
		if (c->machines[i]->busy && (!worst || c->machines[i]->core_w > worst->core_w))
			worst = c->machines[i];
	from = worst ? policy_least_used(worst, NULL) : NULL;
	if (!from || c->mw <= c->cap_mw)
		return;
	list_each(l, &from->jobs)
	{
		struct job *j = list_entry(l, struct job, at);
		struct saving s;

		if (!core_movable(c, j))
			continue;
		for (uint32_t i = 0; i < c->nmachines; i++) {
			const struct machine *m = c->machines[i];
			struct node *n = NULL;

			if ((j->spec.isas & (1u << m->isa)) && m->core_w < worst->core_w)
				n = index_fullest(&m->up, j->spec.cpus, j->spec.memory_bytes);
			if (n && (!to || m->core_w < to->core_w))
				to = n;
		}
		if (!to || !backfill_take(c, v->now_ms, to, j))
			continue;
		s = core_saving(c, j, to);
		if (migration_start(c, v->now_ms, j, to, "power cap: draws less there", &s, false,
				    v->fx))
			v->moves_left--;
		else
			v->fx->failed = true;
		return;
	}
}

/* Running jobs are looked at again when the last one that moved or started has cooled down, and
 * when the demand has been low for long enough: nothing else changes by time alone. */
static void next_moves(struct cluster *c, uint64_t now_ms)
{
	uint64_t cool = c->settled_ms + c->policy_opt.cooldown_ms, next = UINT64_MAX;

	if (c->njobs > c->npending && now_ms < cool)
		next = cool < now_ms + 1000 ? cool : now_ms + 1000;
	if (c->low_since_ms && now_ms < c->low_since_ms + c->policy_opt.settle_ms &&
	    c->low_since_ms + c->policy_opt.settle_ms < next)
		next = c->low_since_ms + c->policy_opt.settle_ms;
	c->moves_ms = next;
}

void core_schedule(struct cluster *c, uint64_t now_ms, struct effects *fx)
{
	struct policy_view v = {.c = c, .now_ms = now_ms, .opt = &c->policy_opt, .fx = fx};

	now_ms = core_time(c, now_ms);
	if (!c->policy || (!c->schedule && now_ms < c->moves_ms && now_ms < power_next_ms(c)))
		return;
	c->schedule = false;
	v.moves_left = c->nactive < c->policy_opt.max_in_flight
			       ? c->policy_opt.max_in_flight - c->nactive
			       : 0;
	start_waiting(&v);
	empty_draining(&v);
	if (c->cap_mw && c->mw > c->cap_mw && v.moves_left)
		move_for_cap(&v);
	if (c->policy->moves && v.moves_left)
		c->policy->moves(&v);
	next_moves(c, now_ms);
	power_sleep_idle(c, now_ms, fx);
	c->schedule = false;
}

uint64_t core_next_ms(const struct cluster *c)
{
	uint64_t next = timer_next(&c->timers), sleep = power_next_ms(c);

	if (c->schedule)
		return c->now_ms;
	if (c->moves_ms < next && c->policy)
		next = c->moves_ms;
	if (sleep < next)
		next = sleep;
	list_each(i, &c->active)
	{
		const struct migration *m = list_entry(i, struct migration, active);
		uint64_t limit = m->state == MIG_PREPARING ? c->opt.prepare_ms : c->opt.send_ms;

		if (m->state < MIG_COMMITTED && m->phase_ms + limit < next)
			next = m->phase_ms + limit;
	}
	return next;
}

/* ---- a person's wish ------------------------------------------------------------------ */

/* The node of another ISA with most room, else any other with most room. */
static struct node *best_other(const struct cluster *c, const struct job *j)
{
	struct node *best = NULL;
	bool best_crosses = false;

	for (uint32_t i = 0; i < c->nmachines; i++) {
		const struct machine *m = c->machines[i];
		bool crosses = m->isa != j->node->isa;
		struct node *n = NULL;

		if (j->spec.isas & (1u << m->isa))
			n = index_emptiest(&m->up, j->spec.cpus, j->spec.memory_bytes);
		if (n == j->node) {
			struct tree_node *t =
				tree_before(&m->up, n->key->order.key, n->key->order.tie);

			n = t ? node_of(t) : NULL;
		}
		if (!n || !node_takes(n, j))
			continue;
		if (!best || (crosses && !best_crosses) ||
		    (crosses == best_crosses && node_free_cpus(n) > node_free_cpus(best))) {
			best = n;
			best_crosses = crosses;
		}
	}
	return best;
}

static int check_wish(const struct job *j, const struct node *to, struct err *e)
{
	if (to == j->node)
		return err_set(e, -EBUSY, "job %" PRIu64 " already runs on %s", j->id, to->name);
	if (to->state != NODE_UP || to->cordoned)
		return err_set(e, -EBUSY, "node %s is %s", to->name,
			       to->state == NODE_UP ? "cordoned" : node_state_names[to->state]);
	if (!(j->spec.isas & (1u << to->isa)))
		return err_set(e, -EBUSY, "job %" PRIu64 " may not run on %s", j->id,
			       isa_name(to->isa));
	if (to->used_cpus + j->spec.cpus > to->cpus)
		return err_set(e, -EBUSY,
			       "node %s has %" PRIu32 " of %" PRIu32
			       " cpus free; the job needs %" PRIu32,
			       to->name, to->cpus > to->used_cpus ? to->cpus - to->used_cpus : 0,
			       to->cpus, j->spec.cpus);
	if (!node_takes(to, j))
		return err_set(e, -EBUSY, "node %s has not enough free memory for the job",
			       to->name);
	return 0;
}

int core_migrate(struct cluster *c, uint64_t now_ms, struct job *j, struct node *to,
		 const char *reason, struct migration **out, struct effects *fx, struct err *e)
{
	const char *why = job_unmovable(j);
	struct saving s;
	int r;

	*out = NULL;
	now_ms = core_time(c, now_ms);
	if (why)
		return err_set(e, -EBUSY, "job %" PRIu64 " can't be moved: %s", j->id, why);
	if (!to)
		to = best_other(c, j);
	if (!to)
		return err_set(e, -EBUSY,
			       "job %" PRIu64
			       " can't be moved: no other node is up and has %" PRIu32
			       " free cpus of an ISA it may use",
			       j->id, j->spec.cpus);
	r = check_wish(j, to, e);
	if (r)
		return r;
	if (c->cap_mw && (double)c->mw + to->core_w * 1000 * j->spec.cpus > (double)c->cap_mw)
		return err_set(e, -EBUSY,
			       "job %" PRIu64
			       " can't be moved: the cluster would draw more than its "
			       "cap of %.0f W",
			       j->id, (double)c->cap_mw / 1000);
	s = core_saving(c, j, to);
	*out = migration_start(c, now_ms, j, to, reason, &s, true, fx);
	return *out ? 0 : err_set(e, -ENOMEM, "no memory for the migration");
}
