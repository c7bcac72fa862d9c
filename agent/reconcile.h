/*
 * What to do so that this node becomes what it should be: a pure function.
 *
 * Desired state and actual state in, actions out; no clock, no I/O. It is
 * level-triggered: calling it again after any of its actions was lost gives that
 * action again, and calling it when all is well gives nothing.
 *
 * What it never does, whatever it is fed:
 *  - start an attempt from the beginning for which an entry exists;
 *  - let a received job go unless the scheduler says that this node owns the epoch it was received
 * for;
 *  - abort (run on) a frozen job unless the scheduler says that this node owns its epoch.
 */
#ifndef DROVER_AGENT_RECONCILE_H
#define DROVER_AGENT_RECONCILE_H

#include "agent/job.h"

/* SIGTERM is followed by SIGKILL after this long. */
#define CANCEL_GRACE_MS 5000
/* A command that changed nothing is given again after this long. */
#define ASK_AGAIN_MS 2000

struct action {
	enum action_type type;
	size_t job;  /* index of the actual entry, SIZE_MAX when there is none */
	size_t want; /* index of the desired job, SIZE_MAX when there is none */
};

/*
 * Decide. now_ms is on the same (monotonic) clock as asked_ms and cancel_ms.
 * out must have room for njobs + nwants actions; returns how many were written,
 * at most one for each entry and each desired job. Actions that end something
 * come before those that begin something.
 */
size_t reconcile(const struct want *wants, size_t nwants, const struct job *const *jobs,
		 size_t njobs, int64_t now_ms, struct action *out);

/* The epoch at which a desired job's entry on this node is kept. */
uint64_t want_epoch(const struct want *w);

const char *action_name(enum action_type t);

#endif
