/* Rebuilding a stack: the outermost frame's clone is called, each clone calls the next inner one's.
 */
#include "migrator/rt/rt.h"

#include <errno.h>

#include "migrator/rt/frames.h"

static struct frame_table table;
static uint32_t *offsets; /* of the records, innermost first, in units of 16 bytes */
static uint32_t cursor;   /* the record of the frame that runs */
static uint64_t started;

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
	offsets = memory_own((uint64_t)sizeof *offsets * DROVER_IMAGE_MAX_FRAMES);
	if (!table.slots || !offsets) {
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

bool rebuild_check(main_function *main_fn, struct text *why)
{
	struct frame_fault fault;

	if (!index_functions(why))
		return false;
	if (!frames_check(&table, frames, frames_size, frames_count, (const void *)main_fn, offsets,
			  &fault))
		return true;
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

static struct drover_frame *record(uint32_t i)
{
	return (void *)(frames + (uint64_t)offsets[i] * 16);
}

/* The innermost clone is about to be called: from here on the program runs. */
static void resumed(void)
{
	uint64_t a[] = {rt_now() - started};

	rt.deferred = 0;
	control_send(DROVER_MSG_RESUMED, 0, a, 1, NULL);
	__drover_csp = rt.csp;
	__drover_poll = rt.planned || rt.wanted || rt.request;
	signals_set_mask(rt.mask);
}

__attribute__((__noinline__)) int rebuild_run(void)
{
	int (*resume)(void *), status;

	started = rt_now();
	cursor = frames_count - 1;
	__drover_csp = rt.csp;
	__drover_poll = 0;
	resume = (int (*)(void *))frame_table_find(&table, record(cursor)->fn)->resume;
	if (!cursor)
		resumed();
	status = resume(record(frames_count - 1));
	/* No tail call: this frame is where the next unwinding ends. */
	__asm__ __volatile__("" : "+r"(status) : : "memory");
	return status;
}

void *__drover_inner(void *frame)
{
	if (cursor && frame == record(cursor))
		return record(--cursor);
	struct text t = {0};

	text_str(&t, "a frame was rebuilt out of turn");
	rt_die(&t, -EFAULT);
}

void *__drover_resume_fn(void *frame)
{
	if (!cursor)
		resumed();
	return frame_table_find(&table, ((struct drover_frame *)frame)->fn)->resume;
}
