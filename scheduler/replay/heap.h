/* The queue of events to come: by time, and of one time in the order they were put in. */
#ifndef DROVER_SCHEDULER_REPLAY_HEAP_H
#define DROVER_SCHEDULER_REPLAY_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_item {
	uint64_t at_ms, order;
	uint32_t what, subject; /* the owner's kind of event, and whom it concerns */
	uint64_t version;       /* of the subject when it was put in */
};

struct heap {
	struct event_item *v;
	size_t n, cap;
	uint64_t next_order;
};

/* false: no memory. */
bool heap_put(struct heap *h, uint64_t at_ms, uint32_t what, uint32_t subject, uint64_t version);
/* The first one's time; UINT64_MAX when empty. */
uint64_t heap_next_ms(const struct heap *h);
/* Takes the first; there must be one. */
struct event_item heap_take(struct heap *h);
void heap_free(struct heap *h);

#endif
