/* Writing the program's memory into the state image, and the runs that say where it is. */
#include "migrator/rt/capture_memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "migrator/rt/kept.h"

/* Zero pages between two others that are written rather than end a run: a record and a call are
 * dearer. */
#define GAP (8u * RT_PAGE)

static struct drover_image_run *runs;
static uint64_t nruns;

int capture_write_at(const void *data, uint64_t n, uint64_t offset)
{
	while (n) {
		long r = kernel(SYS_pwrite64, rt.image_out, data, n, offset);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r ? (int)r : -EIO;
		data = (const char *)data + r;
		n -= (uint64_t)r;
		offset += (uint64_t)r;
	}
	return 0;
}

static bool is_zero(const void *p, uint64_t n)
{
	const uint64_t *w = p;
	uint64_t any = 0;

	for (uint64_t i = 0; i < n / 8; i += 8) {
		for (unsigned k = 0; k < 8; k++)
			any |= w[i + k];
		if (any)
			return false;
	}
	return true;
}

static int enter_run(uint64_t addr, uint64_t end, uint64_t offset)
{
	if (nruns == DROVER_IMAGE_MAX_RUNS)
		return -E2BIG;
	runs[nruns++] = (struct drover_image_run){addr, end - addr, offset};
	return 0;
}

static int add_run(uint64_t addr, uint64_t end, uint64_t *offset)
{
	int r = enter_run(addr, end, *offset);

	if (!r)
		r = capture_write_at((const void *)addr, end - addr, *offset);
	*offset += end - addr;
	return r;
}

/* The parts of [start, end) that are not zero, as runs. Both are multiples of 64 apart from start's
 * page. */
static int add_range(uint64_t start, uint64_t end, uint64_t *offset)
{
	uint64_t run = 0, run_end = 0;
	int r = 0;

	for (uint64_t at = start, next; at < end && !r; at = next) {
		next = (at | (RT_PAGE - 1)) + 1;
		if (next > end)
			next = end;
		if (kept_state(at) == KEPT_EMPTY || is_zero((const void *)at, next - at))
			continue;
		if (run && at - run_end > GAP) {
			r = add_run(run, run_end, offset);
			run = 0;
		}
		if (!run)
			run = at;
		run_end = next;
	}
	return run && !r ? add_run(run, run_end, offset) : r;
}

/* The same for whole pages of an image in place: each at its address, and written if it has
 * changed.
 */
static int add_in_place(uint64_t start, uint64_t end)
{
	uint64_t run = 0, changed = 0;
	int r = 0;

	for (uint64_t at = start; at < end && !r; at += RT_PAGE) {
		enum kept_page state = kept_state(at);
		bool empty = state == KEPT_EMPTY ||
			     (state == KEPT_OWN && is_zero((const void *)at, RT_PAGE));

		if (changed && (empty || state == KEPT_UNCHANGED)) {
			r = capture_write_at((const void *)changed, at - changed, changed);
			changed = 0;
		}
		if (run && empty && !r) {
			r = enter_run(run, at, run);
			run = 0;
		}
		if (!empty) {
			run = run ? run : at;
			changed = changed || state == KEPT_UNCHANGED ? changed : at;
		}
	}
	if (changed && !r)
		r = capture_write_at((const void *)changed, end - changed, changed);
	return run && !r ? enter_run(run, end, run) : r;
}

/* Below a thread's common stack pointer is nothing: where the next such gap in [at, end) begins and
 * ends; end if there is none. */
static uint64_t next_gap(uint64_t at, uint64_t end, uint64_t *gap_end)
{
	uint64_t first = end;

	*gap_end = end;
	for (uint32_t i = 0; i < threads_end; i++) {
		const struct rt_thread *t = &threads[i];
		uint64_t low, high = (uint64_t)t->csp & ~(uint64_t)(RT_PAGE - 1);

		if (t->place != THREAD_SAVED && i)
			continue;
		low = i ? __drover_libc_stack_low(t->tp) : RT_STACK_START;
		low = (low + RT_PAGE - 1) & ~(uint64_t)(RT_PAGE - 1);
		low = low < at ? at : low;
		if (low < high && low < first && high > at) {
			first = low;
			*gap_end = high < end ? high : end;
		}
	}
	return first;
}

static int add_live(uint64_t at, uint64_t end, uint64_t *offset)
{
	uint64_t gap, gap_end;
	int r = 0;

	for (; at < end && !r; at = gap_end) {
		gap = next_gap(at, end, &gap_end);
		r = rt.in_place ? add_in_place(at, gap) : add_range(at, gap, offset);
	}
	return r;
}

static int add_map(const struct drover_image_map *m, uint64_t *offset)
{
	int r;

	if (m->prot & PROT_READ)
		return add_live(m->start, m->end, offset);
	r = (int)kernel(SYS_mprotect, m->start, m->end - m->start, PROT_READ);
	if (!r)
		r = add_live(m->start, m->end, offset);
	kernel(SYS_mprotect, m->start, m->end - m->start, m->prot);
	return r;
}

int capture_memory(uint64_t *offset)
{
	uint64_t start = (uint64_t)__drover_data_start, end = (uint64_t)__drover_data_end;
	int r;

	nruns = 0;
	if (!runs)
		runs = memory_own(DROVER_IMAGE_MAX_RUNS * sizeof *runs);
	r = runs ? add_range(start, end, offset) : -ENOMEM;
	if (rt.in_place && *offset > DROVER_COMMON_START)
		return -E2BIG;
	kept_look();
	for (uint32_t i = 0; i < memory.n && !r; i++)
		r = add_map(&memory.v[i], offset);
	kept_looked();
	if (rt.in_place)
		*offset = DROVER_COMMON_END;
	return r;
}

const struct drover_image_run *capture_runs(uint64_t *n)
{
	*n = nruns;
	return runs;
}
