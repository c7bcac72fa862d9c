/*
 * The machines of a replay: a cluster file (docs/formats/cluster.md), and the
 * model of how long a job takes on them and what it draws.
 *
 * A kernel's time comes from the machine's profile, per class. Any other job has
 * a run time on the reference machine; elsewhere it takes that times the
 * geometric mean of the two profiles' ratios over all kernels and classes both
 * know. Work is spread over the job's cpus without loss. Power is linear in busy
 * cpus, as the live model meter has it (agent/meter/model.c).
 */
#ifndef DROVER_SCHEDULER_REPLAY_MACHINES_H
#define DROVER_SCHEDULER_REPLAY_MACHINES_H

#include <jansson.h>

#include "agent/meter/profile.h"
#include "scheduler/core/types.h"
#include "scheduler/replay/trace.h"

#define MACHINES_MAX_GROUPS 64
#define MACHINES_MAX_NODES  100000u
#define MACHINES_MAX_BYTES  (256u << 10)
#define MACHINES_LINK_MBIT  10000.0 /* a profile that doesn't say */

/* Nodes of one kind. */
struct machine_group {
	char prefix[32]; /* nodes are PREFIX-1, PREFIX-2, ... */
	struct profile profile;
	uint32_t count, cores;
	uint64_t memory_bytes; /* 0: not limited */
	double link_mbit;
	bool sleep;                                              /* may be put to sleep */
	double idle_w, core_w, sleep_w, sleep_s, wake_s, wake_j; /* power_scale is in them */
	double slowdown; /* time of a job here over its time on the reference machine */
	double scaled;   /* factor on power for the scaled column */
};

struct machines {
	char name[64];
	struct machine_group *groups;
	uint32_t ngroups, nnodes;
	struct profile reference;
	unsigned int process_nm; /* of the scaled column; 0: there is none */
};

/* paths: may profiles be named by path (files of this machine)? Free *m by machines_release(). */
int machines_parse(const json_t *doc, bool paths, struct machines *m, struct err *e);
/* From a file: a path if it holds a '/' or ends in .json, else NAME.json from clusters/ below the
 * library directory (common/paths.h). -ENOENT. */
int machines_load(const char *name, struct machines *m, struct err *e);
void machines_release(struct machines *m);

/* Seconds the job takes on a node of the group, alone on its cpus. */
double machines_seconds(const struct machine_group *g, const struct trace_job *j);
/* Watts it adds there while it runs. */
double machines_watts(const struct machine_group *g, const struct trace_job *j);
/* Bytes that move with it. */
uint64_t machines_image(const struct machine_group *g, const struct trace_job *j);
/* Bytes of memory it claims; 0: not known. */
uint64_t machines_memory(const struct machine_group *g, const struct trace_job *j);
/* Milliseconds an image takes between two groups' nodes. */
uint64_t machines_transfer_ms(const struct machine_group *a, const struct machine_group *b,
			      uint64_t bytes);

/*
 * Factor on power for the same design made in another process: (to/from)^2, what
 * constant-field scaling (Dennard et al., IEEE JSSC 9(5), 1974) says of power when every
 * dimension and the voltage shrink alike: a lower bound, for leakage and voltage have not
 * followed since about 2005.
 */
double machines_process_factor(unsigned int from_nm, unsigned int to_nm);

#endif
