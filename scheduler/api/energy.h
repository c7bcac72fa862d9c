/*
 * Energy over REST, and the newest reading of each meter, which is kept in memory:
 * it is asked for all the time and comes again within seconds of a restart.
 */
#ifndef DROVER_SCHEDULER_API_ENERGY_H
#define DROVER_SCHEDULER_API_ENERGY_H

#include "scheduler/api/engine.h"

/* Time between two energy events. */
#define ENERGY_EVENT_MS 5000

struct energy_latest;

/* A meter's newest reading. */
struct energy_reading {
	char node[CORE_NAME_MAX], meter[ENERGY_NAME_MAX];
	char source[16], scope[16], kind[16];
	bool counted;
	uint64_t from_ms, to_ms, energy_uj, gap_ms;
};

struct energy_latest *energy_latest_new(void);
void energy_latest_free(struct energy_latest *l);
/* Keeps it unless a newer one of that node and meter is there. Without memory it isn't kept. */
void energy_latest_put(struct energy_latest *l, const struct energy_interval *i);
/* NULL: none yet. */
const struct energy_reading *energy_latest_get(const struct energy_latest *l, const char *node,
					       const char *meter);
/* The i-th of all, in no order; NULL behind the last. */
const struct energy_reading *energy_latest_at(const struct energy_latest *l, size_t i);
/* Average power of a reading in watts; negative: not known. */
double energy_reading_watts(const struct energy_reading *r);

/* Until when all nodes have been read, of those that are read now: their newest counted readings'
 * earliest end; now_ms if there are none. */
uint64_t energy_known_until(const struct energy_latest *l, uint64_t now_ms);

/* Under the engine's lock, at each tick: writes what sleeping nodes draw. */
void energy_sleeps(struct engine *en, uint64_t now_ms);
/* Under the engine's lock, at each tick: tells of the nodes' power every ENERGY_EVENT_MS. */
void energy_tick(struct engine *en, uint64_t now_ms);

#endif
