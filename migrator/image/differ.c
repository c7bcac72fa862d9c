#include "migrator/image/differ.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include "common/compiler.h"
#include "common/file.h"
#include "migrator/image/state_image_private.h"
#include "migrator/include/abi.h"

enum { WORD = 8, PAGE = 4096 };

struct comparison {
	const struct state_image *img[2];
	int fd[2];
	const struct image_program *program;
	image_difference_fn *fn;
	void *context;
	struct err *e;
};

/* A member of a record, and why it may differ; members without a reason need no row. */
struct member {
	size_t offset, size;
	const char *name, *why;
};

#define MEMBER(type, m, why) {offsetof(struct type, m), sizeof(((struct type *)0)->m), #m, why}

static const char own_clock[] = "the process's own clock";
static const char time_left[] = "the time left until it fires";
static const char own_sum[] = "follows from the rest";
static const char own_number[] = "a number the kernel gave this process";

static const struct member of_header[] = {
	MEMBER(drover_image_header, isa, "the half that wrote it"),
	MEMBER(drover_image_header, size, own_sum),
	MEMBER(drover_image_header, points, NULL),
	MEMBER(drover_image_header, captures, NULL),
};

static const struct member of_process[] = {
	MEMBER(drover_image_process, monotonic_ns, own_clock),
	MEMBER(drover_image_process, boottime_ns, own_clock),
	MEMBER(drover_image_process, realtime_ns, own_clock),
	MEMBER(drover_image_process, process_cpu_ns, own_clock),
	MEMBER(drover_image_process, pid, own_number),
	MEMBER(drover_image_process, last_tid, own_number),
	MEMBER(drover_image_process, umask, NULL),
	MEMBER(drover_image_process, libc, NULL),
	MEMBER(drover_image_process, signals, NULL),
	MEMBER(drover_image_process, interval_timers, time_left),
	MEMBER(drover_image_process, timers, time_left),
	MEMBER(drover_image_process, pending, "the sender of a signal, the process itself"),
	MEMBER(drover_image_process, limits, NULL),
};

static const struct member of_thread[] = {
	MEMBER(drover_image_thread, cpu_ns, own_clock),
	MEMBER(drover_image_thread, tid, own_number),
	MEMBER(drover_image_thread, stack_pointer, NULL),
	MEMBER(drover_image_thread, signal_mask, NULL),
	MEMBER(drover_image_thread, errno_val, NULL),
	MEMBER(drover_image_thread, fenv, NULL),
};

static const struct member of_map[] = {
	MEMBER(drover_image_map, start, NULL),
	MEMBER(drover_image_map, end, NULL),
	MEMBER(drover_image_map, prot, NULL),
};

static const struct member of_file[] = {
	MEMBER(drover_image_file, flags, NULL),
	MEMBER(drover_image_file, position, NULL),
	MEMBER(drover_image_file, path, NULL),
	MEMBER(drover_image_file, value[0], NULL),
	MEMBER(drover_image_file, value[1], "an inode or the time left, of its kernel"),
	MEMBER(drover_image_file, value[2], "an inode or a device, of its kernel"),
	MEMBER(drover_image_file, offset, "where in the image its bytes are"),
};

_printf_(6, 7) static int report(const struct comparison *c, uint64_t address, uint64_t a,
				 uint64_t b, const char *why, const char *format, ...)
{
	struct image_difference d = {.address = address, .a = a, .b = b, .why = why};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(d.place, sizeof(d.place), format, args);
	va_end(args);
	return c->fn(c->context, &d);
}

static uint64_t word_at(const void *p, size_t size)
{
	uint64_t w = 0;

	memcpy(&w, p, size < WORD ? size : WORD);
	return w;
}

static const struct member *member_at(const struct member *m, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (at >= m[i].offset && at < m[i].offset + m[i].size)
			return &m[i];
	return NULL;
}

/* One record; what no row of the table covers is compared by halves of words. */
static int compare_record(const struct comparison *c, const char *name, const void *a,
			  const void *b, size_t size, const struct member *members, size_t n)
{
	const char *x = a, *y = b;
	int r = 0;

	for (size_t at = 0, step; at < size && !r; at += step) {
		const struct member *m = member_at(members, n, at);
		size_t end = m ? m->offset + m->size : at + WORD / 2;

		step = (end < size ? end : size) - at;
		if (step > WORD)
			step = WORD;
		if (!memcmp(x + at, y + at, step))
			continue;
		if (m)
			r = report(c, 0, word_at(x + at, step), word_at(y + at, step), m->why,
				   "%s.%s", name, m->name);
		else
			r = report(c, 0, word_at(x + at, step), word_at(y + at, step), NULL,
				   "%s, byte %zu", name, at);
	}
	return r;
}

/* The records of a section, and how many there are. */
static int compare_section(const struct comparison *c, uint32_t type, const char *name, size_t size,
			   const struct member *members, size_t n)
{
	uint64_t na = image_section(&c->img[0]->header, type)->count;
	uint64_t nb = image_section(&c->img[1]->header, type)->count;
	const char *a = c->img[0]->section[type], *b = c->img[1]->section[type];
	int r = 0;

	if (na != nb)
		r = report(c, 0, na, nb, NULL, "number of %ss", name);
	for (uint64_t i = 0; i < na && i < nb && !r; i++) {
		char which[48];

		(void)snprintf(which, sizeof(which), "%s %" PRIu64, name, i);
		r = compare_record(c, which, a + i * size, b + i * size, size, members, n);
	}
	return r;
}

/* ---- the stack ------------------------------------------------------------- */

static int compare_values(const struct comparison *c, size_t index, const struct frame *f,
			  const char *a, const char *b)
{
	const struct transform *t = &c->program->transform;
	const struct transform_site *s = &t->sites[f->fn->first_site + f->site];
	int r = 0;

	for (size_t i = 0; i < s->nvalues && !r; i++) {
		const struct transform_value *v = &t->values[s->first_value + i];

		for (uint32_t at = 0; at < v->size && !r; at += WORD) {
			size_t step = v->size - at < WORD ? v->size - at : WORD;
			const char *x = a + v->offset + at, *y = b + v->offset + at;

			if (memcmp(x, y, step) != 0)
				r = report(c, 0, word_at(x, step), word_at(y, step), NULL,
					   "frame %zu (%.64s, site %u): %.48s %.32s", index,
					   f->fn->name, f->site, v->type, v->name);
		}
	}
	return r;
}

/* Both were checked against the bundle: of one function and site, records have one size. */
static int compare_frames(const struct comparison *c)
{
	const struct state_image *a = c->img[0], *b = c->img[1];
	uint64_t at = 0;
	int r = 0;

	if (a->nframes != b->nframes)
		return report(c, 0, a->nframes, b->nframes, NULL, "number of frames");
	for (size_t i = 0; i < a->nframes && !r; i++) {
		const struct frame *x = &a->frames[i], *y = &b->frames[i];

		if (x->fn != y->fn || x->site != y->site)
			return report(c, 0, x->site, y->site, NULL,
				      "frame %zu: site of %.64s, or of %.64s", i, x->fn->name,
				      y->fn->name);
		at += sizeof(struct drover_frame);
		r = compare_values(c, i, x, (const char *)a->parts.frames + at,
				   (const char *)b->parts.frames + at);
		at = (at + x->size + 15) & ~UINT64_C(15);
	}
	return r;
}

/* ---- memory ---------------------------------------------------------------- */

/* The page at ADDR of an image, whose runs before RUN lie below: zeros where there is no run. */
static int read_page(const struct comparison *c, int which, uint64_t addr, uint64_t run,
		     unsigned char page[PAGE])
{
	const struct state_image *img = c->img[which];
	uint64_t n = image_section(&img->header, DROVER_SEC_RUNS)->count;
	int r = 0;

	memset(page, 0, PAGE);
	for (uint64_t i = run; i < n && img->parts.runs[i].addr < addr + PAGE && !r; i++) {
		const struct drover_image_run *u = &img->parts.runs[i];
		uint64_t from = u->addr > addr ? u->addr : addr;
		uint64_t to = u->addr + u->size < addr + PAGE ? u->addr + u->size : addr + PAGE;

		r = file_pread_all(c->fd[which], page + (from - addr), to - from,
				   (off_t)(u->offset + (from - u->addr)));
		if (r < 0)
			return err_sys(c->e, r, "cannot read the memory of a state image");
	}
	return r;
}

/* The first page at or above ADDR that a run of the image covers; UINT64_MAX: none. *RUN goes on
 * to that run. */
static uint64_t next_page(const struct state_image *img, uint64_t addr, uint64_t *run)
{
	const struct drover_image_run *u = img->parts.runs;
	uint64_t n = image_section(&img->header, DROVER_SEC_RUNS)->count;

	while (*run < n && u[*run].addr + u[*run].size <= addr)
		++*run;
	if (*run == n)
		return UINT64_MAX;
	return (u[*run].addr > addr ? u[*run].addr : addr) & ~(uint64_t)(PAGE - 1);
}

/* An emulator hands the environment on in an order of its own. */
static const char *why_memory(const struct comparison *c, uint64_t addr)
{
	const struct image_parts *p = &c->img[0]->parts;
	uint64_t n = image_section(&c->img[0]->header, DROVER_SEC_MAPS)->count;

	for (uint64_t i = 0; i < n; i++)
		if (p->process->envp >= p->maps[i].start && p->process->envp < p->maps[i].end)
			return addr >= p->process->envp && addr < p->maps[i].end
				       ? "the environment, which is the process's own"
				       : NULL;
	return NULL;
}

static int compare_memory(const struct comparison *c)
{
	unsigned char page[2][PAGE];
	uint64_t run[2] = {0, 0}, addr = 0;
	int r = 0;

	while (!r) {
		uint64_t a = next_page(c->img[0], addr, &run[0]);
		uint64_t b = next_page(c->img[1], addr, &run[1]);

		addr = a < b ? a : b;
		if (addr == UINT64_MAX)
			break;
		r = read_page(c, 0, addr, run[0], page[0]);
		if (!r)
			r = read_page(c, 1, addr, run[1], page[1]);
		for (size_t i = 0; i < PAGE && !r; i += WORD)
			if (memcmp(page[0] + i, page[1] + i, WORD) != 0)
				r = report(c, addr + i, word_at(page[0] + i, WORD),
					   word_at(page[1] + i, WORD), why_memory(c, addr + i),
					   "memory");
		addr += PAGE;
	}
	return r;
}

int state_image_differ(const struct state_image *a, int fd_a, const struct state_image *b, int fd_b,
		       const struct image_program *p, image_difference_fn *fn, void *context,
		       struct err *e)
{
	const struct comparison c = {{a, b}, {fd_a, fd_b}, p, fn, context, e};
	int r = compare_record(&c, "header", &a->header, &b->header,
			       offsetof(struct drover_image_header, meta_sum), of_header,
			       ARRAY_SIZE(of_header));

	if (!r)
		r = compare_record(&c, "process", a->parts.process, b->parts.process,
				   sizeof(*a->parts.process), of_process, ARRAY_SIZE(of_process));
	if (!r)
		r = compare_section(&c, DROVER_SEC_THREADS, "thread",
				    sizeof(struct drover_image_thread), of_thread,
				    ARRAY_SIZE(of_thread));
	if (!r)
		r = compare_frames(&c);
	if (!r)
		r = compare_section(&c, DROVER_SEC_MAPS, "map", sizeof(struct drover_image_map),
				    of_map, ARRAY_SIZE(of_map));
	if (!r)
		r = compare_section(&c, DROVER_SEC_FILES, "descriptor",
				    sizeof(struct drover_image_file), of_file, ARRAY_SIZE(of_file));
	return r ? r : compare_memory(&c);
}
