/*
 * The programs that put nodes to sleep and wake them. Each is run with the
 * node's name as its only argument, has its time, and is ended when that is
 * over; how it ended goes back to the core.
 */
#ifndef DROVER_SCHEDULER_API_POWER_H
#define DROVER_SCHEDULER_API_POWER_H

#include "scheduler/api/engine.h"

struct power_config {
	const char *suspend, *resume;     /* programs; NULL: none, and no node sleeps */
	unsigned int suspend_s, resume_s; /* their times */
};

struct power;

int power_new(struct power **out, struct engine *en, const struct power_config *cfg, struct err *e);
/* Ends its thread; programs that run are left to themselves, as after a crash. */
void power_free(struct power *p);
/* Runs the program for a node, unless it is running for it already. Never blocks. */
void power_run(struct power *p, const char *node, bool resume);

#endif
