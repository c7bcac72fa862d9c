/* See segments.h. */
#include "scheduler/ledger/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct segment *append(struct segments *s, uint32_t attempt, uint32_t epoch,
			      const char *node, int isa)
{
	struct segment *v;

	if (s->n == SEGMENTS_MAX) {
		s->failed = true;
		return NULL;
	}
	v = realloc(s->v, (s->n + 1) * sizeof(*v));
	if (!v) {
		s->failed = true;
		return NULL;
	}
	s->v = v;
	v = &v[s->n++];
	memset(v, 0, sizeof(*v));
	v->attempt = attempt;
	v->epoch = epoch;
	v->isa = isa;
	(void)snprintf(v->node, sizeof(v->node), "%s", node);
	return v;
}

void segments_init(struct segments *s, const struct segment_move *moves, size_t nmoves)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < nmoves; i++) {
		const struct segment_move *m = &moves[i];
		struct segment *last = s->n ? &s->v[s->n - 1] : NULL, *next;

		if (!last || last->attempt != m->attempt)
			last = append(s, m->attempt, m->epoch - 1, m->from, (int)m->from_isa);
		if (last)
			last->to_ms = m->committed_ms;
		next = append(s, m->attempt, m->epoch, m->to, (int)m->to_isa);
		if (!next)
			return;
		next->from_ms = m->committed_ms;
	}
}

/* How far a time lies outside a segment. */
static uint64_t distance(const struct segment *s, uint64_t at)
{
	if (s->from_ms && at < s->from_ms)
		return s->from_ms - at;
	return s->to_ms && at > s->to_ms ? at - s->to_ms : 0;
}

static void label(char out[16], const char *in)
{
	if (!out[0])
		(void)snprintf(out, 16, "%s", in);
	else if (strcmp(out, in) != 0)
		(void)snprintf(out, 16, "mixed");
}

static void add(struct ledger_sum *s, const struct segment_reading *r)
{
	label(s->source, r->source);
	label(s->scope, r->scope);
	label(s->kind, r->kind);
	s->energy_uj += r->energy_uj;
	s->idle_attributed_uj += r->idle_uj;
	if (!s->intervals || r->from_ms < s->from_ms)
		s->from_ms = r->from_ms;
	if (r->to_ms > s->to_ms)
		s->to_ms = r->to_ms;
	s->intervals++;
}

void segments_add(struct segments *s, const struct segment_reading *r)
{
	uint64_t at = r->from_ms + (r->to_ms - r->from_ms) / 2;
	struct segment *best = NULL;

	for (size_t i = 0; i < s->n; i++) {
		struct segment *one = &s->v[i];

		if (one->attempt == r->attempt && !strcmp(one->node, r->node) &&
		    (!best || distance(one, at) < distance(best, at)))
			best = one;
	}
	if (!best)
		best = append(s, r->attempt, 1, r->node, -1);
	if (!best)
		return;
	add(&best->sum, r);
	add(&s->total, r);
}

void segments_free(struct segments *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}
