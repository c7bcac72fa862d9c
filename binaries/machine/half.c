#include "binaries/machine/half.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/machine/returns.h"
#include "common/compiler.h"
#include "migrator/include/abi.h"

enum { SECTIONS = 64 };

struct half {
	struct machine_program program;
	struct machine_table *tables;
	struct loaded section[SECTIONS];
	size_t nsections;
	struct loaded fns, eh_frame, lsda;
	struct unwind_fn *unwind;
	size_t nunwind;
	struct returns_program returns;
};

static const unsigned char *bytes_at(const void *half, uint64_t addr, size_t len)
{
	const struct half *h = half;

	for (size_t i = 0; i < h->nsections; i++) {
		const struct loaded *s = &h->section[i];

		if (addr >= s->addr && addr - s->addr <= s->len && len <= s->len - (addr - s->addr))
			return s->data + (addr - s->addr);
	}
	return NULL;
}

static void take_section(struct half *h, const GElf_Shdr *sh, const char *name, const Elf_Data *d)
{
	struct loaded s = {d->d_buf, d->d_buf ? d->d_size : 0, sh->sh_addr};
	struct machine_program *p = &h->program;

	if (!strcmp(name, "drover_fns"))
		h->fns = s;
	else if (!strcmp(name, ".eh_frame"))
		h->eh_frame = s;
	else if (!strcmp(name, ".gcc_except_table"))
		h->lsda = s;
	if (strncmp(name, ".drover", strlen(".drover")) != 0 && strcmp(name, "drover_fns") != 0 &&
	    sh->sh_size) {
		if (!p->own_end || sh->sh_addr < p->own_start)
			p->own_start = sh->sh_addr;
		if (sh->sh_addr + sh->sh_size > p->own_end)
			p->own_end = sh->sh_addr + sh->sh_size;
	}
	if (h->nsections < SECTIONS && s.data)
		h->section[h->nsections++] = s;
}

static void take_symbols(struct half *h, Elf *elf, const GElf_Shdr *sh, Elf_Data *d)
{
	const struct {
		const char *name;
		uint64_t *to;
	} wanted[] = {{"__drover_frame", &h->program.frame},
		      {"__drover_unwind", &h->program.unwind},
		      {"__drover_keep", &h->program.keep},
		      {"memcpy", &h->program.copy},
		      {"memmove", &h->program.move},
		      /* They set registers and jump. */
		      {"longjmp", &h->returns.never[0]},
		      {"_longjmp", &h->returns.never[1]}};

	for (size_t i = 0; d && sh->sh_entsize && i < sh->sh_size / sh->sh_entsize; i++) {
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(d, (int)i, &sym))
			break;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		for (size_t k = 0; name && sym.st_shndx && k < ARRAY_SIZE(wanted); k++)
			if (!strcmp(name, wanted[k].name))
				*wanted[k].to = sym.st_value;
	}
}

static int read_half(struct half *h, Elf *elf, struct err *err)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return err_set(err, -EINVAL, "damaged section headers");
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name;
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) || !(name = elf_strptr(elf, names, sh.sh_name)))
			return err_set(err, -EINVAL, "damaged section headers");
		d = elf_rawdata(scn, NULL);
		if (sh.sh_type == SHT_SYMTAB)
			take_symbols(h, elf, &sh, elf_getdata(scn, NULL));
		else if (d && sh.sh_flags & SHF_ALLOC)
			take_section(h, &sh, name, d);
	}
	if (!h->program.frame || !h->program.unwind)
		return err_set(err, -ENODATA,
			       "there are no symbols, so its machine code can't be checked");
	if (unwind_read(&h->eh_frame, &h->unwind, &h->nunwind, err) < 0)
		return err->code;
	h->returns.abi = h->program.abi;
	h->returns.fns = h->unwind;
	h->returns.n = h->nunwind;
	h->returns.bytes = bytes_at;
	h->returns.context = h;
	h->returns.never[2] = h->program.unwind;
	h->returns.never[3] = h->program.keep;
	h->returns.known = calloc(h->nunwind + 1, 1);
	h->program.returns = &h->returns;
	h->program.bytes = bytes_at;
	h->program.context = h;
	return h->returns.known ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static struct drover_fn row_of(const struct half *h, size_t i)
{
	struct drover_fn row;

	memcpy(&row, h->fns.data + i * sizeof(row), sizeof(row));
	return row;
}

static int by_address(const void *a, const void *b)
{
	const struct machine_table *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int read_tables(struct half *h, struct err *err)
{
	size_t n = h->fns.len / sizeof(struct drover_fn);

	h->tables = calloc(n + 1, sizeof(*h->tables));
	if (!h->tables)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct drover_fn row = row_of(h, i);

		h->tables[i] = (struct machine_table){
			.addr = (uint64_t)(uintptr_t)row.sites, .id = row.id, .nsites = row.nsites};
	}
	qsort(h->tables, n, sizeof(*h->tables), by_address);
	h->program.tables = h->tables;
	h->program.ntables = n;
	return 0;
}

static int follow(const struct half *h, uint64_t start, const struct transform_fn *fn,
		  const char *what, struct machine_found *found, struct err *err)
{
	const struct unwind_fn *u = unwind_find(h->unwind, h->nunwind, start);
	struct machine_function f = {.id = fn->id, .addr = start};
	_cleanup_free_ struct machine_site *pads = NULL;
	int r = 0;

	if (!u)
		return err_set(err, -EILSEQ, "%s%s has no unwind table", fn->name, what);
	f.len = u->len;
	f.code = bytes_at(h, start, f.len);
	if (!f.code)
		return err_set(err, -EILSEQ, "%s%s lies outside the program", fn->name, what);
	if (u->lsda)
		r = unwind_sites(&h->lsda, u, &pads, &f.npads, err);
	f.pads = pads;
	if (!r)
		r = machine_follow(&h->program, &f, found, err);
	return r < 0 ? err_wrap(err, "%s%s", fn->name, what) : 0;
}

static int check_function(const struct half *h, const struct drover_fn *row,
			  const struct transform *t, struct machine_found *found, struct err *err)
{
	const struct transform_fn *fn = transform_find(t, row->id);
	int r;

	if (!fn || row->nsites != fn->nsites)
		return err_set(err, -EILSEQ, "the function table and .state_transform disagree");
	r = follow(h, (uint64_t)(uintptr_t)row->fn, fn, "", found, err);
	return r ? r : follow(h, (uint64_t)(uintptr_t)row->resume, fn, ".resume", found, err);
}

int machine_check_half(const struct bundle *b, enum isa isa, const struct transform *t,
		       struct machine_found *found, struct err *err)
{
	struct half h = {.program = {.abi = isa == ISA_X86_64 ? &machine_x86_64 : &machine_aarch64,
				     .transform = t}};
	size_t len;
	const void *data = bundle_half_data(b, isa, &len);
	Elf *elf;
	int r;

	(void)elf_version(EV_CURRENT);
	elf = data ? elf_memory((char *)(uintptr_t)data, len) : NULL;
	if (!elf)
		return err_set(err, -EINVAL, "there is no half for %s", isa_name(isa));
	r = read_half(&h, elf, err);
	if (!r)
		r = read_tables(&h, err);
	for (size_t i = 0; i < h.program.ntables && !r; i++) {
		struct drover_fn row = row_of(&h, i);

		r = check_function(&h, &row, t, found, err);
	}
	free(h.tables);
	free(h.returns.known);
	free(h.unwind);
	(void)elf_end(elf);
	return r;
}
