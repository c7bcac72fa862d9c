/*
 * Which nodes to use: the fewest that hold a demand of cpus, and of those sets
 * one with little idle power. Nodes that are alike are counted, not listed, so
 * that the cost depends on how many kinds there are.
 */
#ifndef DROVER_SCHEDULER_POLICY_MACHINE_SET_H
#define DROVER_SCHEDULER_POLICY_MACHINE_SET_H

#include "scheduler/policy/policy.h"

/* The set for what runs and what may start; chosen once a step as long as the demand stays. */
const struct machine_set *machine_set_of(struct policy_view *v);
void machine_set_choose(struct machine_set *s, const struct cluster *c, uint64_t demand);

#endif
