#include "scheduler/core/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void put(struct timers *ts, uint32_t at, struct timer_slot s)
{
	ts->v[at] = s;
	s.t->at = at;
}

static void up(struct timers *ts, uint32_t at)
{
	struct timer_slot s = ts->v[at];

	while (at > 1 && ts->v[at / 2].at_ms > s.at_ms) {
		put(ts, at, ts->v[at / 2]);
		at /= 2;
	}
	put(ts, at, s);
}

static void down(struct timers *ts, uint32_t at)
{
	struct timer_slot s = ts->v[at];

	for (uint32_t k = 2 * at; k <= ts->n; k = 2 * at) {
		if (k < ts->n && ts->v[k + 1].at_ms < ts->v[k].at_ms)
			k++;
		if (ts->v[k].at_ms >= s.at_ms)
			break;
		put(ts, at, ts->v[k]);
		at = k;
	}
	put(ts, at, s);
}

int timer_set(struct timers *ts, struct timer *t, uint64_t at_ms)
{
	if (t->at && t->at_ms == at_ms)
		return 0;
	if (!t->at && ts->n + 1 >= ts->cap) {
		uint32_t cap = ts->cap ? ts->cap * 2 : 64;
		struct timer_slot *v = realloc(ts->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		ts->v = v;
		ts->cap = cap;
	}
	t->at_ms = at_ms;
	put(ts, t->at ? t->at : ++ts->n, (struct timer_slot){at_ms, t});
	up(ts, t->at);
	down(ts, t->at);
	return 0;
}

void timer_clear(struct timers *ts, struct timer *t)
{
	uint32_t at = t->at;

	if (!at)
		return;
	t->at = 0;
	if (at != ts->n) {
		put(ts, at, ts->v[ts->n]);
		ts->n--;
		up(ts, at);
		down(ts, ts->v[at].t->at);
	} else {
		ts->n--;
	}
}

struct timer *timer_due(struct timers *ts, uint64_t now_ms)
{
	struct timer *t = ts->n ? ts->v[1].t : NULL;

	if (!t || t->at_ms > now_ms)
		return NULL;
	timer_clear(ts, t);
	return t;
}

uint64_t timer_next(const struct timers *ts)
{
	return ts->n ? ts->v[1].at_ms : UINT64_MAX;
}

void timers_free(struct timers *ts)
{
	free(ts->v);
	memset(ts, 0, sizeof(*ts));
}
