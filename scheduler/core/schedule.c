/*
 * Between core and policy: makes the view, checks and applies the decisions,
 * and answers a person's wish to move a job.
 */
#include "scheduler/core/core.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "scheduler/policy/policy.h"

void core_set_policy(struct cluster *c, const struct policy *p, const struct policy_options *o)
{
	c->policy = p;
	c->policy_opt = *o;
	c->low_since_ms = 0;
	c->schedule = true;
}

/* Why the job can't be moved just now, or NULL. */
static const char *unmovable(const struct job *j)
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

static void view_job(struct view_job *v, struct job *j, const struct cluster *c, uint64_t now_ms)
{
	v->job = j;
	v->id = j->id;
	v->cpus = j->spec.cpus;
	v->isas = j->spec.isas;
	v->node = j->node ? j->node->index : VIEW_NOWHERE;
	v->movable = !unmovable(j) && now_ms >= j->settled_ms + c->policy_opt.cooldown_ms;
}

static int view_fill(struct policy_view *v, struct cluster *c, uint64_t now_ms)
{
	uint32_t nrunning = c->njobs - c->npending;
	uint32_t npending = c->npending < VIEW_PENDING_MAX ? c->npending : VIEW_PENDING_MAX;

	v->now_ms = now_ms;
	v->opt = &c->policy_opt;
	v->low_since_ms = &c->low_since_ms;
	v->moves_left = c->nactive < c->policy_opt.max_in_flight
				? c->policy_opt.max_in_flight - c->nactive
				: 0;
	v->nodes = calloc(c->nnodes + 1, sizeof(*v->nodes));
	v->running = calloc(nrunning + 1, sizeof(*v->running));
	v->pending = calloc(npending + 1, sizeof(*v->pending));
	v->decisions = calloc(npending + v->moves_left + 1, sizeof(*v->decisions));
	if (!v->nodes || !v->running || !v->pending || !v->decisions)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->nnodes; i++) {
		struct node *n = c->nodes[i];

		v->nodes[v->nnodes++] = (struct view_node){
			.node = n,
			.name = n->name,
			.isa = n->isa,
			.emulated = n->emulated,
			.cpus = n->cpus,
			.used = n->used_cpus,
			.idle_w = n->idle_w,
			.core_w = n->core_w,
			.usable = n->state == NODE_UP,
		};
		list_each(l, &n->jobs) if (v->nrunning < nrunning) view_job(
			&v->running[v->nrunning++], list_entry(l, struct job, queue), c, now_ms);
	}
	list_each(l, &c->pending)
	{
		struct job *j = list_entry(l, struct job, queue);

		if (v->npending == npending)
			break;
		if (now_ms >= j->not_before_ms)
			view_job(&v->pending[v->npending++], j, c, now_ms);
	}
	return 0;
}

static void view_free(struct policy_view *v)
{
	free(v->nodes);
	free(v->running);
	free(v->pending);
	free(v->decisions);
}

static bool node_takes(const struct node *n, const struct job *j)
{
	return n->state == NODE_UP && (j->spec.isas & (1u << n->isa)) &&
	       n->used_cpus + j->spec.cpus <= n->cpus;
}

static void apply(struct cluster *c, uint64_t now_ms, const struct decision *d,
		  const struct policy_view *v, struct effects *fx)
{
	struct job *j = d->job->job;
	struct node *n = v->nodes[d->node].node;

	if (!node_takes(n, j))
		return;
	if (j->state == JOB_PENDING)
		job_place(c, now_ms, j, n, d->reason, fx);
	else if (!unmovable(j) && n != j->node)
		(void)migration_start(c, now_ms, j, n, d->reason, d->predicted_j, false, fx);
}

/* What a waiting job waits for, as people know it from squeue. */
static void explain_waiting(struct cluster *c, uint64_t now_ms, struct effects *fx)
{
	uint32_t k = 0;

	list_each(l, &c->pending)
	{
		struct job *j = list_entry(l, struct job, queue);
		const char *why = "Resources: no node that is up has so many cpus of its ISAs";

		if (now_ms < j->not_before_ms)
			continue;
		if (k++ == VIEW_PENDING_MAX)
			break;
		for (uint32_t i = 0; i < c->nnodes; i++) {
			const struct node *n = c->nodes[i];

			if (n->state == NODE_UP && (j->spec.isas & (1u << n->isa)) &&
			    n->cpus >= j->spec.cpus) {
				why = k == 1 ? "Resources: waits for free cpus"
					     : "Priority: earlier jobs wait for cpus";
				break;
			}
		}
		if (strcmp(j->reason, why)) {
			(void)snprintf(j->reason, sizeof(j->reason), "%s", why);
			fx_job(fx, j);
		}
	}
}

void core_schedule(struct cluster *c, uint64_t now_ms, struct effects *fx)
{
	struct policy_view v = {0};

	c->schedule = false;
	if (!c->policy || !c->njobs)
		return;
	if (view_fill(&v, c, now_ms)) {
		fx->failed = true;
	} else {
		c->policy->decide(&v);
		for (uint32_t i = 0; i < v.ndecisions; i++)
			apply(c, now_ms, &v.decisions[i], &v, fx);
		explain_waiting(c, now_ms, fx);
	}
	view_free(&v);
}

/* The node of another ISA with most room, else any other with most room. */
static struct node *best_other(const struct cluster *c, const struct job *j)
{
	struct node *best = NULL;
	uint32_t best_free = 0;
	bool best_crosses = false;

	for (uint32_t i = 0; i < c->nnodes; i++) {
		struct node *n = c->nodes[i];
		bool crosses = n->isa != j->node->isa;
		uint32_t room;

		if (n == j->node || !node_takes(n, j))
			continue;
		room = n->cpus - n->used_cpus;
		if (!best || (crosses && !best_crosses) ||
		    (crosses == best_crosses && room > best_free)) {
			best = n;
			best_free = room;
			best_crosses = crosses;
		}
	}
	return best;
}

int core_migrate(struct cluster *c, uint64_t now_ms, struct job *j, struct node *to,
		 const char *reason, struct migration **out, struct effects *fx, struct err *e)
{
	const char *why = unmovable(j);

	*out = NULL;
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
	if (to == j->node)
		return err_set(e, -EBUSY, "job %" PRIu64 " already runs on %s", j->id, to->name);
	if (to->state != NODE_UP)
		return err_set(e, -EBUSY, "node %s is %s", to->name, node_state_names[to->state]);
	if (!(j->spec.isas & (1u << to->isa)))
		return err_set(e, -EBUSY, "job %" PRIu64 " may not run on %s", j->id,
			       isa_name(to->isa));
	if (!node_takes(to, j))
		return err_set(e, -EBUSY,
			       "node %s has %" PRIu32 " of %" PRIu32
			       " cpus free; the job needs %" PRIu32,
			       to->name, to->cpus > to->used_cpus ? to->cpus - to->used_cpus : 0,
			       to->cpus, j->spec.cpus);
	*out = migration_start(c, now_ms, j, to, reason, 0, true, fx);
	return *out ? 0 : err_set(e, -ENOMEM, "no memory for the migration");
}
