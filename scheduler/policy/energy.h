/* What the files of the policy `energy` share. */
#ifndef DROVER_SCHEDULER_POLICY_ENERGY_H
#define DROVER_SCHEDULER_POLICY_ENERGY_H

#include "scheduler/policy/policy.h"

/* Moves all jobs of a node to a faster machine if together they save energy there. */
void energy_empty(struct policy_view *v, struct node *from);

#endif
