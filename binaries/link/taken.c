/*
 * Functions of assembly and libgcc may have an address per ISA.  That is fine
 * as long as they are only called; a pointer to one could be in moved state.
 * The relocations of the program's modules tell calls from taken addresses.
 */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/link/verify.h"
#include "binaries/object/strmap.h"
#include "common/buf.h"
#include "common/file.h"

#define MODULE_MAX (1u << 30)

struct module {
	const char *source;
	struct buf bytes; /* owns what the names borrow */
	Elf *elf;
	size_t strndx;
};

/* Sections whose relocations are no pointers of the program: unwind tables, debug information. */
static bool of_program(const GElf_Shdr *sh, const char *name)
{
	return (sh->sh_flags & SHF_ALLOC) && strncmp(name, ".eh_frame", 9) &&
	       strncmp(name, ".gcc_except_table", 17) && strncmp(name, ".data.DW.ref.", 13);
}

/* The flag that polls look at. The plugin reads it where it names it, so its address is never kept.
 */
static bool is_flag(const char *name)
{
	return !strcmp(name, "__drover_poll");
}

static int check_relocations(const struct module *m, const struct strmap *apart, Elf_Scn *scn,
			     const GElf_Shdr *sh, const char *into, struct err *err)
{
	Elf_Data *rel = elf_getdata(scn, NULL),
		 *syms = elf_getdata(elf_getscn(m->elf, sh->sh_link), NULL);
	GElf_Shdr symtab;

	if (!rel || !syms || !gelf_getshdr(elf_getscn(m->elf, sh->sh_link), &symtab))
		return err_set(err, -EINVAL, "%s: damaged relocations", m->source);
	for (size_t i = 0; sh->sh_entsize && i < sh->sh_size / sh->sh_entsize; i++) {
		GElf_Rela r;
		GElf_Sym sym;
		const char *name;

		if (!gelf_getrela(rel, (int)i, &r) ||
		    !gelf_getsym(syms, (int)GELF_R_SYM(r.r_info), &sym))
			return err_set(err, -EINVAL, "%s: damaged relocations", m->source);
		name = elf_strptr(m->elf, symtab.sh_link, sym.st_name);
		/* Calls and jumps; everything else makes a pointer. */
		if (GELF_R_TYPE(r.r_info) == R_X86_64_PLT32 ||
		    GELF_R_TYPE(r.r_info) == R_X86_64_PC32 || sym.st_shndx != SHN_UNDEF || !name ||
		    is_flag(name) || strmap_get(apart, name) == STRMAP_NONE)
			continue;
		err_set(err, -ENOTSUP,
			"%s: '%s' takes the address of '%s', which is at another address on each "
			"ISA",
			m->source, region_symbol(into), name);
		return err_hint(err, "call it through a function of the program instead");
	}
	return 0;
}

static int check_module(const struct module *m, const struct strmap *apart, struct err *err)
{
	Elf_Scn *scn = NULL;
	int r = 0;

	while (!r && (scn = elf_nextscn(m->elf, scn))) {
		GElf_Shdr sh, target;
		const char *into;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_RELA ||
		    !gelf_getshdr(elf_getscn(m->elf, sh.sh_info), &target))
			continue;
		into = elf_strptr(m->elf, m->strndx, target.sh_name);
		if (into && of_program(&target, into))
			r = check_relocations(m, apart, scn, &sh, into, err);
	}
	return r;
}

/* Adds the names that the module defines for all others. */
static int add_defined(const struct module *m, struct strmap *defined)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(m->elf, scn))) {
		Elf_Data *syms;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !sh.sh_entsize)
			continue;
		syms = elf_getdata(scn, NULL);
		for (size_t i = 0; syms && i < sh.sh_size / sh.sh_entsize; i++) {
			GElf_Sym sym;
			const char *name;

			if (!gelf_getsym(syms, (int)i, &sym) || sym.st_shndx == SHN_UNDEF ||
			    GELF_ST_BIND(sym.st_info) != STB_GLOBAL)
				continue;
			name = elf_strptr(m->elf, sh.sh_link, sym.st_name);
			if (name && strmap_put(defined, name, 0) == STRMAP_NONE)
				return -ENOMEM;
		}
	}
	return 0;
}

/*
 * Names of functions and data that both maps have, at two addresses. A map does not tell a static
 * variable of the runtime from the program's own of that name; but what a module defines for all
 * others is shared (verify_addresses() proves it), so that a name in DEFINED stands for that.
 */
static int find_apart(const struct map maps[ISA_COUNT], const struct strmap *defined,
		      struct strmap *apart)
{
	const struct map *mx = &maps[ISA_X86_64], *ma = &maps[ISA_AARCH64];
	struct strmap arm = {0};
	int bad = 0;

	for (size_t i = 0; i < ma->nsymbols && !bad; i++)
		bad = strmap_put(&arm, ma->symbols[i].name, i) == STRMAP_NONE;
	for (size_t i = 0; i < mx->nsymbols && !bad; i++) {
		const struct map_symbol *x = &mx->symbols[i];
		size_t k = strmap_get(&arm, x->name);

		if (k == STRMAP_NONE || strmap_get(defined, x->name) != STRMAP_NONE ||
		    mx->sections[x->section].addr + x->offset ==
			    ma->sections[ma->symbols[k].section].addr + ma->symbols[k].offset)
			continue;
		bad = strmap_put(apart, x->name, i) == STRMAP_NONE;
	}
	strmap_free(&arm);
	return bad ? -ENOMEM : 0;
}

static int open_module(struct module *m, const char *path, const char *source, struct err *err)
{
	int r;

	*m = (struct module){.source = source, .bytes = {.max = MODULE_MAX}};
	r = file_read(path, &m->bytes, err);
	if (r < 0)
		return r;
	m->elf = elf_memory(m->bytes.data, m->bytes.len);
	if (!m->elf || elf_getshdrstrndx(m->elf, &m->strndx) < 0)
		return err_set(err, -EINVAL, "%s: damaged object", source);
	return 0;
}

int verify_taken(const struct map maps[ISA_COUNT], const struct link_job *job, struct err *err)
{
	/* The ISAs' modules come from one source: one of them tells. */
	const struct strv *objects = &job->half[ISA_X86_64].objects;
	size_t n = objects->n < job->sources.n ? objects->n : job->sources.n, opened = 0;
	struct module *modules = calloc(n + 1, sizeof *modules);
	struct strmap defined = {0}, apart = {0};
	int r = modules ? 0 : -ENOMEM;

	elf_version(EV_CURRENT);
	/* The first is the start-up code; it is the runtime's. */
	for (size_t i = 1; i < n && !r; i++) {
		struct module *m = &modules[opened++];

		r = open_module(m, objects->v[i], job->sources.v[i], err);
		if (!r)
			r = add_defined(m, &defined);
	}
	if (!r)
		r = find_apart(maps, &defined, &apart);
	if (r == -ENOMEM)
		err_set(err, r, "aligned link: out of memory");
	for (size_t i = 0; i < opened && !r; i++)
		r = check_module(&modules[i], &apart, err);
	for (size_t i = 0; i < opened; i++) {
		if (modules[i].elf)
			elf_end(modules[i].elf);
		buf_free(&modules[i].bytes);
	}
	free(modules);
	strmap_free(&defined);
	strmap_free(&apart);
	return r;
}
