/*
 * static-x86: what a cluster without another ISA does. Jobs go to x86-64 nodes
 * and stay there; only one that can't run there is given to others.
 */
#include "scheduler/policy/policy.h"

static const char *const options[] = {NULL};

static struct node *place(struct policy_view *v, const struct job *j, const char **why)
{
	uint32_t x86 = 1u << ISA_X86_64;

	if (j->spec.isas & x86) {
		*why = "static-x86: fewest cpus in use of x86-64";
		return spread_place(v, j, weight_equal, x86);
	}
	*why = "static-x86: the job does not run on x86-64";
	return spread_place(v, j, weight_equal, j->spec.isas);
}

const struct policy policy_static_x86 = {
	.name = "static-x86",
	.summary = "start on the x86-64 node with the fewest cpus in use, never move",
	.options = options,
	.place = place,
};
