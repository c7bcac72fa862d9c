#include "migrator/rt/self.h"

#include <elf.h>
#include <stddef.h>

#include "migrator/rt/rt.h"

static const Elf64_Phdr *headers(uint64_t *n)
{
	const Elf64_Phdr *p = NULL;

	*n = 0;
	for (const size_t *a = __drover_libc_auxv(); *a; a += 2) {
		if (a[0] == AT_PHDR)
			p = (const Elf64_Phdr *)a[1];
		if (a[0] == AT_PHNUM)
			*n = a[1];
	}
	return p;
}

static void widen(const Elf64_Phdr *p, uint64_t *start, uint64_t *end)
{
	if (p->p_vaddr < *start)
		*start = p->p_vaddr;
	if (p->p_vaddr + p->p_memsz > *end)
		*end = p->p_vaddr + p->p_memsz;
}

void self_text(uint64_t *start, uint64_t *end)
{
	uint64_t n;
	const Elf64_Phdr *p = headers(&n);

	*start = UINT64_MAX;
	*end = 0;
	for (uint64_t i = 0; i < n; i++)
		if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X))
			widen(&p[i], start, end);
}

const void *self_unwind_index(uint64_t *start, uint64_t *end)
{
	const void *index = NULL;
	uint64_t n;
	const Elf64_Phdr *p = headers(&n);

	*start = UINT64_MAX;
	*end = 0;
	for (uint64_t i = 0; i < n; i++) {
		if (p[i].p_type == PT_LOAD)
			widen(&p[i], start, end);
		if (p[i].p_type == PT_GNU_EH_FRAME)
			index = (const void *)p[i].p_vaddr;
	}
	return index;
}

/* ---- what libgcc's unwinder asks of a dynamic linker; there is none -------- */

/* As glibc's dlfcn.h has it since 2.35. */
struct dl_find_object {
	unsigned long long flags;
	void *map_start, *map_end, *link_map, *eh_frame;
	unsigned long long reserved[7];
};

int _dl_find_object(void *pc, struct dl_find_object *out);

int _dl_find_object(void *pc, struct dl_find_object *out)
{
	static uint64_t start, end;
	static const void *index;

	if (!index)
		index = self_unwind_index(&start, &end);
	if (!index || (uint64_t)pc < start || (uint64_t)pc >= end)
		return -1;
	out->flags = 0;
	out->map_start = (void *)start;
	out->map_end = (void *)end;
	out->link_map = NULL;
	out->eh_frame = (void *)(uintptr_t)index;
	return 0;
}
