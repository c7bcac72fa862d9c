/* What the files of replay/ share; for no one else. See replay.h. */
#ifndef DROVER_SCHEDULER_REPLAY_SIM_H
#define DROVER_SCHEDULER_REPLAY_SIM_H

#include "scheduler/core/core.h"
#include "scheduler/replay/heap.h"
#include "scheduler/replay/replay.h"

/* Virtual time of the first submission: the core takes times since the epoch. */
#define SIM_EPOCH_MS UINT64_C(1000000000)

enum sim_event {
	EV_ARRIVE,   /* job: one that follows another */
	EV_WITHDRAW, /* job */
	EV_EXIT,     /* job: its work is done */
	EV_PREPARED, /* job: its receiver listens */
	EV_LOADED,   /* job: the receiver has all of it */
	EV_SLEPT,    /* node */
	EV_WOKEN,    /* node */
};

/* What the virtual agents know of a job. */
enum sim_where { SIM_NOWHERE, SIM_RUNS, SIM_FROZEN };

struct sim_job {
	uint64_t id;        /* the core's; 0: not submitted */
	uint64_t since_ms;  /* runs or is frozen since */
	uint64_t migration; /* that is being received, or 0 */
	double left;        /* part of its work still to do */
	uint32_t attempt, epoch;
	uint32_t node;    /* where it runs or is frozen */
	uint32_t to;      /* where it is being received */
	uint32_t version; /* raised by whatever makes its events void */
	uint32_t next;    /* index + 1: the next that waits for the same end */
	uint32_t waiters; /* index + 1: the first that waits for this one's end */
	uint8_t where;    /* enum sim_where */
};

enum sim_power { SIM_ON, SIM_FALLING_ASLEEP, SIM_ASLEEP, SIM_WAKING };

struct sim_node {
	struct node *node;
	const struct machine_group *group;
	enum sim_power power;
	uint64_t since_ms;          /* accounted up to */
	int64_t busy_uw, moving_uw; /* by running jobs; by moves */
	uint32_t running;
	bool dirty; /* in sim.dirty */
};

struct sim {
	const struct replay_options *opt;
	const struct trace *trace;
	struct replay *out;
	struct cluster *core;
	struct sim_job *jobs;   /* as trace->jobs */
	struct sim_node *nodes; /* as core->nodes */
	uint32_t *order;        /* of arrival: indices of those that follow no other */
	uint32_t norder, next_arrival;
	uint32_t *by_id; /* index by id - 1 */
	uint32_t submitted;
	uint32_t *dirty; /* nodes whose desired state is new */
	uint32_t ndirty;
	struct heap heap;
	struct effects fx;
	uint64_t now_ms;
	int64_t total_uw;
	uint32_t widest; /* cores of the widest node */
	uint32_t ended;
	bool failed; /* no memory */
};

/* The job as it is run here: cut to the widest node if that was asked for. */
struct trace_job sim_job_spec(const struct sim *s, uint32_t i);

/* Acts on and empties s->fx; whoever calls a core_ function calls this next. */
void sim_take_effects(struct sim *s);

/* vagent.c: the node's agent looks at its desired state. */
void vagent_poll(struct sim *s, uint32_t node);
/* Introduces the number-th node of a group. */
int vagent_introduce(struct sim *s, const struct machine_group *g, uint32_t number,
		     struct node **out);
/* The hooks, and what comes of them. */
void vagent_sleep(struct sim *s, uint32_t node);
void vagent_slept(struct sim *s, uint32_t node);
void vagent_wake(struct sim *s, uint32_t node);
void vagent_woken(struct sim *s, uint32_t node);
void vagent_exit(struct sim *s, uint32_t job);
void vagent_prepared(struct sim *s, uint32_t job);
void vagent_loaded(struct sim *s, uint32_t job);

/* account.c */
void account_start(struct sim *s);
/* The node's sums up to now; before anything that changes its power. */
void account_node(struct sim *s, uint32_t node);
/* The cluster's power is what it was until to_ms. */
void account_series(struct sim *s, uint64_t to_ms);
/* The node goes to another state of power. */
void account_power(struct sim *s, uint32_t node, enum sim_power power);
/* The job begins or stops to compute on its node. */
void account_run(struct sim *s, uint32_t job);
void account_stop(struct sim *s, uint32_t job);
/* A move keeps one cpu of each end busy. */
void account_move(struct sim *s, uint32_t from, uint32_t to, int sign);
void account_move_of(struct sim *s, uint32_t job, uint64_t ms);
void account_end(struct sim *s);

/* sums.c */
void sums_make(struct sim *s);

#endif
