/*
 * Which nodes to use: the fewest that hold a demand of cpus, and of those sets
 * one with little idle power.
 */
#ifndef DROVER_SCHEDULER_POLICY_NODE_SET_H
#define DROVER_SCHEDULER_POLICY_NODE_SET_H

#include "scheduler/policy/policy.h"

struct node_set {
	uint32_t *by_power; /* usable nodes, cheapest first; the chosen ones at the front */
	uint32_t *by_cpus;  /* usable nodes, largest first */
	uint32_t *before;   /* by node index: room for the cpus claimed before any move */
	bool *in;           /* by node index */
	uint32_t n, chosen;
	uint64_t cpus; /* of the chosen ones */
};

/* Chooses for a demand of so many cpus; -ENOMEM. */
int node_set_choose(struct node_set *s, const struct policy_view *v, uint64_t demand);
void node_set_free(struct node_set *s);

#endif
