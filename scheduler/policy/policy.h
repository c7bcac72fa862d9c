/*
 * Policies: where waiting jobs start, and which running ones move.
 *
 * A policy is a const table of functions over the cluster's indexes. It keeps
 * nothing of its own; what it asks costs O(log nodes) for each kind of machine,
 * never a walk over nodes or jobs. The core checks what it answers: room, the
 * power cap, and for a move that it is predicted to save more than it costs.
 */
#ifndef DROVER_SCHEDULER_POLICY_POLICY_H
#define DROVER_SCHEDULER_POLICY_POLICY_H

#include "scheduler/core/core.h"

#define SET_MACHINES 64 /* kinds that are weighed; nodes of further ones are used last */

/* See machine_set.h. */
struct machine_set {
	struct machine
		*by_power[SET_MACHINES];       /* that have nodes which take jobs, cheapest first */
	struct machine *by_cpus[SET_MACHINES]; /* the same, largest first */
	uint32_t count[SET_MACHINES];          /* nodes chosen, by place in by_power */
	uint32_t n;
	uint32_t nodes; /* chosen in all */
};

struct policy_view {
	struct cluster *c;
	uint64_t now_ms;
	const struct policy_options *opt;
	uint32_t moves_left;    /* migrations that may still be started */
	bool capped;            /* out: a machine had room, but not under the power cap */
	struct effects *fx;     /* the core's */
	struct machine_set set; /* see machine_set.h */
	uint64_t set_demand;    /* + 1; 0: not chosen yet */
};

struct policy {
	const char *name;
	const char *summary;
	bool sleeps; /* idle nodes are put to sleep */
	/* A move saves the idle power of the time by which the source's last job ends sooner, less
	 * that by which the destination's ends later; false: shares of it, by cpus, as if all of a
	 * node's jobs went. The first never goes back and forth, the second empties nodes. */
	bool by_last_end;
	/* A node sleeps at once if its idle periods so far, were there any, were longer on average
	 * than its break-even time; else, and with false, when it has been idle for sleep_after
	 * times the break-even time. */
	bool foresees;
	const char *const *options; /* names of those of struct policy_options it uses */
	/* The node where the job should start, which has room for it, and why; NULL: nowhere. */
	struct node *(*place)(struct policy_view *v, const struct job *j, const char **why);
	/* Offers moves by policy_move(); NULL: jobs stay where they started. */
	void (*moves)(struct policy_view *v);
};

/* By name, or NULL. "static" is another name of "static-balanced". */
const struct policy *policy_find(const char *name);
/* All, NULL-terminated. */
extern const struct policy *const policies[];
extern const struct policy policy_static_x86, policy_static_balanced, policy_static_unbalanced,
	policy_balance, policy_unbalance, policy_consolidate, policy_energy;

/* ---- options ---------------------------------------------------------------- */

enum option_kind { OPTION_F64, OPTION_U64, OPTION_U32, OPTION_BOOL };

/* One of struct policy_options, for reading, writing and explaining it. */
struct policy_option {
	const char *name, *unit, *meaning;
	enum option_kind kind;
	size_t offset;
	double min, max;
};

extern const struct policy_option policy_options_table[]; /* ends with a NULL name */
double policy_option_get(const struct policy_option *d, const struct policy_options *o);
void policy_option_set(const struct policy_option *d, struct policy_options *o, double value);

/* ---- for policies ----------------------------------------------------------- */

/* May the job run on nodes of this machine, now, by ISA, size and power cap? */
bool policy_may(struct policy_view *v, const struct job *j, const struct machine *m);
/* Offers a move that saves `s`, or, where that is NULL, what the job saves alone; false: it can't
 * be, or isn't predicted to save anything. */
bool policy_move(struct policy_view *v, struct job *j, struct node *to, const struct saving *s,
		 const char *fmt, ...) _printf_(5, 6);
/* May a node be woken for running jobs? Only when none waits and no other node wakes. */
bool policy_may_wake(const struct policy_view *v);
/* Offers to wake one; not so soon again after the last time. */
void policy_wake(struct policy_view *v, struct node *n, const char *fmt, ...) _printf_(3, 4);
/* Cpus in use once the moves under way are done. */
uint32_t policy_used(const struct node *n);
/* Among nodes of the machine that are in use, the one with the most free cpus, or the one after at;
 * NULL at the end. */
struct node *policy_least_used(const struct machine *m, const struct node *at);

/* spread.c: used cpus in proportion to a weight of each machine */
typedef double policy_weight(const struct policy_view *v, const struct machine *m);
struct node *spread_place(struct policy_view *v, const struct job *j, policy_weight *weight,
			  uint32_t isas);
void spread_moves(struct policy_view *v, policy_weight *weight, const char *name);
policy_weight weight_equal, weight_speed;

#endif
