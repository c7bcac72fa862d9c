/* What the files of migrator/image/ know of an image that was read; not for others. */
#ifndef DROVER_STATE_IMAGE_PRIVATE_H
#define DROVER_STATE_IMAGE_PRIVATE_H

#include "migrator/image/state_image.h"
#include "migrator/rt/image_check.h"

struct frame {
	const struct transform_fn *fn;
	uint32_t site, size;
};

struct state_image {
	struct drover_image_header header;
	void *section[DROVER_SEC_THREADS + 1]; /* by type; PAGES stay in the file */
	struct image_parts parts;
	struct frame *frames; /* of each thread in turn, innermost first */
	size_t nframes;
};

#endif
