/*
 * Energy over time: intervals spread over buckets of equal length, by any key.
 * Pure; microjoules and milliseconds.
 *
 * An interval's energy is taken as evenly spread over it; what falls into the
 * buckets adds up exactly to what falls into the whole range. A bucket that no
 * reading covers is a gap, not a zero.
 */
#ifndef DROVER_SCHEDULER_LEDGER_SERIES_H
#define DROVER_SCHEDULER_LEDGER_SERIES_H

#include "scheduler/ledger/ledger.h"

#define SERIES_POINTS_MAX 5000
#define SERIES_MAX        1000
#define SERIES_KEY_MAX    80

struct series {
	char key[SERIES_KEY_MAX];
	char isa[16];
	char source[16], scope[16], kind[16]; /* "mixed" where readings differ */
	uint64_t *energy_uj;                  /* of each bucket */
	uint64_t *covered_ms;                 /* of each bucket, at most its length */
};

struct series_set {
	uint64_t from_ms, to_ms, resolution_ms;
	size_t npoints;
	struct series *v;
	size_t n, cap;
	uint32_t *index; /* hash of keys */
	size_t buckets;
	uint64_t dropped; /* readings of keys beyond SERIES_MAX */
	bool failed;      /* no memory */
};

/*
 * Chooses the buckets: as many as points (1 to SERIES_POINTS_MAX) at most, each at
 * least resolution_ms long (0: as fits), beginning at a multiple of their length so
 * that the same moments share a bucket whenever it is asked. -EINVAL: to is not
 * after from.
 */
int series_init(struct series_set *s, uint64_t from_ms, uint64_t to_ms, uint64_t resolution_ms,
		uint64_t points, struct err *e);
void series_free(struct series_set *s);

/* Spreads energy_uj of labels' reading over its time to the series of that key. */
void series_add(struct series_set *s, const char *key, const char *isa,
		const struct energy_interval *labels, uint64_t energy_uj);

/* Where bucket i begins. */
uint64_t series_time(const struct series_set *s, size_t i);
/* Its average power in watts; negative: a gap. */
double series_watts(const struct series_set *s, const struct series *one, size_t i);

#endif
