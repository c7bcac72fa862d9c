/*
 * Policies: where waiting jobs start and which running ones move.
 *
 * A policy is a pure function: a view of the cluster in, decisions out. It may
 * change the view (claiming cpus as it goes) but keeps nothing between calls
 * except what the view carries for it. Each decision says why, for a person, and
 * how many joules it is expected to save over the view's horizon (for a start:
 * how many it costs, as a negative number). The core checks each decision again.
 */
#ifndef DROVER_SCHEDULER_POLICY_POLICY_H
#define DROVER_SCHEDULER_POLICY_POLICY_H

#include "scheduler/core/core.h"

struct view_node {
	struct node *node;
	const char *name;
	enum isa isa;
	bool emulated;
	uint32_t cpus;
	uint32_t used; /* claimed; a policy adds what it decides */
	double idle_w, core_w;
	bool usable; /* up */
};

struct view_job {
	struct job *job;
	uint64_t id;
	uint32_t cpus;
	uint32_t isas;
	uint32_t node; /* index; VIEW_NOWHERE while it waits */
	bool movable;  /* running, settled, no migration, past its cool-down */
};
#define VIEW_NOWHERE UINT32_MAX

struct decision {
	struct view_job *job;
	uint32_t node;
	double predicted_j;
	char reason[CORE_REASON_MAX];
};

struct policy_view {
	uint64_t now_ms;
	const struct policy_options *opt;
	struct view_node *nodes;
	uint32_t nnodes;
	struct view_job *pending; /* oldest first, at most VIEW_PENDING_MAX */
	uint32_t npending;
	struct view_job *running; /* by node */
	uint32_t nrunning;
	uint32_t moves_left;        /* migrations that may still be started */
	uint64_t *low_since_ms;     /* see struct cluster */
	struct decision *decisions; /* room for npending + moves_left */
	uint32_t ndecisions;
};
#define VIEW_PENDING_MAX 1024

struct policy {
	const char *name;
	const char *summary;
	void (*decide)(struct policy_view *v);
};

extern const struct policy policy_balance, policy_consolidate, policy_static;

/* By name, or NULL. */
const struct policy *policy_find(const char *name);
/* All, NULL-terminated. */
extern const struct policy *const policies[];

/* ---- for policies ------------------------------------------------------- */

/* May the job run on node i with the cpus left there? */
bool policy_fits(const struct policy_view *v, const struct view_job *j, uint32_t i);
double policy_load(const struct view_node *n);
/* Watts the job adds to node i; an empty node's idle power counts as added. */
double policy_added_w(const struct policy_view *v, const struct view_job *j, uint32_t i);
/* Claims the cpus and records the decision. */
void policy_place(struct policy_view *v, struct view_job *j, uint32_t i, const char *why);
void policy_move(struct policy_view *v, struct view_job *j, uint32_t i, double predicted_j,
		 const char *fmt, ...) _printf_(5, 6);
/* The usable node with the least load after taking the job, native before emulated, then by name;
 * VIEW_NOWHERE if it fits nowhere. */
uint32_t policy_least_loaded(const struct policy_view *v, const struct view_job *j);

#endif
