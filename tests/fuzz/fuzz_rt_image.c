/* The runtime's reader of state images: hostile bytes are refused, or describe only what lies
 * within them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "migrator/rt/frames.h"
#include "migrator/rt/image_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The chain is judged by a table made of the functions it names, so that the check goes past the
 * first frame. */
static void check_frames(const unsigned char *records, uint64_t size, uint64_t count)
{
	static char code;
	struct drover_site sites[2] = {{0}, {.kind = DROVER_SITE_ICALL}};
	struct drover_fn fns[2] = {{.resume = &code, .fn = &code, .sites = sites, .nsites = 1},
				   {.resume = &code, .fn = &code, .sites = sites + 1, .nsites = 1}};
	uint32_t slots[16] = {0}, *offsets = calloc(count + 1, sizeof *offsets);
	struct frame_table t = {fns, 2, 4, slots};
	struct frame_fault fault;
	struct drover_frame f[2] = {0};

	if (size >= sizeof *f)
		memcpy(&f[0], records, sizeof *f);
	if (size >= frame_bytes(f[0].size) + sizeof *f)
		memcpy(&f[1], records + frame_bytes(f[0].size), sizeof *f);
	fns[0].id = f[0].fn;
	fns[1].id = f[1].fn;
	sites[0].size = f[0].size;
	sites[1].size = f[1].size;
	frame_table_fill(&t);
	if (offsets)
		frames_check(&t, records, size, (uint32_t)count, &code, offsets, &fault);
	free(offsets);
}

static void check_threads(const struct image_parts *p)
{
	const unsigned char *frames = p->frames;

	for (uint64_t i = 0; i < image_section(p->header, DROVER_SEC_THREADS)->count; i++) {
		const struct drover_image_thread *t = &p->threads[i];

		check_frames(frames, t->frames_size, t->nframes);
		frames += t->frames_size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drover_image_header header;
	struct image_parts p = {.header = &header};
	struct image_host host = {.text_start = 0x200000, .text_end = 0x8000000};
	const void *at[DROVER_SEC_THREADS + 1] = {0};
	unsigned char *image;

	if (size < sizeof header)
		return 0;
	image = aligned_alloc(16, (size + 15) & ~(size_t)15);
	if (!image)
		return 0;
	memcpy(image, data, size);
	memcpy(&header, image, sizeof header);
	header.size = size;
	if (!image_check_header(&header, size, header.build_id)) {
		for (uint32_t i = 0; i < header.nsections; i++)
			at[header.sections[i].type] = image + header.sections[i].offset;
		p.process = at[DROVER_SEC_PROCESS];
		p.threads = at[DROVER_SEC_THREADS];
		p.frames = at[DROVER_SEC_FRAMES];
		p.maps = at[DROVER_SEC_MAPS];
		p.runs = at[DROVER_SEC_RUNS];
		p.files = at[DROVER_SEC_FILES];
		p.strings = at[DROVER_SEC_STRINGS];
		host.data_start = p.process->data_start;
		host.data_end = p.process->data_end;
		host.main_fn = p.process->main_fn;
		header.meta_sum = image_meta_sum(&p);
		if (!image_check_parts(&p, &host))
			check_threads(&p);
	}
	free(image);
	return 0;
}
