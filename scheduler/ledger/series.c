/* See series.h. */
#include "scheduler/ledger/series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int series_init(struct series_set *s, uint64_t from_ms, uint64_t to_ms, uint64_t resolution_ms,
		uint64_t points, struct err *e)
{
	uint64_t r = resolution_ms ? resolution_ms : 1;

	memset(s, 0, sizeof(*s));
	if (to_ms <= from_ms)
		return err_set(e, -EINVAL, "to_ms must be after from_ms");
	if (points < 1)
		points = 1;
	if (points > SERIES_POINTS_MAX)
		points = SERIES_POINTS_MAX;
	if ((to_ms - from_ms + r - 1) / r > points)
		r = (to_ms - from_ms + points - 1) / points;
	s->resolution_ms = r;
	s->from_ms = from_ms - from_ms % r;
	s->to_ms = to_ms;
	s->npoints = (size_t)((to_ms - s->from_ms + r - 1) / r);
	/* Beginning at a multiple may have taken one bucket more. */
	if (s->npoints > points && s->npoints > 1) {
		s->from_ms += r;
		s->npoints--;
	}
	return 0;
}

void series_free(struct series_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].energy_uj);
		free(s->v[i].covered_ms);
	}
	free(s->v);
	free(s->index);
	memset(s, 0, sizeof(*s));
}

/* FNV-1a. */
static size_t hash(const char *key)
{
	uint64_t h = 14695981039346656037ull;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 1099511628211ull;
	return (size_t)h;
}

static struct series *append(struct series_set *s, const char *key, const char *isa)
{
	struct series *one;

	if (s->n == s->cap) {
		size_t more = s->cap ? s->cap * 2 : 16;
		struct series *v = realloc(s->v, more * sizeof(*v));

		if (!v)
			return NULL;
		s->v = v;
		s->cap = more;
	}
	one = &s->v[s->n];
	memset(one, 0, sizeof(*one));
	one->energy_uj = calloc(s->npoints, sizeof(uint64_t));
	one->covered_ms = calloc(s->npoints, sizeof(uint64_t));
	if (!one->energy_uj || !one->covered_ms) {
		free(one->energy_uj);
		free(one->covered_ms);
		return NULL;
	}
	(void)snprintf(one->key, sizeof(one->key), "%s", key);
	(void)snprintf(one->isa, sizeof(one->isa), "%s", isa ? isa : "");
	s->n++;
	return one;
}

/* NULL: there is no room for another (counted), or no memory. */
static struct series *find(struct series_set *s, const char *key, const char *isa)
{
	struct series *one;
	size_t b;

	if (!s->index) {
		s->buckets = (size_t)SERIES_MAX * 4;
		s->index = calloc(s->buckets, sizeof(*s->index));
	}
	if (!s->index) {
		s->failed = true;
		return NULL;
	}
	for (b = hash(key) % s->buckets; s->index[b]; b = (b + 1) % s->buckets)
		if (!strcmp(s->v[s->index[b] - 1].key, key))
			return &s->v[s->index[b] - 1];
	if (s->n == SERIES_MAX) {
		s->dropped++;
		return NULL;
	}
	one = append(s, key, isa);
	if (one)
		s->index[b] = (uint32_t)s->n;
	else
		s->failed = true;
	return one;
}

static void label(char out[16], const char *in)
{
	if (!out[0])
		(void)snprintf(out, 16, "%s", in);
	else if (strcmp(out, in) != 0)
		(void)snprintf(out, 16, "mixed");
}

void series_add(struct series_set *s, const char *key, const char *isa,
		const struct energy_interval *i, uint64_t energy_uj)
{
	uint64_t len = i->to_ms > i->from_ms ? i->to_ms - i->from_ms : 1;
	uint64_t end = s->from_ms + s->npoints * s->resolution_ms;
	uint64_t known = i->gap_ms < len ? len - i->gap_ms : 0;
	struct series *one;

	if (i->from_ms + len <= s->from_ms || i->from_ms >= end)
		return;
	one = find(s, key, isa);
	if (!one)
		return;
	label(one->source, i->source);
	label(one->scope, i->scope);
	label(one->kind, i->kind);
	for (size_t k = i->from_ms > s->from_ms
				? (size_t)((i->from_ms - s->from_ms) / s->resolution_ms)
				: 0;
	     k < s->npoints; k++) {
		uint64_t at = series_time(s, k), a, b;

		if (at >= i->from_ms + len)
			break;
		a = at > i->from_ms ? at - i->from_ms : 0;
		b = at + s->resolution_ms - i->from_ms;
		b = b < len ? b : len;
		one->energy_uj[k] +=
			ledger_part(energy_uj, b, len) - ledger_part(energy_uj, a, len);
		one->covered_ms[k] += ledger_part(known, b, len) - ledger_part(known, a, len);
		if (one->covered_ms[k] > s->resolution_ms)
			one->covered_ms[k] = s->resolution_ms;
	}
}

uint64_t series_time(const struct series_set *s, size_t i)
{
	return s->from_ms + i * s->resolution_ms;
}

double series_watts(const struct series_set *s, const struct series *one, size_t i)
{
	(void)s;
	if (!one->covered_ms[i])
		return -1;
	return (double)one->energy_uj[i] / (double)one->covered_ms[i] / 1000.0;
}
