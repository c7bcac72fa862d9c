/*
 * Replay: the live scheduler's core (scheduler/core, scheduler/policy) in
 * virtual time over a trace of jobs. One virtual agent a node answers the
 * desired state as a real one does: it starts, ends, freezes, receives, sleeps;
 * how long that takes and what it draws says machines.h. Nothing is decided
 * here.
 *
 * The same trace, machines, policy and seed give the same outcome, to the bit.
 * Energies run from the first submission to the last end; in joules, all
 * modelled. Over that time, and for each node,
 *	energy = idle + jobs + moves + sleep
 * where idle is a node's idle power while it is on, sleep what it draws asleep,
 * going to sleep and waking, and moves what carrying jobs costs both ends.
 */
#ifndef DROVER_SCHEDULER_REPLAY_REPLAY_H
#define DROVER_SCHEDULER_REPLAY_REPLAY_H

#include <jansson.h>

#include "scheduler/policy/policy.h"
#include "scheduler/replay/machines.h"
#include "scheduler/replay/trace.h"

/*
 * What a move takes beside the transfer: the receiver's start, and saving, loading and
 * rebuilding. Orders of magnitude of what `tools/bench hop` measures here.
 */
#define REPLAY_PREPARE_MS 20
#define REPLAY_FIXED_MS   2

#define REPLAY_SERIES_MAX 4096

struct replay_options {
	const struct trace *trace;
	const struct machines *machines;
	const struct policy *policy;
	struct policy_options policy_options;
	uint64_t seed;     /* not 0: shuffles jobs that arrive in the same millisecond */
	double speedup;    /* arrivals come so many times as fast; 0: 1 */
	bool clamp;        /* jobs wider than any node get the widest node, and run longer */
	uint64_t until_ms; /* account at least until so long after the first submission */
	uint64_t stop_ms;  /* ends it so long after that, whatever still runs then; 0: at its end */
	/* Called now and then with the part that is done, 0 to 1; true ends the replay. */
	bool (*progress)(void *arg, double part);
	void *arg;
};

/* How a job of the trace fared. Times in ms after the first submission. */
struct replay_job {
	uint64_t submit_ms, start_ms, end_ms; /* start: the first; UINT64_MAX: never */
	double energy_j;                      /* by its cpus, and moving it */
	uint64_t cpu_ms;                      /* on all its cpus */
	uint32_t node;                        /* the last; UINT32_MAX: none */
	uint16_t migrations;
	uint8_t state; /* enum job_state; JOB_PENDING with refused: fits no node */
	bool refused;
};

struct replay_node {
	char name[CORE_NAME_MAX];
	uint32_t group;
	double idle_j, jobs_j, moves_j, sleep_j, energy_j; /* energy: integrated on its own */
	uint64_t busy_cpu_ms, on_ms, asleep_ms, computing_ms, switching_on_ms, switching_off_ms;
	uint32_t jobs, moves_in, moves_out, sleeps, wakes;
};

/* One stretch of the series; sums over it. */
struct replay_point {
	double energy_j, running_ms, queued_ms;
};

struct replay_sum {
	double energy_j, idle_j, jobs_j, moves_j, sleep_j;
	double scaled_j; /* the same history, each group's power times its `scaled` */
	double makespan_s, mean_wait_s, p95_wait_s, max_wait_s;
	double mean_turnaround_s, max_turnaround_s, mean_slowdown, max_slowdown;
	double edp_js, scaled_edp_js; /* energy times makespan */
	uint64_t migrations, aborted, sleeps, wakes;
	uint64_t jobs, done, completed, failed, withdrawn, timed_out, refused, unfinished, clamped;
	uint64_t decisions;
	double core_s, wall_s; /* time this machine took: in core_schedule, and altogether */
};

struct replay {
	const struct replay_options *opt; /* as given; must outlive this */
	struct replay_job *jobs;          /* as trace->jobs */
	struct replay_node *nodes;
	uint32_t nnodes;
	struct replay_point *series;
	uint32_t npoints;
	uint64_t step_ms; /* a point's length */
	uint64_t end_ms;
	struct replay_sum sum;
	bool cancelled; /* progress() ended it: all of this is up to end_ms */
};

/* Runs it. -ENOMEM; -EINVAL: the options are wrong. A cancelled one is no error. */
int replay_run(const struct replay_options *opt, struct replay **out, struct err *e);
void replay_free(struct replay *r);

/* ---- what came out (report.c) ------------------------------------------- */

/* One element of the `results` of docs/formats/rest.md. */
json_t *replay_json(const struct replay *r);
/* {"points":[[t_s, power_w, running, queued], ...]}, at most max points. */
json_t *replay_series_json(const struct replay *r, uint32_t max);
/* {"bins":[[from_s, to_s, count], ...]}: how long jobs waited, in bins that double. */
json_t *replay_waits_json(const struct replay *r);

/* Batsim's columns (batsim.readthedocs.io, jobs.csv and schedule.csv); nodes.csv and power.csv are
 * ours. */
enum replay_table { REPLAY_JOBS, REPLAY_SCHEDULE, REPLAY_NODES, REPLAY_POWER, REPLAY_TABLES };
extern const char *const replay_table_names[REPLAY_TABLES + 1];
/* Writes one into a file of its own; what could not be written whole is left as it is, with an
 * error. */
int replay_csv(const struct replay *r, enum replay_table table, const char *path, struct err *e);

#endif
