/* Starting the processes of a cluster on this machine, for `drover up`. */
#ifndef DROVER_CLI_LAUNCH_H
#define DROVER_CLI_LAUNCH_H

#include "cli/cluster.h"

/* How long a process may take to be ready. */
#define LAUNCH_MAX_MS 15000

/*
 * Starts droverd on 127.0.0.1:port ("0": any free one) as the first process of c and waits for
 * its address, which c->url receives. policy NULL: its default. sleeps: with programs that put
 * nodes to sleep and wake them by `drover down` and `up`. -ECHILD with its last words, -ETIMEDOUT.
 */
int launch_scheduler(struct cluster *c, const char *port, const char *policy, bool sleeps,
		     struct err *e);
/* Starts the agent of a node whose name, ISA and processors p says, and fills in the rest of it. */
int launch_agent(const struct cluster *c, struct cluster_process *p, struct err *e);
/* -ECHILD, with the last line that a process wrote before it ended. */
int launch_died(const struct cluster_process *p, struct err *e);
void launch_pause(unsigned int ms);

#endif
