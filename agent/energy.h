/*
 * Energy intervals that the scheduler has not acknowledged yet.
 *
 * A bounded ring of the newest intervals, kept in memory and in a file of JSON
 * lines, so that they outlive the agent. When it is full the oldest is dropped
 * and counted. Entries carry the instance that measured them, because intervals
 * are told apart by (instance, meter, from_ms).
 */
#ifndef DROVER_AGENT_ENERGY_H
#define DROVER_AGENT_ENERGY_H

#include <jansson.h>
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
/* The i-th oldest, borrowed. */
json_t *energy_ring_get(const struct energy_ring *r, size_t i);
/* How many have ever been taken off the front, by acknowledgement or for want of room. */
uint64_t energy_ring_removed(const struct energy_ring *r);
/* Acknowledged: take off the front until that many have been taken off ever. */
void energy_ring_ack(struct energy_ring *r, uint64_t upto);
uint64_t energy_ring_dropped(const struct energy_ring *r);

#endif
