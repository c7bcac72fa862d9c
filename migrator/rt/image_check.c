#include "migrator/rt/image_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "abi.h"

/* Record size and greatest number of records of each section; size 1: counted in bytes, 0: of
 * varying size. */
static const struct {
	uint64_t record, max;
} kinds[] = {
	[DROVER_SEC_PROCESS] = {sizeof(struct drover_image_process), 1},
	[DROVER_SEC_FRAMES] = {0, DROVER_IMAGE_MAX_FRAMES},
	[DROVER_SEC_MAPS] = {sizeof(struct drover_image_map), DROVER_IMAGE_MAX_MAPS},
	[DROVER_SEC_RUNS] = {sizeof(struct drover_image_run), DROVER_IMAGE_MAX_RUNS},
	[DROVER_SEC_FILES] = {sizeof(struct drover_image_file), DROVER_IMAGE_MAX_FILES},
	[DROVER_SEC_STRINGS] = {1, DROVER_IMAGE_MAX_STRINGS},
	[DROVER_SEC_PAGES] = {1, UINT64_MAX},
	[DROVER_SEC_THREADS] = {sizeof(struct drover_image_thread), DROVER_IMAGE_MAX_THREADS},
};
enum { KINDS = DROVER_SEC_THREADS };

uint64_t image_sum(uint64_t sum, const void *data, uint64_t n)
{
	const unsigned char *p = data;

	for (uint64_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * 0x100000001b3ull;
	return sum;
}

const struct drover_image_section *image_section(const struct drover_image_header *h, uint32_t type)
{
	for (uint32_t i = 0; i < h->nsections; i++)
		if (h->sections[i].type == type)
			return &h->sections[i];
	return NULL;
}

uint64_t image_sum_begin(const struct drover_image_header *header)
{
	struct drover_image_header h = *header;

	h.meta_sum = 0;
	return image_sum(IMAGE_SUM_START, &h, sizeof h);
}

uint64_t image_sum_section(uint64_t sum, const struct image_parts *p,
			   const struct drover_image_section *s)
{
	const void *const data[] = {
		[DROVER_SEC_PROCESS] = p->process, [DROVER_SEC_FRAMES] = p->frames,
		[DROVER_SEC_MAPS] = p->maps,       [DROVER_SEC_RUNS] = p->runs,
		[DROVER_SEC_FILES] = p->files,     [DROVER_SEC_STRINGS] = p->strings,
		[DROVER_SEC_THREADS] = p->threads,
	};

	return s->type == DROVER_SEC_PAGES ? sum : image_sum(sum, data[s->type], s->size);
}

uint64_t image_meta_sum(const struct image_parts *p)
{
	uint64_t sum = image_sum_begin(p->header);

	for (uint32_t i = 0; i < p->header->nsections; i++)
		sum = image_sum_section(sum, p, &p->header->sections[i]);
	return sum;
}

static const char *check_section(const struct drover_image_section *s, uint64_t size)
{
	if (s->type < 1 || s->type > KINDS || s->reserved)
		return "an unknown section";
	if (s->offset < sizeof(struct drover_image_header) || s->offset > size ||
	    s->size > size - s->offset)
		return "a section outside the image";
	if (s->offset % (s->type == DROVER_SEC_PAGES ? DROVER_IMAGE_ALIGN : 16))
		return "a section that is not aligned";
	if (s->count > kinds[s->type].max)
		return "a section with too many records";
	if (kinds[s->type].record ? s->size != s->count * kinds[s->type].record
				  : s->size > DROVER_IMAGE_MAX_FRAMES_BYTES)
		return "a section whose size and count disagree";
	return NULL;
}

const char *image_check_header(const struct drover_image_header *h, uint64_t file_size,
			       const uint8_t *build_id)
{
	const char *what;

	if (h->magic != DROVER_IMAGE_MAGIC)
		return "not a state image";
	if (h->version != DROVER_IMAGE_VERSION || h->abi_version != DROVER_ABI_VERSION)
		return "a state image of another version";
	if (memcmp(h->build_id, build_id, DROVER_BUILD_ID_BYTES))
		return "a state image of another program";
	if (h->size != file_size)
		return "the image is cut off";
	if ((h->isa != DROVER_ISA_X86_64 && h->isa != DROVER_ISA_AARCH64) || h->nsections != KINDS)
		return "a header that makes no sense";
	for (uint32_t i = 0; i < h->nsections; i++) {
		what = check_section(&h->sections[i], h->size);
		if (what)
			return what;
		for (uint32_t k = 0; k < i; k++) {
			const struct drover_image_section *a = &h->sections[i],
							  *b = &h->sections[k];

			if (a->type == b->type)
				return "a section that occurs twice";
			if (a->size && b->size && a->offset < b->offset + b->size &&
			    b->offset < a->offset + a->size)
				return "sections that overlap";
		}
	}
	return image_section(h, DROVER_SEC_PROCESS)->count == 1 ? NULL : "no process state";
}

/* ---- what the sections say ------------------------------------------------ */

static uint64_t count(const struct image_parts *p, uint32_t type)
{
	return image_section(p->header, type)->count;
}

static const struct drover_image_map *map_of(const struct image_parts *p, uint64_t addr)
{
	uint64_t low = 0, high = count(p, DROVER_SEC_MAPS);

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (p->maps[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < count(p, DROVER_SEC_MAPS) && p->maps[low].start <= addr ? &p->maps[low] : NULL;
}

static const char *check_maps(const struct image_parts *p)
{
	uint64_t last = DROVER_COMMON_START, n = count(p, DROVER_SEC_MAPS), stacks = 0;

	for (uint64_t i = 0; i < n; i++) {
		const struct drover_image_map *m = &p->maps[i];

		if (m->start < last || m->end <= m->start || m->end > DROVER_COMMON_END ||
		    (m->start | m->end) % DROVER_IMAGE_ALIGN)
			return "a mapping outside the common range, or out of order";
		if (m->prot & ~3u || m->flags & ~(uint32_t)DROVER_MAP_STACK)
			return "a mapping with unknown protection or flags";
		last = m->end;
		if (!(m->flags & DROVER_MAP_STACK))
			continue;
		stacks++;
		if (m->start != p->process->stack_start || m->end != p->process->stack_end ||
		    m->prot != 3)
			return "a stack that is not where the process says";
	}
	return stacks == 1 ? NULL : "not exactly one stack";
}

static const char *check_runs(const struct image_parts *p)
{
	const struct drover_image_section *pages = image_section(p->header, DROVER_SEC_PAGES);
	uint64_t last = 0, n = count(p, DROVER_SEC_RUNS);

	for (uint64_t i = 0; i < n; i++) {
		const struct drover_image_run *r = &p->runs[i];
		const struct drover_image_map *m;

		if (!r->size || r->addr < last || r->size > DROVER_COMMON_END - r->addr)
			return "a run of memory out of order";
		last = r->addr + r->size;
		if (r->offset < pages->offset || r->offset > pages->offset + pages->size ||
		    r->size > pages->offset + pages->size - r->offset)
			return "a run whose bytes are not in the image";
		if (r->addr >= p->process->data_start && last <= p->process->data_end)
			continue;
		m = map_of(p, r->addr);
		if (!m || last > m->end || (r->addr | r->size) % DROVER_IMAGE_ALIGN)
			return "a run outside the program's memory";
	}
	return NULL;
}

static const char *check_string(const struct image_parts *p, const struct drover_image_string *s)
{
	uint64_t size = image_section(p->header, DROVER_SEC_STRINGS)->size;

	if (s->offset >= size || s->length >= size - s->offset || !s->length ||
	    s->length >= DROVER_IMAGE_MAX_PATH)
		return "a string outside the image";
	if (p->strings[s->offset] != '/' || memchr(p->strings + s->offset, '\0', s->length) ||
	    p->strings[s->offset + s->length])
		return "a path that is not absolute, or has a NUL";
	return NULL;
}

static const struct drover_image_file *file_of(const struct image_parts *p, uint32_t fd)
{
	for (uint64_t i = 0; i < count(p, DROVER_SEC_FILES); i++)
		if (p->files[i].fd == fd)
			return &p->files[i];
	return NULL;
}

/* The bytes that belong to a descriptor: in PAGES, and as many as its kind can have. */
static const char *check_bytes(const struct image_parts *p, const struct drover_image_file *f)
{
	const struct drover_image_section *pages = image_section(p->header, DROVER_SEC_PAGES);

	if (!f->size)
		return NULL;
	if (f->kind != DROVER_FILE_CONTENTS && f->kind != DROVER_FILE_PIPE &&
	    f->kind != DROVER_FILE_PAIR && f->kind != DROVER_FILE_EPOLL &&
	    f->kind != DROVER_FILE_SOCKET)
		return "bytes of a descriptor that has none";
	if (f->kind == DROVER_FILE_EPOLL && f->size % sizeof(struct drover_image_watch))
		return "an epoll set of broken watches";
	if (f->offset < pages->offset || f->offset > pages->offset + pages->size ||
	    f->size > pages->offset + pages->size - f->offset)
		return "a descriptor whose bytes are not in the image";
	return NULL;
}

/* The other end, if it is open, says the same; one of the two reads a pipe and one writes it. */
static const char *check_ends(const struct image_parts *p, const struct drover_image_file *f)
{
	const struct drover_image_file *o;

	if (f->kind == DROVER_FILE_PIPE && ((f->flags & 3) > 1 || (f->size && (f->flags & 3))))
		return "a pipe's end that neither reads nor writes, or that writes and has bytes";
	if (f->peer == DROVER_FILE_NONE)
		return NULL;
	o = file_of(p, f->peer);
	if (!o || o == f || o->kind != f->kind || o->peer != f->fd)
		return "an end of a pipe or pair whose other end is not there";
	if (f->kind == DROVER_FILE_PIPE && !((f->flags ^ o->flags) & 3))
		return "a pipe with two ends of one kind";
	return NULL;
}

static const char *check_file(const struct image_parts *p, uint64_t i)
{
	const struct drover_image_file *f = &p->files[i], *like;

	switch (f->kind) {
	case DROVER_FILE_PATH:
		return check_string(p, &f->path);
	case DROVER_FILE_SHARED:
	case DROVER_FILE_REOPENED:
		like = file_of(p, f->like);
		if (!like || like >= f)
			return "a descriptor that shares with none";
		return f->kind == DROVER_FILE_REOPENED && like->kind != DROVER_FILE_CONTENTS
			       ? "a descriptor that shares with none"
			       : NULL;
	case DROVER_FILE_SOCKET:
		if (f->size < sizeof(struct drover_image_socket))
			return "a socket without a description";
		return check_ends(p, f);
	case DROVER_FILE_PIPE:
	case DROVER_FILE_PAIR:
		return check_ends(p, f);
	case DROVER_FILE_INHERITED:
	case DROVER_FILE_CONTENTS:
	case DROVER_FILE_EVENT:
	case DROVER_FILE_TIMER:
	case DROVER_FILE_SIGNAL:
	case DROVER_FILE_EPOLL:
	case DROVER_FILE_GIVEN:
		return NULL;
	default:
		return "a descriptor of unknown kind";
	}
}

static const char *check_files(const struct image_parts *p)
{
	uint64_t n = count(p, DROVER_SEC_FILES);
	const char *what = NULL;

	for (uint64_t i = 0; i < n && !what; i++) {
		const struct drover_image_file *f = &p->files[i];

		if (f->fd >= DROVER_IMAGE_MAX_FILES || (i && f->fd <= p->files[i - 1].fd))
			return "a descriptor out of order";
		what = check_bytes(p, f);
		if (!what)
			what = check_file(p, i);
	}
	return what;
}

/* [addr, addr + n) lies in one mapping. */
static int in_map(const struct image_parts *p, uint64_t addr, uint64_t n)
{
	const struct drover_image_map *m = map_of(p, addr);

	return m && n <= m->end - addr;
}

static const char *check_timers(const struct drover_image_process *s)
{
	const uint64_t most = 1ull << 62;

	for (uint32_t i = 0; i < DROVER_IMAGE_TIMERS; i++) {
		const struct drover_image_timer *t = &s->timers[i];

		if (t->used > 1 || t->notify > 1 || t->signo >= DROVER_IMAGE_SIGNALS ||
		    t->first_ns > most || t->interval_ns > most)
			return "a timer that makes no sense";
	}
	if (s->npending > DROVER_IMAGE_PENDING || s->limits_set >> DROVER_IMAGE_LIMITS)
		return "too many pending signals, or limits of unknown resources";
	for (uint32_t i = 0; i < s->npending; i++)
		if (!s->pending[i].signo || s->pending[i].signo >= DROVER_IMAGE_SIGNALS)
			return "a pending signal of no number";
	return NULL;
}

static const char *check_process(const struct image_parts *p, const struct image_host *host)
{
	const struct drover_image_process *s = p->process;
	const char *what;

	if (s->data_start != host->data_start || s->data_end != host->data_end ||
	    s->main_fn != host->main_fn)
		return "data or main at another address than here";
	if (s->argc > 1u << 20 || s->argv % 8 || s->envp % 8 ||
	    !in_map(p, s->argv, 8ull * (s->argc + 1)) || !in_map(p, s->envp, 8))
		return "arguments outside the program's memory";
	for (uint32_t i = 0; i < DROVER_IMAGE_SIGNALS; i++) {
		uint64_t h = s->signals[i].handler;

		if (h > 1 && (h < host->text_start || h >= host->text_end))
			return "a signal handler outside the program's text";
	}
	what = check_timers(s);
	return what ? what : check_string(p, &s->cwd);
}

/* [addr, addr + n) is the program's memory. */
static int in_memory(const struct image_parts *p, uint64_t addr, uint64_t n)
{
	const struct drover_image_process *s = p->process;

	return in_map(p, addr, n) ||
	       (addr >= s->data_start && addr <= s->data_end && n <= s->data_end - addr);
}

/* What the C library and the compiled code use of a thread's structure, at most. */
enum { PTHREAD_BYTES = 256 };

static const char *check_thread(const struct image_parts *p, const struct image_host *host,
				const struct drover_image_thread *t)
{
	if (t->pthread % 8 || !in_memory(p, t->pthread, PTHREAD_BYTES))
		return "a thread outside the program's memory";
	if (t->entry < host->text_start || t->entry >= host->text_end)
		return "a thread that begins outside the program's text";
	if (t->stack_pointer % 16 || t->stack_pointer < 16 ||
	    !in_memory(p, t->stack_pointer - 16, 16))
		return "a stack pointer outside the program's memory";
	return t->nframes && !t->flags ? NULL : "a thread without frames";
}

static const char *check_main_thread(const struct image_parts *p,
				     const struct drover_image_thread *t)
{
	const struct drover_image_process *s = p->process;
	bool ended = t->flags & DROVER_THREAD_ENDED;

	if (t->pthread || t->entry || t->flags & ~(uint32_t)DROVER_THREAD_ENDED)
		return "a first thread that is not main's";
	if (t->stack_pointer < s->stack_start || t->stack_pointer > s->stack_end ||
	    t->stack_pointer % 16)
		return "a stack pointer outside the stack";
	return ended == !t->nframes ? NULL : "main without frames, or ended with some";
}

static const char *check_threads(const struct image_parts *p, const struct image_host *host)
{
	const struct drover_image_section *f = image_section(p->header, DROVER_SEC_FRAMES);
	uint64_t n = count(p, DROVER_SEC_THREADS), size = 0, frames = 0;
	const char *what = n ? check_main_thread(p, &p->threads[0]) : "no thread";

	for (uint64_t i = 0; i < n && !what; i++) {
		const struct drover_image_thread *t = &p->threads[i];

		if (t->frames_size > f->size - size || t->frames_size % 16 ||
		    t->nframes > f->count - frames)
			return "a thread with other frames than there are";
		size += t->frames_size;
		frames += t->nframes;
		if (!t->tid || t->tid > p->process->last_tid)
			return "a thread without a number";
		if (i)
			what = check_thread(p, host, t);
	}
	if (!what && (size != f->size || frames != f->count))
		what = "frames that belong to no thread";
	return what;
}

const char *image_check_parts(const struct image_parts *p, const struct image_host *host)
{
	const char *what;

	if (image_meta_sum(p) != p->header->meta_sum)
		return "the image is damaged: its sum is wrong";
	what = check_maps(p);
	if (!what)
		what = check_process(p, host);
	if (!what)
		what = check_threads(p, host);
	if (!what)
		what = check_runs(p);
	if (!what)
		what = check_files(p);
	return what;
}
