/*
 * The shadow: what a baseline would have done with the jobs that a live cluster
 * got. Its trace is made of the live cluster's records, its outcome compared with
 * the live one over the same interval.
 *
 * A job's work is what it took where it ran, in seconds on the baseline's first
 * machine. Both sides end at the end of the interval, whatever still runs then. A
 * job that was there before the interval began is given to the shadow at its
 * beginning, with the part of its work that the live cluster did not do before, and
 * has no part in the waits.
 *
 * Pure. Times in ms since the epoch, energies in joules.
 */
#ifndef DROVER_SCHEDULER_REPLAY_SHADOW_H
#define DROVER_SCHEDULER_REPLAY_SHADOW_H

#include "scheduler/core/types.h"
#include "scheduler/replay/replay.h"

#define SHADOW_JOBS_MAX   200000u
#define SHADOW_POINTS_MAX 500u

/* A job of the live cluster. */
struct shadow_job {
	uint64_t id;
	uint64_t submit_ms; /* or, if that is later, when it was to begin */
	uint64_t start_ms;  /* first start; 0: not yet */
	uint64_t end_ms;    /* 0: not over */
	uint64_t after;     /* the job whose end it follows; 0: none */
	uint64_t memory_bytes;
	double work_s; /* all of it, on the reference machine */
	double done_s; /* of it, by now */
	float busy;    /* part of that time its cpus compute, 0 to 1 */
	uint32_t cpus, limit_s;
	uint32_t user, program; /* numbers that are equal for equal ones; not 0 */
	int8_t kernel, class;   /* indices as in struct trace_job, if its name is a kernel's */
	bool failed;
	bool estimated; /* the work is not, or not only, what was measured on a real machine */
};

/* One column of the comparison. */
struct shadow_side {
	double energy_j, makespan_s, mean_wait_s, p95_wait_s, edp_js;
	uint64_t jobs;       /* that ended in the interval */
	uint64_t unfinished; /* at its end */
};

/* Energy of the live nodes over an interval, for buckets of equal length. */
struct shadow_energy {
	uint64_t from_ms, to_ms;
	uint32_t npoints;
	double joules[SHADOW_POINTS_MAX], scaled[SHADOW_POINTS_MAX];
	double total_j, scaled_j;
};

/* "ep.A" or "ep.Ax3" as indices of profile_kernels and profile_classes; both TRACE_NO_KERNEL: it is
 * no kernel's name. */
void shadow_kernel(const char *name, int8_t *kernel, int8_t *class);

/* How long a job takes on the reference machine that took a second on a node with that profile: by
 * its kernel, if both profiles know it, else by their speeds. */
double shadow_work(const struct profile *node, const struct profile *reference, int kernel,
		   int class);

/* Part of the jobs' array that has to do with the interval: those that came before its end and were
 * not over at its beginning. Sorts by time, and keeps those at the front; returns how many. */
size_t shadow_choose(struct shadow_job *jobs, size_t n, uint64_t from_ms, uint64_t to_ms);

/* The trace of chosen jobs, as they are sorted. -ENOMEM. Free *t by trace_free(). */
int shadow_trace(const struct shadow_job *jobs, size_t n, uint64_t from_ms, struct trace *t,
		 struct err *e);

/* What became of chosen jobs, without the energy. -ENOMEM. */
int shadow_live_side(const struct shadow_job *jobs, size_t n, uint64_t from_ms, uint64_t to_ms,
		     struct shadow_side *out, struct err *e);
/* The same of a replay of their trace that was ended at to_ms; with its energy. */
int shadow_replay_side(const struct shadow_job *jobs, const struct replay *r, uint64_t from_ms,
		       uint64_t to_ms, struct shadow_side *out, struct err *e);

/* Buckets over an interval that is not empty. */
void shadow_energy_init(struct shadow_energy *s, uint64_t from_ms, uint64_t to_ms);
/* Adds the part of an interval's energy that lies within, taking it as evenly spread; factor makes
 * it the scaled one. */
void shadow_energy_add(struct shadow_energy *s, const struct energy_interval *i, double factor);
/* A replay's energy up to so long after its beginning. */
double shadow_energy_until(const struct replay *r, uint64_t ms);

#endif
