/*
 * Energy arithmetic: sums intervals by node and by job, and checks that
 * jobs + idle + system = node. Pure; all in microjoules.
 *
 * A figure carries the source, scope and kind of the readings it was made of;
 * where these differ it says "mixed". Readings of meters whose scopes overlap
 * (a node's meter and its package's) are not added: ledger_counted() says which
 * of a node's meters make up its total.
 */
#ifndef DROVER_SCHEDULER_LEDGER_LEDGER_H
#define DROVER_SCHEDULER_LEDGER_LEDGER_H

#include "common/err.h"
#include "scheduler/core/types.h"

struct ledger_sum {
	char node[CORE_NAME_MAX]; /* of a node's sum */
	uint64_t job;             /* of a job's sum */
	char source[16], scope[16], kind[16];
	uint64_t energy_uj, idle_uj, jobs_uj, system_uj, gap_ms;
	uint64_t from_ms, to_ms; /* what the readings cover */
	uint64_t intervals;
	bool balanced; /* every interval added up */
};

struct ledger {
	struct ledger_sum *nodes, *jobs;
	size_t nnodes, njobs, nodes_cap, jobs_cap;
	uint32_t *job_index; /* hash of jobs */
	size_t job_buckets;
	struct ledger_sum total;
	bool failed; /* no memory: the sums are not complete */
};

void ledger_free(struct ledger *l);

/* Adds one interval; those that aren't counted are ignored. */
void ledger_add(struct ledger *l, const struct energy_interval *i);

/* 0, or -EINVAL: energy_uj is not idle + system + jobs, or an interval ends before it begins. */
int ledger_check(const struct energy_interval *i, struct err *e);

/* Is a reading of this scope part of its node's total, given all scopes the node's meters have
 * (NULL-terminated)? A node meter is the total; without one package and dram add up to it. */
bool ledger_counted(const char *scope, const char *const *scopes);

#endif
