/*
 * Energy arithmetic: sums intervals by node and by job, and checks that
 * jobs + idle + system = node. Pure; all in microjoules.
 *
 * Two views of idle energy. Kept apart: a job's energy is its share (by CPU time)
 * of what the node drew above idle. Attributed: the idle energy of an interval in
 * which jobs worked is shared among them in proportion to that energy; that of an
 * interval without jobs, and what division leaves over, is nobody's. Either way
 * the parts of a node add up to its meter.
 *
 * A figure carries the source, scope and kind of the readings it was made of;
 * where these differ it says "mixed". Readings of meters whose scopes overlap
 * (a node's meter and its package's) are not added: an interval says whether it is
 * counted; where an agent did not say it, ledger_counted() does.
 */
#ifndef DROVER_SCHEDULER_LEDGER_LEDGER_H
#define DROVER_SCHEDULER_LEDGER_LEDGER_H

#include "common/err.h"
#include "scheduler/core/types.h"

struct ledger_sum {
	char node[CORE_NAME_MAX]; /* of a node's sum */
	uint64_t job;             /* of a job's sum */
	char source[16], scope[16], kind[16];
	uint64_t energy_uj, idle_uj, jobs_uj, system_uj;
	/* Of idle_uj (a job's: beside energy_uj), what is attributed to jobs. */
	uint64_t idle_attributed_uj;
	/* Time for which some of the energy is not known, also that between two readings. */
	uint64_t gap_ms;
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
	uint64_t from_ms, to_ms; /* only this part of each interval; to_ms 0: all of it */
	bool failed;             /* no memory: the sums are not complete */
};

void ledger_free(struct ledger *l);

/* Adds one interval, a node's in order of time; those that aren't counted are ignored. */
void ledger_add(struct ledger *l, const struct energy_interval *i);

/*
 * The part of an interval that lies within from_ms <= t < to_ms, taking its energy as
 * evenly spread; parts of a partition add up exactly to the whole. False: nothing
 * of it does.
 */
bool ledger_clip(struct energy_interval *i, uint64_t from_ms, uint64_t to_ms);

/* v * part / whole without overflow; 0 when whole is 0. */
uint64_t ledger_part(uint64_t v, uint64_t part, uint64_t whole);

/* The jobs' shares of the interval's idle energy into share[i->njobs]; returns their sum. */
uint64_t ledger_share_idle(const struct energy_interval *i, uint64_t *share);

/* 0, or -EINVAL: energy_uj is not idle + system + jobs, or an interval ends before it begins. */
int ledger_check(const struct energy_interval *i, struct err *e);

/* Is a reading of this scope part of its node's total, given all scopes the node's meters have
 * (NULL-terminated)? The widest scope that is there is the total; package and dram add up. */
bool ledger_counted(const char *scope, const char *const *scopes);

#endif
