/*
 * What a node drew while the scheduler had it asleep. Its agent, and with it its
 * meter, is off then; its profile says what the machine draws:
 *
 *	going to sleep	idle_w until it is asleep
 *	asleep		sleep_w
 *	waking		wake_j in wake_s, or in the whole wake if that was shorter;
 *			idle_w for what it took longer
 *
 * These are the terms in which core_break_even_s() and the replay weigh a sleep. A
 * step whose outcome is not known is not settled yet; one that failed (a node that
 * could not be put to sleep, or did not wake) says nothing of the node and stays a
 * gap, as does everything about a node that is down or unknown. Pure.
 */
#ifndef DROVER_SCHEDULER_LEDGER_SLEEP_H
#define DROVER_SCHEDULER_LEDGER_SLEEP_H

#include "scheduler/core/types.h"

/* Readings of sleeps are of this meter and instance, of source model and scope node. */
#define SLEEP_METER    "sleep"
#define SLEEP_INSTANCE "scheduler"
/* None is longer. */
#define SLEEP_READING_MS 300000u

/* Power in watts, wake_j in joules, wake_s in seconds. */
struct sleep_power {
	double idle_w, sleep_w, wake_s, wake_j;
};

/* A node's state since then. */
struct sleep_state {
	uint64_t time_ms;
	enum node_state state;
};

/* The node's profile; false: it doesn't say what a sleep draws. */
bool sleep_power_of(const struct node *n, struct sleep_power *out);

/*
 * Calls put for each part of from_ms <= t < until_ms in which the node slept, in
 * order of time and without overlap. states: the node's, in order of time, from the
 * one it was in at from_ms on; none before that is known. Returns until when this is
 * settled: until_ms, or when the step began whose outcome is not known by then.
 * What is settled already need not be asked again. Stops when put returns
 * non-zero, with *r so.
 */
uint64_t sleep_account(const struct sleep_power *p, const struct sleep_state *states, size_t n,
		       uint64_t from_ms, uint64_t until_ms,
		       int (*put)(uint64_t from_ms, uint64_t to_ms, uint64_t energy_uj, void *arg),
		       void *arg, int *r);

#endif
