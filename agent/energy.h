/*
 * Energy intervals that the scheduler has not acknowledged yet.
 *
 * A bounded ring, kept in memory and in a file of JSON lines, so that they outlive
 * the agent. When it is full, neighbours of one meter are joined into one interval,
 * the oldest first: a scheduler that is away for long gets coarser readings, but
 * every joule. Those that were sent already and may have arrived are left as they
 * are. Only if nothing can be joined the oldest is dropped, and counted. Entries
 * carry the instance that measured them, because intervals are told apart by
 * (instance, meter, from_ms).
 */
#ifndef DROVER_AGENT_ENERGY_H
#define DROVER_AGENT_ENERGY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ENERGY_RING_MAX 3600

struct energy_ring;

/* Opens or makes the file. Lines that aren't intervals (a torn last one) are dropped and counted.
 */
int energy_ring_open(const char *path, struct energy_ring **out, struct err *e);
void energy_ring_free(struct energy_ring *r);

/* Adds an interval, whose reference it takes. An error means it is in memory only. */
int energy_ring_add(struct energy_ring *r, json_t *interval, struct err *e);

size_t energy_ring_count(const struct energy_ring *r);
/* The first so many (as energy_ring_removed() counts, plus those behind) were sent: keep them. */
void energy_ring_sent(struct energy_ring *r, uint64_t upto);
/* The i-th oldest, borrowed. */
json_t *energy_ring_get(const struct energy_ring *r, size_t i);
/* How many have ever been taken off the front, by acknowledgement or for want of room. */
uint64_t energy_ring_removed(const struct energy_ring *r);
/* Acknowledged: take off the front until that many have been taken off ever. */
void energy_ring_ack(struct energy_ring *r, uint64_t upto);
uint64_t energy_ring_dropped(const struct energy_ring *r);

/*
 * The next interval added to an earlier one of the same instance and meter, if it
 * begins where that one ends and both together are no longer than an hour; pure.
 * False: they can't be joined, nothing was changed.
 */
bool energy_join(json_t *first, const json_t *next);

#endif
