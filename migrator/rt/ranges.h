/*
 * The table of a program's mappings: ascending, disjoint, page-aligned ranges; neighbours that are
 * alike are one entry. Pure: the caller owns the memory and makes the system calls.
 */
#ifndef DROVER_RT_RANGES_H
#define DROVER_RT_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"

struct ranges {
	struct drover_image_map *v;
	uint32_t n, max;
};

/* Lowest address of `len` free bytes in [low, high); 0: none. */
uint64_t ranges_gap(const struct ranges *r, uint64_t len, uint64_t low, uint64_t high);

/* Whether nothing of [start, end) is mapped. */
bool ranges_free(const struct ranges *r, uint64_t start, uint64_t end);

/* Whether all of [start, end) is mapped. */
bool ranges_covered(const struct ranges *r, uint64_t start, uint64_t end);

/* The entry that holds an address, or NULL. */
const struct drover_image_map *ranges_find(const struct ranges *r, uint64_t addr);

/* Whether two more entries fit: what one change may need at most. */
bool ranges_room(const struct ranges *r);

/* Change the table. Need ranges_room(); ranges_add needs [start, end) free. */
void ranges_add(struct ranges *r, uint64_t start, uint64_t end, uint32_t prot, uint32_t flags);
void ranges_remove(struct ranges *r, uint64_t start, uint64_t end);
void ranges_protect(struct ranges *r, uint64_t start, uint64_t end, uint32_t prot);

#endif
