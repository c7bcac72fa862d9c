#include "scheduler/replay/heap.h"

#include <stdlib.h>
#include <string.h>

static bool before(const struct event_item *a, const struct event_item *b)
{
	return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->order < b->order);
}

bool heap_put(struct heap *h, uint64_t at_ms, uint32_t what, uint32_t subject, uint64_t version)
{
	struct event_item e = {at_ms, h->next_order++, what, subject, version};
	size_t i = h->n;

	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 256;
		struct event_item *v = realloc(h->v, cap * sizeof(*v));

		if (!v)
			return false;
		h->v = v;
		h->cap = cap;
	}
	h->n++;
	while (i && before(&e, &h->v[(i - 1) / 2])) {
		h->v[i] = h->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->v[i] = e;
	return true;
}

uint64_t heap_next_ms(const struct heap *h)
{
	return h->n ? h->v[0].at_ms : UINT64_MAX;
}

struct event_item heap_take(struct heap *h)
{
	struct event_item first = h->v[0], last = h->v[--h->n];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && before(&h->v[child + 1], &h->v[child]))
			child++;
		if (!before(&h->v[child], &last))
			break;
		h->v[i] = h->v[child];
		i = child;
	}
	if (h->n)
		h->v[i] = last;
	return first;
}

void heap_free(struct heap *h)
{
	free(h->v);
	memset(h, 0, sizeof(*h));
}
