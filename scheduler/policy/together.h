/*
 * All jobs of a node at once to another one. Each alone may cost more than it
 * saves, as the others keep the node awake.
 */
#ifndef DROVER_SCHEDULER_POLICY_TOGETHER_H
#define DROVER_SCHEDULER_POLICY_TOGETHER_H

#include "scheduler/policy/policy.h"

/* Moves all jobs of a node to a faster one that is awake, if together they save energy there. */
void together_to_awake(struct policy_view *v, struct node *from, const char *name);

/*
 * The same with a node that sleeps: if what the move saves is more than it costs with the wake, the
 * node is woken; the jobs run on meanwhile and go when its agent is ready, if it still saves. With
 * a policy that has a bound on the makespan each must end within it.
 */
void together_to_asleep(struct policy_view *v, struct node *from, const char *name);

#endif
