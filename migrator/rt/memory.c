/*
 * Every mapping of a program lies in the common range, so that its memory can be laid out the same
 * on the other ISA. Mappings are private memory without a file behind it: a private file mapping is
 * read when it is made. A shared mapping is what the kernel makes of it, and stands in the way of a
 * capture.
 */
#include "migrator/rt/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static struct drover_image_map table[DROVER_IMAGE_MAX_MAPS];
struct ranges memory = {table, 0, DROVER_IMAGE_MAX_MAPS};

/* What the program may use; above are the guard and the common stack. */
#define LOW  DROVER_COMMON_START
#define HIGH (RT_STACK_START - RT_STACK_GUARD)

/* Whether one more change fits into the tables. */
static bool room(void)
{
	return ranges_room(&memory) && kept_room();
}

/* [start, end) is the program's no longer. */
static void forget(uint64_t start, uint64_t end)
{
	ranges_remove(&memory, start, end);
	kept_forget(start, end);
}

static uint64_t pages(uint64_t len)
{
	return (len + RT_PAGE - 1) & ~(uint64_t)(RT_PAGE - 1);
}

static bool in_common(uint64_t addr, uint64_t len)
{
	return addr >= LOW && addr < DROVER_COMMON_END && len <= DROVER_COMMON_END - addr;
}

/* The kernel's mmap at one address and nowhere else: an emulator may ignore NOREPLACE. */
static int map_at(uint64_t addr, uint64_t len, int prot, int flags, int fd, int64_t offset)
{
	long r = kernel(SYS_mmap, addr, len, prot, flags | MAP_FIXED_NOREPLACE, fd, offset);

	if (r == (long)addr)
		return 0;
	if (r > 0 || r < -4095) {
		kernel(SYS_munmap, r, len);
		return -EEXIST;
	}
	return r < 0 ? (int)r : -EEXIST;
}

int memory_map_exactly(uint64_t start, uint64_t end, int prot)
{
	return map_at(start, end - start, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

void *memory_own(uint64_t len)
{
	long r = kernel(SYS_mmap, 0, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (r < 0 && r >= -4095)
		return NULL;
	if (in_common((uint64_t)r, len)) {
		kernel(SYS_munmap, r, len);
		return NULL;
	}
	return (void *)r;
}

int memory_begin(void)
{
	int r = memory_map_exactly(RT_STACK_START, DROVER_COMMON_END, PROT_READ | PROT_WRITE);

	if (!r)
		ranges_add(&memory, RT_STACK_START, DROVER_COMMON_END, PROT_READ | PROT_WRITE,
			   DROVER_MAP_STACK);
	return r;
}

/* Reads a private file mapping into its pages; what lies behind the end of the file is zero. */
static int fill_from_file(uint64_t addr, uint64_t len, int fd, int64_t offset)
{
	while (len) {
		long r = kernel(SYS_pread64, fd, addr, len, offset);

		if (r == -EINTR)
			continue;
		if (r < 0)
			return r == -EBADF ? -EACCES : (int)r;
		if (!r)
			break;
		addr += (uint64_t)r;
		len -= (uint64_t)r;
		offset += r;
	}
	return 0;
}

/* Where a mapping goes: the address asked for if that is meant or free, else the lowest gap. */
static uint64_t choose(uint64_t addr, uint64_t len, int flags)
{
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return addr;
	addr &= ~(uint64_t)(RT_PAGE - 1);
	if (addr >= LOW && addr < HIGH && len <= HIGH - addr &&
	    ranges_free(&memory, addr, addr + len))
		return addr;
	return ranges_gap(&memory, len, LOW, HIGH);
}

/* A new mapping over whatever was there; the table is brought up to date by the caller. */
static int make(uint64_t at, uint64_t len, int prot, int flags, int fd, int64_t offset)
{
	int keep = flags & (MAP_LOCKED | MAP_POPULATE | MAP_NORESERVE | MAP_ANONYMOUS), r;

	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		return map_at(at, len, prot, keep | MAP_SHARED, fd, offset);
	if (flags & MAP_ANONYMOUS)
		return map_at(at, len, prot, keep | MAP_PRIVATE, -1, 0);
	r = map_at(at, len, PROT_READ | PROT_WRITE, keep | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r)
		return r;
	r = fill_from_file(at, len, fd, offset);
	if (!r && prot != (PROT_READ | PROT_WRITE))
		r = (int)kernel(SYS_mprotect, at, len, prot);
	if (r)
		kernel(SYS_munmap, at, len);
	return r;
}

long memory_mmap(uint64_t addr, uint64_t len, int prot, int flags, int fd, int64_t offset)
{
	bool fixed = flags & MAP_FIXED, shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	uint64_t at;
	int r;

	len = pages(len);
	if (!len || (offset & (RT_PAGE - 1)))
		return -EINVAL;
	if (prot & PROT_EXEC)
		return -EACCES; /* code made at run time is of one ISA */
	at = choose(addr, len, flags);
	if (!at || !room())
		return -ENOMEM;
	if ((at & (RT_PAGE - 1)) || !in_common(at, len) || at + len > HIGH)
		return fixed ? -ENOMEM : -EINVAL;
	if ((flags & MAP_FIXED_NOREPLACE) && !ranges_free(&memory, at, at + len))
		return -EEXIST;
	if (fixed && !ranges_free(&memory, at, at + len)) {
		r = (int)kernel(SYS_munmap, at, len);
		if (r)
			return r;
		forget(at, at + len);
	}
	r = make(at, len, prot, flags, fd, offset);
	if (r)
		return r;
	ranges_add(&memory, at, at + len, (uint32_t)prot & 7, shared ? RT_MAP_SHARED : 0);
	return (long)at;
}

long memory_munmap(uint64_t addr, uint64_t len)
{
	long r;

	len = pages(len);
	if (!len || (addr & (RT_PAGE - 1)) || !in_common(addr, len) || addr + len > HIGH)
		return -EINVAL;
	if (!room())
		return -ENOMEM;
	r = kernel(SYS_munmap, addr, len);
	if (!r)
		forget(addr, addr + len);
	return r;
}

/* Moves the pages of one entry to a new place and forgets the old one. */
static long move(uint64_t addr, uint64_t len, uint64_t new_len, uint64_t to,
		 struct drover_image_map m)
{
	long r = kept_any(addr, addr + len) ? kept_own(addr, addr + len, (int)m.prot) : 0;

	if (!r)
		r = kernel(SYS_mremap, addr, len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (r < 0 && r >= -4095)
		return r;
	ranges_remove(&memory, addr, addr + len);
	ranges_add(&memory, to, to + new_len, m.prot, m.flags);
	return r;
}

/* More memory behind one entry, which is free; what is kept cannot grow, but have a neighbour. */
static bool grow(uint64_t addr, uint64_t len, uint64_t new_len, int prot)
{
	if (kept_any(addr, addr + len))
		return !memory_map_exactly(addr + len, addr + new_len, prot);
	return kernel(SYS_mremap, addr, len, new_len, 0, 0) == (long)addr;
}

long memory_mremap(uint64_t addr, uint64_t len, uint64_t new_len, int flags, uint64_t new_addr)
{
	const struct drover_image_map *m = ranges_find(&memory, addr);
	struct drover_image_map old;
	uint64_t to;

	len = pages(len);
	new_len = pages(new_len);
	if ((addr & (RT_PAGE - 1)) || !new_len || !len ||
	    (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)))
		return -EINVAL;
	if (!m || m->end - addr < len || (m->flags & DROVER_MAP_STACK))
		return -EFAULT;
	if (!room())
		return -ENOMEM;
	old = *m;
	if (flags & MREMAP_FIXED) {
		if (!(flags & MREMAP_MAYMOVE) || (new_addr & (RT_PAGE - 1)) || new_addr < LOW ||
		    new_addr >= HIGH || new_len > HIGH - new_addr ||
		    (new_addr < addr + len && addr < new_addr + new_len))
			return -EINVAL;
		if (!ranges_free(&memory, new_addr, new_addr + new_len))
			memory_munmap(new_addr, new_len);
		return move(addr, len, new_len, new_addr, old);
	}
	if (new_len <= len)
		return new_len < len && memory_munmap(addr + new_len, len - new_len) ? -ENOMEM
										     : (long)addr;
	if (old.end == addr + len && new_len <= HIGH - addr &&
	    ranges_free(&memory, old.end, addr + new_len) &&
	    grow(addr, len, new_len, (int)old.prot)) {
		ranges_add(&memory, addr + len, addr + new_len, old.prot, old.flags);
		return (long)addr;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	to = ranges_gap(&memory, new_len, LOW, HIGH);
	return to ? move(addr, len, new_len, to, old) : -ENOMEM;
}

long memory_mprotect(uint64_t addr, uint64_t len, int prot)
{
	long r;

	len = pages(len);
	if (addr & (RT_PAGE - 1))
		return -EINVAL;
	if (!len)
		return 0;
	if (prot & PROT_EXEC)
		return -EACCES;
	if (!in_common(addr, len) || !ranges_covered(&memory, addr, addr + len) || !room())
		return -ENOMEM;
	r = kernel(SYS_mprotect, addr, len, prot);
	if (!r)
		ranges_protect(&memory, addr, addr + len, (uint32_t)prot & 7);
	return r;
}

/* Advice to drop contents leaves zeros, also where the file of an image is mapped. */
long memory_madvise(uint64_t addr, uint64_t len, int advice)
{
	bool drops = advice == MADV_DONTNEED || advice == MADV_FREE;

	len = pages(len);
	if (!drops || (addr & (RT_PAGE - 1)) || !in_common(addr, len) ||
	    !kept_any(addr, addr + len))
		return kernel(SYS_madvise, addr, len, advice);
	return kept_room() ? kept_clear(addr, addr + len) : -ENOMEM;
}
