/*
 * Two state images of one program, word by word: what a half writes at a migration point, the
 * other half must write there too.
 *
 * A pair taken at the same point of the same run, one by each half, may differ only in what
 * belongs to the process that wrote it; everything else is state that one ISA would hand to the
 * other wrongly.
 */
#ifndef DROVER_IMAGE_DIFFER_H
#define DROVER_IMAGE_DIFFER_H

#include "migrator/image/state_image.h"

/* A word of 8 bytes, or a part of one, that is not the same in both images. */
struct image_difference {
	char place[192];  /* "process.pid", "frame 2 (solve, site 0): n", "memory" */
	uint64_t address; /* of memory: where; else 0 */
	uint64_t a, b;    /* the words */
	const char *why;  /* why it may differ (constant text), NULL if it must not */
};

/* Negative errno ends the comparison. */
typedef int image_difference_fn(void *context, const struct image_difference *d);

/*
 * Calls FN for each difference, in the order of the image. The descriptors are those the images
 * were opened from. Returns 0, what FN returned, or an error of reading.
 */
int state_image_differ(const struct state_image *a, int fd_a, const struct state_image *b, int fd_b,
		       const struct image_program *p, image_difference_fn *fn, void *context,
		       struct err *e);

#endif
