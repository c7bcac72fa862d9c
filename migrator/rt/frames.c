#include "migrator/rt/frames.h"

uint32_t frame_table_bits(uint32_t n)
{
	uint32_t bits = 4;

	while (bits < 31 && (1u << bits) < 2 * (uint64_t)n)
		bits++;
	return bits;
}

/* The ids are hashes already: their upper bits will do. */
static uint32_t slot_of(const struct frame_table *t, uint64_t id)
{
	return (uint32_t)(id >> (64 - t->bits));
}

long frame_table_fill(struct frame_table *t)
{
	uint32_t mask = (1u << t->bits) - 1;

	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t s = slot_of(t, t->fns[i].id);

		for (; t->slots[s]; s = (s + 1) & mask)
			if (t->fns[t->slots[s] - 1].id == t->fns[i].id)
				return (long)i;
		t->slots[s] = i + 1;
	}
	return -1;
}

const struct drover_fn *frame_table_find(const struct frame_table *t, uint64_t id)
{
	uint32_t mask = (1u << t->bits) - 1;

	for (uint32_t s = slot_of(t, id); t->slots[s]; s = (s + 1) & mask)
		if (t->fns[t->slots[s] - 1].id == id)
			return &t->fns[t->slots[s] - 1];
	return NULL;
}

/* One frame by itself, and as what its caller's site expects. NULL, or what is wrong. */
static const char *check_one(const struct drover_fn *fn, const struct drover_frame *f,
			     const struct drover_fn *inner)
{
	const struct drover_site *site;

	if (!fn)
		return "no such function";
	if (!fn->resume)
		return "the function cannot be resumed";
	if (f->site >= fn->nsites)
		return "no such site";
	site = &fn->sites[f->site];
	if (site->size != f->size)
		return "the payload is not of the site's size";
	if (!inner)
		return site->kind == DROVER_SITE_POLL ? NULL
						      : "the innermost frame is not at a poll";
	if (site->kind == DROVER_SITE_POLL)
		return "a poll that is not innermost";
	if (site->kind == DROVER_SITE_CALL && site->callee != inner->id)
		return "the site calls another function than the next frame's";
	if (site->ret != inner->ret)
		return "the site expects another type of result than the next frame's function "
		       "returns";
	return NULL;
}

int frames_check(const struct frame_table *t, const unsigned char *records, uint64_t size,
		 uint32_t count, const void *outermost, uint32_t *offsets,
		 struct frame_fault *fault)
{
	const struct drover_fn *inner = NULL, *fn = NULL;
	uint64_t at = 0;

	*fault = (struct frame_fault){0};
	for (uint32_t i = 0; i < count; i++) {
		const struct drover_frame *f = (const void *)(records + at);

		fault->frame = i;
		fault->what = "the records end early";
		if (size - at < sizeof *f || size - at < frame_bytes(f->size))
			return -1;
		fault->fn = f->fn;
		fault->site = f->site;
		fn = frame_table_find(t, f->fn);
		fault->what = check_one(fn, f, inner);
		if (fault->what)
			return -1;
		offsets[i] = (uint32_t)(at / 16);
		at += frame_bytes(f->size);
		inner = fn;
	}
	if (!fn)
		fault->what = "there is no frame";
	else if (at != size)
		fault->what = "bytes behind the last record";
	else if (fn->fn != outermost)
		fault->what = "the outermost function is not the one the thread began in";
	return fault->what ? -1 : 0;
}
