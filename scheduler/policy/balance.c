/*
 * balance: the same share of busy cpus on every node. New jobs go to the least
 * loaded node; a running job moves from the most to the least loaded one when
 * that narrows the difference by more than the hysteresis, so that a machine
 * that finishes early takes over work, whichever ISA it has.
 */
#include "scheduler/policy/policy.h"

static struct view_job *movable_on(struct policy_view *v, uint32_t node, uint32_t to)
{
	for (uint32_t k = 0; k < v->nrunning; k++) {
		struct view_job *j = &v->running[k];

		if (j->node == node && j->movable && policy_fits(v, j, to))
			return j;
	}
	return NULL;
}

/* One move that helps, or false. */
static bool move_one(struct policy_view *v)
{
	uint32_t high = VIEW_NOWHERE, low = VIEW_NOWHERE;
	struct view_job *j;
	double before, after, saved_w;

	for (uint32_t i = 0; i < v->nnodes; i++) {
		const struct view_node *n = &v->nodes[i];

		if (!n->usable || !n->cpus)
			continue;
		if (high == VIEW_NOWHERE || policy_load(n) > policy_load(&v->nodes[high]))
			high = i;
		/* Of equally idle nodes a native one first. */
		if (low == VIEW_NOWHERE || policy_load(n) < policy_load(&v->nodes[low]) ||
		    (n->emulated < v->nodes[low].emulated &&
		     policy_load(n) <= policy_load(&v->nodes[low])))
			low = i;
	}
	if (high == low || high == VIEW_NOWHERE)
		return false;
	j = movable_on(v, high, low);
	if (!j)
		return false;
	before = policy_load(&v->nodes[high]);
	after = (double)(v->nodes[low].used + j->cpus) / v->nodes[low].cpus;
	if (before - after <= v->opt->hysteresis)
		return false;
	saved_w = (v->nodes[high].core_w - v->nodes[low].core_w) * j->cpus;
	policy_move(v, j, low, saved_w * v->opt->horizon_s,
		    "balance: %.40s is %.0f %% busy, %.40s would be %.0f %%", v->nodes[high].name,
		    100 * before, v->nodes[low].name, 100 * after);
	return true;
}

static void decide(struct policy_view *v)
{
	for (uint32_t k = 0; k < v->npending; k++) {
		uint32_t i = policy_least_loaded(v, &v->pending[k]);

		if (i != VIEW_NOWHERE)
			policy_place(v, &v->pending[k], i, "balance: least loaded node");
		else if (v->pending[k].isas == (1u << ISA_COUNT) - 1)
			break;
	}
	while (v->moves_left && move_one(v))
		;
}

const struct policy policy_balance = {
	.name = "balance",
	.summary = "spread over all nodes; move running jobs to nodes that fall idle",
	.decide = decide,
};
