/* The supervisor's reader of state images takes any bytes; what it accepts can be shown. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "migrator/image/state_image.h"
#include "migrator/rt/image_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The program of the seeds: main calls f, which has the migration point. */
static const char transform[] = "V 1\nM m source.c\n"
				"F 1f5962a2ce9803c8 main 9 1\nS 0 call f 12 8\nL 0 8 i64 n\n"
				"F af63db4c8601ead9 f 3 1\nS 0 poll - 5 4\nL 0 4 i32 k\n";

/* Makes the sum right, so that what is behind it is reached too. */
static void mend_sum(uint8_t *image, size_t size)
{
	static const uint8_t id[DROVER_BUILD_ID_BYTES];
	struct drover_image_header *h = (void *)image;
	const void *at[DROVER_SEC_THREADS + 1] = {0};
	struct image_parts p;

	if (size < sizeof(*h) || image_check_header(h, size, id))
		return;
	for (uint32_t i = 0; i < h->nsections; i++)
		at[h->sections[i].type] = image + h->sections[i].offset;
	p = (struct image_parts){h,
				 at[DROVER_SEC_PROCESS],
				 at[DROVER_SEC_THREADS],
				 at[DROVER_SEC_FRAMES],
				 at[DROVER_SEC_MAPS],
				 at[DROVER_SEC_RUNS],
				 at[DROVER_SEC_FILES],
				 at[DROVER_SEC_STRINGS]};
	h->meta_sum = image_meta_sum(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *image = malloc(size + 1);
	struct image_program p = {.name = "fuzz",
				  .data_start = 0x800000,
				  .data_end = 0x801000,
				  .text_start = 0x400000,
				  .text_end = 0x500000};
	struct state_image *img = NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_json_ json_t *j = NULL;

	if (!image)
		return 0;
	memcpy(image, data, size);
	mend_sum(image, size);
	fd = file_memfd("fuzz");
	if (fd < 0 || file_write_all(fd, image, size) ||
	    transform_parse(&p.transform, transform, sizeof(transform) - 1, NULL))
		__builtin_trap();
	if (!state_image_open(fd, &p, &img, NULL)) {
		j = state_image_json(img, &p);
		if (!j)
			__builtin_trap();
	}
	state_image_free(img);
	image_program_free(&p);
	return 0;
}
