/*
 * What the cluster used beside what a baseline would have: a thread of its own, as
 * nice as that of the replays, replays the live arrivals under the baseline
 * (scheduler/replay/shadow.h) when somebody asks, at most every few seconds and
 * for at most a quarter of one cpu's time. Everything is made of what the store
 * holds, so that a restart loses nothing.
 */
#ifndef DROVER_SCHEDULER_API_SAVINGS_H
#define DROVER_SCHEDULER_API_SAVINGS_H

#include "scheduler/api/engine.h"
#include "scheduler/replay/shadow.h"

int savings_new(struct savings **out, struct engine *en, struct err *e);
/* Before the engine is freed. NULL-safe. */
void savings_free(struct savings *s);
/* Answers that were made before are old. NULL-safe. Under the engine's lock or not. */
void savings_baseline_changed(struct savings *s);

/* ---- shared by savings*.c and baseline.c -------------------------------- */

#define BASELINE_SETTING "savings_baseline"

/* What the live cluster is compared with. */
struct baseline {
	const struct policy *policy;
	json_t *cluster; /* [{"profile","count"}], owned */
	bool chosen;     /* by an operator; else it follows from the live cluster */
};

void baseline_free(struct baseline *b);
/* {"policy","cluster"}; or {"default":true}, which leaves b->policy NULL. -EINVAL with the field.
 */
int baseline_parse(const char *text, size_t len, struct baseline *b, struct err *e);
/* The one that is set, else the default; under the engine's lock. */
int baseline_get(struct engine *en, struct baseline *b, struct err *e);
/* process_nm: of the scaled column; 0: the finest of its own machines. */
int baseline_machines(const struct baseline *b, unsigned int process_nm, struct machines *m,
		      struct err *e);
/* As GET shows it. */
json_t *baseline_json(const struct baseline *b);

/* A node of the live cluster. */
struct live_node {
	char name[CORE_NAME_MAX];
	uint32_t kind; /* index in live.kinds */
};

/* What live nodes have in common by their profile. */
struct live_kind {
	char name[CORE_NAME_MAX];
	struct profile profile;
	bool assumed; /* there is no such profile: it is the ISA's */
};

struct live {
	struct live_node *nodes; /* by name */
	size_t nnodes;
	struct live_kind *kinds;
	size_t nkinds, assumed; /* assumed: nodes of such a kind */
	struct shadow_job *jobs;
	size_t njobs, jobs_cap, unmeasured;
	uint64_t oldest_ms; /* before it, jobs were left out; 0: none were */
	bool failed;
};

/* The nodes, under the engine's lock. -ENOMEM. */
int live_nodes(struct engine *en, struct live *l, struct err *e);
/* NULL: a node that the cluster doesn't know (any more). */
const struct live_kind *live_kind_of(const struct live *l, const char *node);
/* The newest SHADOW_JOBS_MAX jobs that were submitted before to_ms, with their work for reference.
 * known: those of an earlier reading for the same reference by id, or NULL. Takes the lock now and
 * then. */
int live_jobs(struct engine *en, struct live *l, const struct profile *reference,
	      const struct shadow_job *known, size_t nknown, uint64_t to_ms,
	      const atomic_bool *stop, struct err *e);
void live_free(struct live *l);

/* What a comparison keeps for the next one: finished jobs by id, which don't change any more, and
 * the profile that their work is in terms of. */
struct savings_memory {
	struct shadow_job *known; /* owned */
	size_t nknown;
	char reference[PROFILE_NAME_MAX];
};

/*
 * GET /v1/savings' answer for an interval (from_ms UINT64_MAX: from the first job; to_ms not before
 * now: until all nodes that are read have been read). Takes the engine's lock now and then.
 * -ECANCELED once stop is set.
 */
int savings_compare(struct engine *en, struct savings_memory *memory, const atomic_bool *stop,
		    uint64_t from_ms, uint64_t to_ms, json_t **out, struct err *e);

#endif
