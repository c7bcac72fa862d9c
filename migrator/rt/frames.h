/*
 * The captured stack: a table of functions, and the check that a chain of frames can be rebuilt.
 * Pure. Nothing of the program runs before the whole chain has been found good.
 */
#ifndef DROVER_RT_FRAMES_H
#define DROVER_RT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/* Open-addressed by id; `slots` has 2^bits places of index + 1. */
struct frame_table {
	const struct drover_fn *fns;
	uint32_t n, bits;
	uint32_t *slots;
};

/* Places a table for n functions needs: a power of two, at least twice n. */
uint32_t frame_table_bits(uint32_t n);

/* Fills zeroed slots; the index of a function whose id occurs twice, or -1. */
long frame_table_fill(struct frame_table *t);

const struct drover_fn *frame_table_find(const struct frame_table *t, uint64_t id);

/* Why a chain is refused: `what` is constant text, `frame` counts from the innermost. */
struct frame_fault {
	const char *what;
	uint64_t fn;
	uint32_t frame, site;
};

/*
 * Checks `size` bytes of `count` records, innermost first, against the table: ids, sites, sizes,
 * callees of direct calls, return classes, a poll innermost and only there, `outermost`, the
 * function the thread began in, outermost. Fills offsets[count] (in units of 16 bytes). 0, or -1
 * with the fault.
 */
int frames_check(const struct frame_table *t, const unsigned char *records, uint64_t size,
		 uint32_t count, const void *outermost, uint32_t *offsets,
		 struct frame_fault *fault);

/* Bytes of a record with that payload. */
static inline uint64_t frame_bytes(uint64_t payload)
{
	return (sizeof(struct drover_frame) + payload + 15) & ~15ull;
}

#endif
