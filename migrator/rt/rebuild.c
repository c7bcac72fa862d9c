/* Rebuilding a stack: the outermost frame's clone is called, each clone calls the next inner one's.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "migrator/rt/frames.h"

static struct frame_table table;

/* Once per process: the table does not change. */
static bool index_functions(struct text *why)
{
	long twice;

	if (table.slots)
		return true;
	table.fns = __start_drover_fns;
	table.n = __start_drover_fns ? (uint32_t)(__stop_drover_fns - __start_drover_fns) : 0;
	table.bits = frame_table_bits(table.n);
	table.slots = memory_own((uint64_t)sizeof(uint32_t) << table.bits);
	if (!table.slots) {
		text_str(why, "no memory for the table of functions");
		return false;
	}
	twice = frame_table_fill(&table);
	if (twice < 0)
		return true;
	text_str(why, "two functions have the identity ");
	text_hex(why, table.fns[twice].id);
	return false;
}

static bool offsets_reserve(struct rt_thread *t)
{
	uint64_t size = (t->frames_count * sizeof *t->offsets + RT_PAGE) & ~(RT_PAGE - 1ull);

	if (size <= t->offsets_room)
		return true;
	if (t->offsets)
		kernel(SYS_munmap, t->offsets, t->offsets_room);
	t->offsets = memory_own(size);
	t->offsets_room = t->offsets ? size : 0;
	return t->offsets;
}

bool rebuild_check(struct rt_thread *t, struct text *why)
{
	const void *outermost = t->entry ? (const void *)t->entry : (const void *)rt.main_fn;
	struct frame_fault fault;

	if (!index_functions(why))
		return false;
	if (!offsets_reserve(t)) {
		text_str(why, "no memory for the frames of a thread");
		return false;
	}
	if (!frames_check(&table, t->frames, t->frames_size, t->frames_count, outermost, t->offsets,
			  &fault))
		return true;
	if (t != &threads[0]) {
		text_str(why, "thread ");
		text_num(why, t->tid);
		text_str(why, ", ");
	}
	text_str(why, "frame ");
	text_num(why, fault.frame);
	text_str(why, " (function ");
	text_hex(why, fault.fn);
	text_str(why, ", site ");
	text_num(why, fault.site);
	text_str(why, "): ");
	text_str(why, fault.what);
	return false;
}

static struct drover_frame *record(const struct rt_thread *t, uint32_t i)
{
	return (void *)(t->frames + (uint64_t)t->offsets[i] * 16);
}

__attribute__((__noinline__)) int rebuild_run(struct rt_thread *self)
{
	int (*resume)(void *), status;

	self->cursor = self->frames_count - 1;
	*thread_csp(self) = self->csp;
	resume = (int (*)(void *))frame_table_find(&table, record(self, self->cursor)->fn)->resume;
	/* The innermost clone is about to be called: from there on the program runs. */
	if (!self->cursor)
		stop_resumed(self);
	status = resume(record(self, self->frames_count - 1));
	/* No tail call: this frame is where the next unwinding ends. */
	__asm__ __volatile__("" : "+r"(status) : : "memory");
	return status;
}

uint32_t __drover_load(const void *frame, void *block, const struct drover_homes *homes)
{
	const struct drover_frame *f = frame;
	uint32_t n;
	const struct drover_home *h = drover_homes_of(homes, f->site, &n);

	for (; n; n--, h++)
		memcpy((char *)block + h->home, f->payload + h->offset, h->size);
	return f->site;
}

struct drover_inner __drover_inner(void *frame)
{
	struct rt_thread *self = thread_self();
	struct drover_frame *inner;
	struct text t = {0};

	if (!self->cursor || frame != record(self, self->cursor)) {
		text_str(&t, "a frame was rebuilt out of turn");
		rt_die(&t, -EFAULT);
	}
	inner = record(self, --self->cursor);
	if (!self->cursor)
		stop_resumed(self);
	return (struct drover_inner){frame_table_find(&table, inner->fn)->resume, inner};
}
