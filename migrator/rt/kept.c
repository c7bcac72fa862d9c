#include "migrator/rt/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define LEAST    (16u * RT_PAGE) /* smaller runs are read: a mapping costs more */
#define KEPT_MAX 8192u

/* Of /proc/PID/pagemap (the kernel's Documentation/admin-guide/mm/pagemap.rst): 64 bits a page. */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE    (1ull << 61)

static struct drover_image_map table[KEPT_MAX];
static struct ranges kept = {table, 0, KEPT_MAX};

static int pagemap = -1;
static uint64_t window[4096]; /* entries of pages from window_start */
static uint64_t window_start, window_end;
static struct drover_image_map last; /* the range found last, for its other pages */

bool kept_map(const struct drover_image_run *run)
{
	/* Room is left for what forgetting parts of ranges may split. */
	if (!rt.in_place || run->size < LEAST || run->offset != run->addr || kept.n >= kept.max / 2)
		return false;
	if (kernel(SYS_mmap, run->addr, run->size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, rt.image_in,
		   run->offset) != (long)run->addr)
		return false;
	ranges_add(&kept, run->addr, run->addr + run->size, 0, 0);
	return true;
}

/* ---- looking at pages ----------------------------------------------------- */

static uint64_t entry_of(uint64_t addr)
{
	if (addr < window_start || addr >= window_end) {
		long r = kernel(SYS_pread64, pagemap, window, sizeof window,
				addr / RT_PAGE * sizeof *window);

		window_start = window_end = addr;
		if (r >= (long)sizeof *window)
			window_end += (uint64_t)r / sizeof *window * RT_PAGE;
	}
	return window_end > window_start ? window[(addr - window_start) / RT_PAGE]
					 : PAGEMAP_PRESENT;
}

/* Whether the table tells a page of a file from one of our own. Under an emulator that moves the
 * program's addresses it speaks of other pages. */
static bool tells_truth(void)
{
	long shared = kernel(SYS_mmap, 0, RT_PAGE, PROT_READ, MAP_PRIVATE, rt.image_out, 0);
	volatile char *own = memory_own(RT_PAGE);
	bool good = false;

	if (shared > 0 && own) {
		uint64_t file;

		*own = *(volatile const char *)shared;
		file = entry_of((uint64_t)shared) & (PAGEMAP_PRESENT | PAGEMAP_FILE);
		good = file == (PAGEMAP_PRESENT | PAGEMAP_FILE) &&
		       (entry_of((uint64_t)own) & (PAGEMAP_PRESENT | PAGEMAP_FILE)) ==
			       PAGEMAP_PRESENT;
	}
	if (shared > 0)
		kernel(SYS_munmap, shared, RT_PAGE);
	if (own)
		kernel(SYS_munmap, own, RT_PAGE);
	window_start = window_end = 0;
	return good;
}

void kept_look(void)
{
	window_start = window_end = last.start = last.end = 0;
	pagemap = (int)kernel(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap >= 0 && !tells_truth())
		kept_looked();
}

void kept_looked(void)
{
	if (pagemap >= 0)
		kernel(SYS_close, pagemap);
	pagemap = -1;
}

static bool is_kept(uint64_t addr)
{
	if (addr < last.start || addr >= last.end) {
		const struct drover_image_map *m = ranges_find(&kept, addr);

		if (!m)
			return false;
		last = *m;
	}
	return true;
}

enum kept_page kept_state(uint64_t addr)
{
	bool ours;
	uint64_t e;

	if (pagemap < 0)
		return KEPT_OWN;
	ours = !is_kept(addr);
	e = entry_of(addr);
	if (!(e & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)))
		return ours ? KEPT_EMPTY : KEPT_UNCHANGED;
	return !ours && (e & PAGEMAP_PRESENT) && (e & PAGEMAP_FILE) ? KEPT_UNCHANGED : KEPT_OWN;
}

/* ---- changes -------------------------------------------------------------- */

bool kept_any(uint64_t start, uint64_t end)
{
	return !ranges_free(&kept, start, end);
}

bool kept_room(void)
{
	return kept.max - kept.n >= 8;
}

void kept_forget(uint64_t start, uint64_t end)
{
	if (kept_any(start, end))
		ranges_remove(&kept, start, end);
}

int kept_own(uint64_t start, uint64_t end, int prot)
{
	uint64_t len = end - start;
	void *copy = memory_own(len);
	long r = copy ? 0 : -ENOMEM;

	if (!r && !(prot & PROT_READ))
		r = kernel(SYS_mprotect, start, len, PROT_READ);
	if (!r) {
		memcpy(copy, (const void *)start, len);
		if (prot != (PROT_READ | PROT_WRITE))
			r = kernel(SYS_mprotect, copy, len, prot);
	}
	if (!r) {
		r = kernel(SYS_mremap, copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, start);
		r = r == (long)start ? 0 : r;
	}
	if (!r)
		kept_forget(start, end);
	else if (copy)
		kernel(SYS_munmap, copy, len);
	return (int)r;
}

int kept_clear(uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct drover_image_map *m = ranges_find(&memory, start);
		uint64_t to = m && m->end < end ? m->end : end;
		long r;

		if (!m)
			return -ENOMEM;
		r = kernel(SYS_mmap, start, to - start, m->prot,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
		if (r != (long)start)
			return (int)r;
		kept_forget(start, to);
		start = to;
	}
	return 0;
}

/* Writing one byte of a page is enough; there are no other threads yet. */
void kept_forked(void)
{
	for (uint32_t i = 0; i < kept.n; i++) {
		uint64_t end = kept.v[i].end;

		for (uint64_t at = kept.v[i].start; at < end;) {
			const struct drover_image_map *m = ranges_find(&memory, at);
			uint64_t to = m->end < end ? m->end : end;
			bool writable =
				(m->prot & (PROT_READ | PROT_WRITE)) == (PROT_READ | PROT_WRITE);

			if (!writable)
				kernel(SYS_mprotect, at, to - at, PROT_READ | PROT_WRITE);
			for (uint64_t page = at; page < to; page += RT_PAGE)
				*(volatile char *)page = *(volatile char *)page;
			if (!writable)
				kernel(SYS_mprotect, at, to - at, m->prot);
			at = to;
		}
	}
}
