/* What this executable's program headers say; home data of the C library's start. */
#ifndef DROVER_RT_SELF_H
#define DROVER_RT_SELF_H

#include <stdint.h>

/* The addresses between which the executable segments lie. */
void self_text(uint64_t *start, uint64_t *end);

/* The unwinder's index (.eh_frame_hdr), or NULL; and the bounds of all segments. */
const void *self_unwind_index(uint64_t *start, uint64_t *end);

#endif
