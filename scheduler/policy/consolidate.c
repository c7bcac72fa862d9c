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
#include "scheduler/policy/policy.h"

#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 16 /* nodes in a set that is chosen with look-ahead */

struct set {
	uint32_t *
		by_power; /* usable nodes, cheapest first; the chosen ones are moved to the front */
	uint32_t *by_cpus; /* usable nodes, largest first */
	bool *in;          /* by node index */
	uint32_t n, chosen;
	uint64_t cpus; /* of the chosen ones */
};

static int cheaper(const void *a, const void *b, void *arg)
{
	const struct view_node *nodes = arg;
	const struct view_node *x = &nodes[*(const uint32_t *)a], *y = &nodes[*(const uint32_t *)b];

	if (x->idle_w < y->idle_w || x->idle_w > y->idle_w)
		return x->idle_w < y->idle_w ? -1 : 1;
	if (x->core_w < y->core_w || x->core_w > y->core_w)
		return x->core_w < y->core_w ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int larger(const void *a, const void *b, void *arg)
{
	const struct view_node *nodes = arg;
	const struct view_node *x = &nodes[*(const uint32_t *)a], *y = &nodes[*(const uint32_t *)b];

	if (x->cpus != y->cpus)
		return x->cpus > y->cpus ? -1 : 1;
	return cheaper(a, b, arg);
}

/* cpus of the count largest nodes that are neither chosen nor i. */
static uint64_t largest_left(const struct policy_view *v, const struct set *s, uint32_t count,
			     uint32_t i)
{
	uint64_t cpus = 0;

	for (uint32_t k = 0; k < s->n && count; k++) {
		if (s->in[s->by_cpus[k]] || s->by_cpus[k] == i)
			continue;
		cpus += v->nodes[s->by_cpus[k]].cpus;
		count--;
	}
	return cpus;
}

static void take_node(const struct policy_view *v, struct set *s, uint32_t at)
{
	uint32_t i = s->by_power[at];

	memmove(&s->by_power[s->chosen + 1], &s->by_power[s->chosen],
		(at - s->chosen) * sizeof(uint32_t));
	s->by_power[s->chosen++] = i;
	s->in[i] = true;
	s->cpus += v->nodes[i].cpus;
}

static void choose(const struct policy_view *v, struct set *s, uint64_t demand)
{
	uint32_t least = 0;
	uint64_t cpus = 0;

	while (least < s->n && (cpus < demand || !least))
		cpus += v->nodes[s->by_cpus[least++]].cpus;
	if (demand > cpus)
		demand = cpus;
	/* Of so many: each time the cheapest with which the largest others still suffice. */
	while (s->cpus < demand && least <= EXACT_MAX && s->chosen < least) {
		for (uint32_t k = s->chosen; k < s->n; k++) {
			uint32_t i = s->by_power[k];

			if (s->cpus + v->nodes[i].cpus +
				    largest_left(v, s, least - s->chosen - 1, i) >=
			    demand) {
				take_node(v, s, k);
				break;
			}
		}
	}
	while (s->cpus < demand && s->chosen < s->n)
		take_node(v, s, s->chosen);
}

/* The fullest chosen node first, so that the set itself stays small. */
static uint32_t target(const struct policy_view *v, const struct set *s, const struct view_job *j)
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

static void place_pending(struct policy_view *v, const struct set *s)
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

/* Moves what may move from a node outside the set; true if anything is outside. */
static bool empty_nodes(struct policy_view *v, const struct set *s, bool settled)
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
		saved_w = from->idle_w * j->cpus / from->used + from->core_w * j->cpus -
			  policy_added_w(v, j, t);
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
	_cleanup_free_ uint32_t *by_power = calloc(v->nnodes + 1, sizeof(uint32_t));
	_cleanup_free_ uint32_t *by_cpus = calloc(v->nnodes + 1, sizeof(uint32_t));
	_cleanup_free_ bool *in = calloc(v->nnodes + 1, sizeof(bool));
	struct set s = {.by_power = by_power, .by_cpus = by_cpus, .in = in};
	uint64_t demand = 0;
	bool settled;

	if (!by_power || !by_cpus || !in)
		return;
	for (uint32_t i = 0; i < v->nnodes; i++)
		if (v->nodes[i].usable && v->nodes[i].cpus)
			by_power[s.n++] = i;
	memcpy(by_cpus, by_power, s.n * sizeof(uint32_t));
	qsort_r(by_power, s.n, sizeof(uint32_t), cheaper, v->nodes);
	qsort_r(by_cpus, s.n, sizeof(uint32_t), larger, v->nodes);
	for (uint32_t k = 0; k < v->nrunning; k++)
		demand += v->running[k].cpus;
	for (uint32_t k = 0; k < v->npending; k++)
		demand += v->pending[k].cpus;
	choose(v, &s, demand);
	place_pending(v, &s);
	settled = *v->low_since_ms && v->now_ms >= *v->low_since_ms + v->opt->settle_ms;
	if (!empty_nodes(v, &s, settled))
		*v->low_since_ms = 0;
	else if (!*v->low_since_ms)
		*v->low_since_ms = v->now_ms;
}

const struct policy policy_consolidate = {
	.name = "consolidate",
	.summary = "fewest nodes with the least idle power; running jobs leave the others",
	.decide = decide,
};
