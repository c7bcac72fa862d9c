/* The symbols of both halves of a bundle, side by side. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/objinfo/report.h"

/* Symbols the assembler and the linker make for themselves, and those that bound sections. */
static bool of_program(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return name && name[0] && name[0] != '$' && name[0] != '.' && sym->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_OBJECT);
}

/* A symbol of one half. */
struct entry {
	const char *name; /* in the bundle's bytes */
	uint64_t addr;
};

struct half {
	Elf *elf;
	struct entry *v;
	size_t n, cap;
};

static int by_name(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	return c ? c : (a->addr > b->addr) - (a->addr < b->addr);
}

static int take(struct half *h, const char *name, uint64_t addr)
{
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 1024;
		struct entry *v = reallocarray(h->v, cap, sizeof *v);

		if (!v)
			return -ENOMEM;
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = (struct entry){name, addr};
	return 0;
}

/* By name and address, each once. */
static void sort(struct half *h)
{
	size_t n = 0;

	if (h->n)
		qsort(h->v, h->n, sizeof *h->v, by_name);
	for (size_t i = 0; i < h->n; i++)
		if (!n || by_name(&h->v[n - 1], &h->v[i]) != 0)
			h->v[n++] = h->v[i];
	h->n = n;
}

static int read_half(struct half *h, const void *data, size_t len)
{
	Elf_Scn *scn = NULL;
	int r = 0;

	elf_version(EV_CURRENT);
	h->elf = elf_memory((char *)(uintptr_t)data, len);
	while (h->elf && !r && (scn = elf_nextscn(h->elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !sh.sh_entsize)
			continue;
		d = elf_getdata(scn, NULL);
		for (size_t i = 0; d && !r && i < sh.sh_size / sh.sh_entsize; i++) {
			GElf_Sym sym;
			const char *name;

			if (!gelf_getsym(d, (int)i, &sym))
				break;
			name = elf_strptr(h->elf, sh.sh_link, sym.st_name);
			if (of_program(&sym, name))
				r = take(h, name, sym.st_value);
		}
	}
	sort(h);
	return h->elf ? r : -EINVAL;
}

static int add(struct symbols *s, const char *name, uint64_t x86, uint64_t arm)
{
	struct symbol *y = &s->v[s->n];

	*y = (struct symbol){.name = strdup(name),
			     .addr = {[ISA_X86_64] = x86, [ISA_AARCH64] = arm}};
	if (!y->name)
		return -ENOMEM;
	s->n++;
	s->both += x86 && arm;
	s->aligned += x86 && x86 == arm;
	return 0;
}

/*
 * Symbols of one name, of the NX and NY entries at X and Y: those at one address belong together;
 * the others, which should not be, are put side by side in their order.
 */
static int pair_name(struct symbols *s, const struct entry *x, size_t nx, const struct entry *y,
		     size_t ny)
{
	const char *name = nx ? x->name : y->name;
	size_t i = 0, k = 0, apart[2] = {0, 0};
	int r = 0;

	while (!r && (i < nx || k < ny)) {
		if (i < nx && k < ny && x[i].addr == y[k].addr) {
			r = add(s, name, x[i++].addr, y[k++].addr);
		} else if (k == ny || (i < nx && x[i].addr < y[k].addr)) {
			apart[0]++;
			i++;
		} else {
			apart[1]++;
			k++;
		}
	}
	for (i = k = 0; !r && (apart[0] || apart[1]);) {
		uint64_t a[2] = {0, 0};

		for (; apart[0] && !a[0]; i++)
			if (!bsearch(&x[i], y, ny, sizeof *y, by_name))
				a[0] = x[i].addr;
		for (; apart[1] && !a[1]; k++)
			if (!bsearch(&y[k], x, nx, sizeof *x, by_name))
				a[1] = y[k].addr;
		apart[0] -= a[0] != 0;
		apart[1] -= a[1] != 0;
		r = add(s, name, a[0], a[1]);
	}
	return r;
}

static size_t run_of(const struct half *h, size_t from, const char *name)
{
	size_t n = 0;

	while (from + n < h->n && !strcmp(h->v[from + n].name, name))
		n++;
	return n;
}

static int pair(struct symbols *s, const struct half *x, const struct half *y)
{
	size_t i = 0, k = 0;
	int r = 0;

	s->v = calloc(x->n + y->n + 1, sizeof *s->v);
	if (!s->v)
		return -ENOMEM;
	while (!r && (i < x->n || k < y->n)) {
		bool first = k == y->n || (i < x->n && strcmp(x->v[i].name, y->v[k].name) <= 0);
		const char *name = first ? x->v[i].name : y->v[k].name;
		size_t nx = run_of(x, i, name), ny = run_of(y, k, name);

		r = pair_name(s, x->v + i, nx, y->v + k, ny);
		i += nx;
		k += ny;
	}
	return r;
}

int symbols_read(struct symbols *s, const struct bundle *b, struct err *err)
{
	struct half half[ISA_COUNT] = {0};
	int r = 0;

	*s = (struct symbols){0};
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		size_t len;
		const void *data = bundle_half_data(b, (enum isa)isa, &len);

		if (data)
			r = read_half(&half[isa], data, len);
	}
	if (!r)
		r = pair(s, &half[ISA_X86_64], &half[ISA_AARCH64]);
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		free(half[isa].v);
		if (half[isa].elf)
			elf_end(half[isa].elf);
	}
	if (r < 0) {
		symbols_free(s);
		return err_set(err, r, r == -ENOMEM ? "out of memory" : "damaged symbol table");
	}
	return 0;
}

void symbols_free(struct symbols *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	*s = (struct symbols){0};
}
