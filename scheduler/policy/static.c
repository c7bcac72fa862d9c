/*
 * static: a job stays where it started. New ones go to the least loaded node.
 * The baseline that the other policies are compared with.
 */
#include "scheduler/policy/policy.h"

static void decide(struct policy_view *v)
{
	for (uint32_t k = 0; k < v->npending; k++) {
		uint32_t i = policy_least_loaded(v, &v->pending[k]);

		if (i != VIEW_NOWHERE)
			policy_place(v, &v->pending[k], i, "static: least loaded node");
		else if (v->pending[k].isas == (1u << ISA_COUNT) - 1)
			break; /* first come, first served among those that could run anywhere */
	}
}

const struct policy policy_static = {
	.name = "static",
	.summary = "start on the least loaded node, never move",
	.decide = decide,
};
