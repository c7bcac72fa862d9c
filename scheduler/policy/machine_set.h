/*
 * Which nodes to use: the fewest that hold a demand of cpus, and of those sets
 * one with little idle power. Nodes that are alike are counted, not listed, so
 * that the cost depends on how many kinds there are.
 */
#ifndef DROVER_SCHEDULER_POLICY_MACHINE_SET_H
#define DROVER_SCHEDULER_POLICY_MACHINE_SET_H

#include "scheduler/policy/policy.h"

#define SET_MACHINES 64 /* kinds that are weighed; nodes of further ones are used last */

struct machine_set {
	struct machine
		*by_power[SET_MACHINES];       /* that have nodes which take jobs, cheapest first */
	struct machine *by_cpus[SET_MACHINES]; /* the same, largest first */
	uint32_t count[SET_MACHINES];          /* nodes chosen, by place in by_power */
	uint32_t n;
	uint32_t nodes; /* chosen in all */
};

void machine_set_choose(struct machine_set *s, const struct cluster *c, uint64_t demand);

#endif
