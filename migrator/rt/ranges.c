#include "migrator/rt/ranges.h"

#include <string.h>

/* Index of the first entry that ends behind addr. */
static uint32_t first_behind(const struct ranges *r, uint64_t addr)
{
	uint32_t low = 0, high = r->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (r->v[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

uint64_t ranges_gap(const struct ranges *r, uint64_t len, uint64_t low, uint64_t high)
{
	if (!len || high < low || len > high - low)
		return 0;
	for (uint32_t i = first_behind(r, low); i < r->n; i++) {
		if (r->v[i].start >= low && r->v[i].start - low >= len)
			return low;
		low = r->v[i].end;
		if (low >= high || len > high - low)
			return 0;
	}
	return low;
}

bool ranges_free(const struct ranges *r, uint64_t start, uint64_t end)
{
	uint32_t i = first_behind(r, start);

	return i == r->n || r->v[i].start >= end;
}

bool ranges_covered(const struct ranges *r, uint64_t start, uint64_t end)
{
	for (uint32_t i = first_behind(r, start); start < end; i++) {
		if (i == r->n || r->v[i].start > start)
			return false;
		start = r->v[i].end;
	}
	return true;
}

const struct drover_image_map *ranges_find(const struct ranges *r, uint64_t addr)
{
	uint32_t i = first_behind(r, addr);

	return i < r->n && r->v[i].start <= addr ? &r->v[i] : NULL;
}

bool ranges_room(const struct ranges *r)
{
	return r->max - r->n >= 2;
}

static void insert(struct ranges *r, uint32_t i, struct drover_image_map m)
{
	memmove(&r->v[i + 1], &r->v[i], (r->n - i) * sizeof *r->v);
	r->v[i] = m;
	r->n++;
}

static void erase(struct ranges *r, uint32_t i, uint32_t n)
{
	memmove(&r->v[i], &r->v[i + n], (r->n - i - n) * sizeof *r->v);
	r->n -= n;
}

/* Makes addr a border between entries if it lies within one. */
static void split(struct ranges *r, uint64_t addr)
{
	uint32_t i = first_behind(r, addr);

	if (i == r->n || r->v[i].start >= addr)
		return;
	insert(r, i, r->v[i]);
	r->v[i].end = addr;
	r->v[i + 1].start = addr;
}

/* Joins entry i with the one before it if they are alike and touch. */
static void join(struct ranges *r, uint32_t i)
{
	if (!i || i >= r->n || r->v[i - 1].end != r->v[i].start ||
	    r->v[i - 1].prot != r->v[i].prot || r->v[i - 1].flags != r->v[i].flags)
		return;
	r->v[i - 1].end = r->v[i].end;
	erase(r, i, 1);
}

void ranges_add(struct ranges *r, uint64_t start, uint64_t end, uint32_t prot, uint32_t flags)
{
	uint32_t i = first_behind(r, start);

	insert(r, i, (struct drover_image_map){start, end, prot, flags});
	join(r, i + 1);
	join(r, i);
}

void ranges_remove(struct ranges *r, uint64_t start, uint64_t end)
{
	uint32_t i, n = 0;

	split(r, start);
	split(r, end);
	i = first_behind(r, start);
	while (i + n < r->n && r->v[i + n].end <= end)
		n++;
	erase(r, i, n);
}

void ranges_protect(struct ranges *r, uint64_t start, uint64_t end, uint32_t prot)
{
	uint32_t first, i;

	split(r, start);
	split(r, end);
	first = i = first_behind(r, start);
	for (; i < r->n && r->v[i].start < end; i++)
		r->v[i].prot = prot;
	/* From the top, so that a join does not shift what is still to be looked at. */
	for (; i + 1 > first; i--)
		join(r, i);
}
