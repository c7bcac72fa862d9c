/*
 * consolidate: as few nodes as hold the demand, and of those sets one with the
 * least idle power. While few jobs run that is the node that idles cheapest;
 * when a burst needs more cpus than it has, a larger machine may hold all alone
 * and running jobs go there; when the burst is over they come back. The emptied
 * nodes are what may be put to sleep.
 *
 * Waiting jobs go to the set at once; running ones follow when they have been
 * outside of it for settle_ms and the move is predicted to save energy.
 */
#include "scheduler/policy/node_set.h"
#include "scheduler/policy/policy.h"

/* The fullest chosen node first, so that the set itself stays small. */
static uint32_t target(const struct policy_view *v, const struct node_set *s,
		       const struct view_job *j)
{
	uint32_t best = VIEW_NOWHERE;

	for (uint32_t k = 0; k < s->chosen; k++) {
		uint32_t i = s->by_power[k];

		if (policy_fits(v, j, i) &&
		    (best == VIEW_NOWHERE ||
		     policy_load(&v->nodes[i]) > policy_load(&v->nodes[best])))
			best = i;
	}
	return best;
}

static void place_pending(struct policy_view *v, const struct node_set *s)
{
	for (uint32_t k = 0; k < v->npending; k++) {
		struct view_job *j = &v->pending[k];
		uint32_t best = target(v, s, j);

		if (best != VIEW_NOWHERE) {
			policy_place(v, j, best,
				     "consolidate: fewest nodes with the least idle power");
			continue;
		}
		/* Its ISA isn't in the set, or running jobs outside of it are in the way. */
		for (uint32_t i = 0; i < v->nnodes; i++)
			if (policy_fits(v, j, i) &&
			    (best == VIEW_NOWHERE ||
			     policy_added_w(v, j, i) < policy_added_w(v, j, best)))
				best = i;
		if (best != VIEW_NOWHERE)
			policy_place(v, j, best, "consolidate: least added power outside the set");
		else if (j->isas == (1u << ISA_COUNT) - 1)
			break;
	}
}

/* What a node's emptying saves, shared among its jobs by their cpus; if the target was empty, its
 * idle power is the price. */
static double saving_w(const struct policy_view *v, const struct node_set *s,
		       const struct view_job *j, uint32_t t)
{
	const struct view_node *from = &v->nodes[j->node], *to = &v->nodes[t];
	double idle_w = from->idle_w - (s->before[t] ? 0 : to->idle_w);

	return idle_w * j->cpus / s->before[j->node] + (from->core_w - to->core_w) * j->cpus;
}

/* Moves what may move from a node outside the set; true if anything is outside. */
static bool empty_nodes(struct policy_view *v, const struct node_set *s, bool settled)
{
	bool outside = false;

	for (uint32_t k = 0; k < v->nrunning; k++) {
		struct view_job *j = &v->running[k];
		const struct view_node *from = &v->nodes[j->node];
		const struct view_node *to;
		double saved_w;
		uint32_t t;

		if (!from->usable || s->in[j->node])
			continue;
		t = target(v, s, j);
		if (t == VIEW_NOWHERE)
			continue;
		to = &v->nodes[t];
		saved_w = saving_w(v, s, j, t);
		if (saved_w < 0)
			continue;
		outside = true;
		if (settled && j->movable && v->moves_left)
			policy_move(v, j, t, saved_w * v->opt->horizon_s,
				    "consolidate: the demand fits %u node%s; empties %.40s "
				    "(%.0f W idle) onto %.40s",
				    s->chosen, s->chosen == 1 ? "" : "s", from->name, from->idle_w,
				    to->name);
	}
	return outside;
}

static void decide(struct policy_view *v)
{
	struct node_set s;
	uint64_t demand = 0;
	bool settled;

	for (uint32_t k = 0; k < v->nrunning; k++)
		demand += v->running[k].cpus;
	for (uint32_t k = 0; k < v->npending; k++)
		demand += v->pending[k].cpus;
	if (node_set_choose(&s, v, demand))
		return;
	place_pending(v, &s);
	for (uint32_t i = 0; i < v->nnodes; i++)
		s.before[i] = v->nodes[i].used;
	settled = *v->low_since_ms && v->now_ms >= *v->low_since_ms + v->opt->settle_ms;
	if (!empty_nodes(v, &s, settled))
		*v->low_since_ms = 0;
	else if (!*v->low_since_ms)
		*v->low_since_ms = v->now_ms;
	node_set_free(&s);
}

const struct policy policy_consolidate = {
	.name = "consolidate",
	.summary = "fewest nodes with the least idle power; running jobs leave the others",
	.decide = decide,
};
