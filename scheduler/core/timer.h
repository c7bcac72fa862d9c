/*
 * What is due at a time: a heap of timers, each part of a job or a node, so that
 * the passing of time costs nothing for those that aren't due.
 */
#ifndef DROVER_SCHEDULER_CORE_TIMER_H
#define DROVER_SCHEDULER_CORE_TIMER_H

#include <stdint.h>

enum timer_kind {
	TIMER_JOB,   /* may begin, or reaches its time limit */
	TIMER_NODE,  /* may have fallen silent */
	TIMER_POWER, /* sleep or wake takes too long */
};

struct timer {
	uint64_t at_ms;
	uint32_t at; /* place in the heap, from 1; 0: not set */
	enum timer_kind kind;
};

struct timers {
	struct timer_slot {
		uint64_t at_ms; /* as in the timer: it isn't looked at to compare */
		struct timer *t;
	} *v; /* v[1..n] */
	uint32_t n, cap;
};

/* Sets or moves t. -ENOMEM. */
int timer_set(struct timers *ts, struct timer *t, uint64_t at_ms);
void timer_clear(struct timers *ts, struct timer *t);
/* The first that is due at now_ms, taken out; NULL if none is. */
struct timer *timer_due(struct timers *ts, uint64_t now_ms);
/* When the first is due; UINT64_MAX if none is set. */
uint64_t timer_next(const struct timers *ts);
void timers_free(struct timers *ts);

#endif
