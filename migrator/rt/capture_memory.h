/*
 * The program's memory in the state image (docs/formats/image.md, sections 3 and 7). Nothing of the
 * program runs meanwhile.
 */
#ifndef DROVER_RT_CAPTURE_MEMORY_H
#define DROVER_RT_CAPTURE_MEMORY_H

#include "migrator/rt/rt.h"

/* Writes n bytes at an offset of the image's file; 0 or a negative errno. */
int capture_write_at(const void *data, uint64_t n, uint64_t offset);

/* Writes what is not zero at *offset, which moves on; 0 or a negative errno. The file is not empty.
 */
int capture_memory(uint64_t *offset);

/* Where it is, until the next capture. */
const struct drover_image_run *capture_runs(uint64_t *n);

#endif
