/*
 * Whether a state image may be loaded here: docs/formats/image.md, section 2. Pure; the image is
 * hostile until this has passed. Frames are checked by frames.h.
 */
#ifndef DROVER_RT_IMAGE_CHECK_H
#define DROVER_RT_IMAGE_CHECK_H

#include <stdint.h>

#include "image.h"

/* What the reader is. */
struct image_host {
	uint64_t data_start, data_end, text_start, text_end, main_fn;
	const uint8_t *build_id;
};

/* The sections, read into memory. */
struct image_parts {
	const struct drover_image_header *header;
	const struct drover_image_process *process;
	const struct drover_image_thread *threads;
	const unsigned char *frames;
	const struct drover_image_map *maps;
	const struct drover_image_run *runs;
	const struct drover_image_file *files;
	const char *strings;
};

/* The section of a type; the header has been checked, so there is exactly one. */
const struct drover_image_section *image_section(const struct drover_image_header *h,
						 uint32_t type);

/* NULL, or what is wrong (constant text). The header alone, then everything. */
const char *image_check_header(const struct drover_image_header *h, uint64_t file_size,
			       const uint8_t *build_id);
const char *image_check_parts(const struct image_parts *p, const struct image_host *host);

/* FNV-1a 64, continued. */
#define IMAGE_SUM_START 0xcbf29ce484222325ull
uint64_t image_sum(uint64_t sum, const void *data, uint64_t n);

/* Over the header, then over one section after the other, PAGES skipped. */
uint64_t image_sum_begin(const struct drover_image_header *header);
uint64_t image_sum_section(uint64_t sum, const struct image_parts *p,
			   const struct drover_image_section *s);

/* The sum a header should carry. */
uint64_t image_meta_sum(const struct image_parts *p);

#endif
