/* The newest reading of each meter; see energy.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_server.h"
#include "scheduler/api/energy.h"

/* Nodes an energy event names; a listener of a larger cluster asks for what it wants. */
#define EVENT_NODES_MAX 500
/* A reading older than this says nothing of the present. */
#define STALE_MS 15000

struct energy_latest {
	struct energy_reading *v;
	size_t n, cap;
	uint32_t *index; /* hash of node and meter */
	size_t buckets;
	uint64_t told_ms;
};

struct energy_latest *energy_latest_new(void)
{
	return calloc(1, sizeof(struct energy_latest));
}

void energy_latest_free(struct energy_latest *l)
{
	if (!l)
		return;
	free(l->v);
	free(l->index);
	free(l);
}

/* FNV-1a over both names. */
static size_t hash(const char *node, const char *meter)
{
	uint64_t h = 14695981039346656037ull;

	for (; *node; node++)
		h = (h ^ (unsigned char)*node) * 1099511628211ull;
	h = (h ^ '/') * 1099511628211ull;
	for (; *meter; meter++)
		h = (h ^ (unsigned char)*meter) * 1099511628211ull;
	return (size_t)h;
}

/* The place in the index that it has or would get. */
static size_t place(const struct energy_latest *l, const char *node, const char *meter)
{
	size_t b = hash(node, meter) % l->buckets;

	while (l->index[b] && (strcmp(l->v[l->index[b] - 1].node, node) != 0 ||
			       strcmp(l->v[l->index[b] - 1].meter, meter) != 0))
		b = (b + 1) % l->buckets;
	return b;
}

static bool grow(struct energy_latest *l)
{
	size_t cap = l->cap ? l->cap * 2 : 64;
	struct energy_reading *v = realloc(l->v, cap * sizeof(*v));
	uint32_t *index = calloc(cap * 2, sizeof(*index));

	if (v)
		l->v = v;
	if (!v || !index) {
		free(index);
		return false;
	}
	free(l->index);
	l->index = index;
	l->buckets = cap * 2;
	l->cap = cap;
	for (size_t i = 0; i < l->n; i++)
		l->index[place(l, l->v[i].node, l->v[i].meter)] = (uint32_t)i + 1;
	return true;
}

void energy_latest_put(struct energy_latest *l, const struct energy_interval *i)
{
	struct energy_reading *r;
	size_t b;

	if (l->n == l->cap && !grow(l))
		return;
	b = place(l, i->node, i->meter);
	if (!l->index[b]) {
		l->v[l->n] = (struct energy_reading){.to_ms = 0};
		l->index[b] = (uint32_t)++l->n;
	}
	r = &l->v[l->index[b] - 1];
	if (i->to_ms < r->to_ms)
		return;
	memcpy(r->node, i->node, sizeof(r->node));
	memcpy(r->meter, i->meter, sizeof(r->meter));
	memcpy(r->source, i->source, sizeof(r->source));
	memcpy(r->scope, i->scope, sizeof(r->scope));
	memcpy(r->kind, i->kind, sizeof(r->kind));
	r->counted = i->counted;
	r->from_ms = i->from_ms;
	r->to_ms = i->to_ms;
	r->energy_uj = i->energy_uj;
	r->gap_ms = i->gap_ms;
}

const struct energy_reading *energy_latest_get(const struct energy_latest *l, const char *node,
					       const char *meter)
{
	size_t b = l->buckets ? place(l, node, meter) : 0;

	return l->buckets && l->index[b] ? &l->v[l->index[b] - 1] : NULL;
}

const struct energy_reading *energy_latest_at(const struct energy_latest *l, size_t i)
{
	return i < l->n ? &l->v[i] : NULL;
}

double energy_reading_watts(const struct energy_reading *r)
{
	uint64_t ms = r->to_ms - r->from_ms;

	return r->to_ms > r->from_ms && r->gap_ms < ms
		       ? (double)r->energy_uj / (double)(ms - r->gap_ms) / 1000.0
		       : -1;
}

uint64_t energy_known_until(const struct energy_latest *l, uint64_t now_ms)
{
	const struct energy_reading *r;
	uint64_t until = now_ms;

	for (size_t i = 0; (r = energy_latest_at(l, i)); i++)
		if (r->counted && r->to_ms + STALE_MS > now_ms && r->to_ms < until)
			until = r->to_ms;
	return until;
}

void energy_tick(struct engine *en, uint64_t now_ms)
{
	struct energy_latest *l = en->latest;
	const struct energy_reading *r;
	json_t *nodes;
	size_t left_out = 0;

	if (now_ms >= l->told_ms && now_ms < l->told_ms + ENERGY_EVENT_MS)
		return;
	l->told_ms = now_ms;
	nodes = json_array();
	for (size_t i = 0; (r = energy_latest_at(l, i)); i++) {
		double w = energy_reading_watts(r);

		if (!r->counted || w < 0 || r->to_ms + STALE_MS < now_ms)
			continue;
		if (json_array_size(nodes) == EVENT_NODES_MAX) {
			left_out++;
			continue;
		}
		(void)json_array_append_new(
			nodes, json_pack("{s:s, s:f, s:s, s:s, s:s}", "node", r->node, "power_w", w,
					 "source", r->source, "scope", r->scope, "kind", r->kind));
	}
	if (!json_array_size(nodes)) {
		json_decref(nodes);
		return;
	}
	events_add(en, "energy",
		   json_pack("{s:I, s:o, s:I}", "time_ms", (json_int_t)now_ms, "nodes", nodes,
			     "left_out", (json_int_t)left_out));
	http_server_wake(en->http, CHANNEL_EVENTS);
}
