/* The symbols of both halves of a bundle, side by side. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/objinfo/report.h"
#include "binaries/object/strmap.h"

/* Symbols the assembler and the linker make for themselves, and those that bound sections. */
static bool of_program(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return name && name[0] && name[0] != '$' && name[0] != '.' && sym->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_OBJECT);
}

static int take(struct symbols *s, struct strmap *names, size_t *cap, const char *name, int isa,
		uint64_t addr)
{
	size_t k = strmap_get(names, name);

	/* A second one of that name on this ISA: locals of different files, compared by address
	 * alone. */
	if (k != STRMAP_NONE && s->v[k].addr[isa])
		return 0;
	if (k != STRMAP_NONE) {
		s->v[k].addr[isa] = addr;
		return 0;
	}
	if (s->n == *cap) {
		struct symbol *v;

		*cap = *cap ? *cap * 2 : 1024;
		v = reallocarray(s->v, *cap, sizeof *v);
		if (!v)
			return -ENOMEM;
		s->v = v;
	}
	s->v[s->n] = (struct symbol){.name = strdup(name)};
	s->v[s->n].addr[isa] = addr;
	if (!s->v[s->n].name)
		return -ENOMEM;
	s->n++;
	return strmap_put(names, s->v[s->n - 1].name, s->n - 1) == STRMAP_NONE ? -ENOMEM : 0;
}

static int read_half(struct symbols *s, struct strmap *names, size_t *cap, const void *data,
		     size_t len, int isa)
{
	Elf *elf;
	Elf_Scn *scn = NULL;
	int r = 0;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)(uintptr_t)data, len);
	while (elf && !r && (scn = elf_nextscn(elf, scn))) {
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
			name = elf_strptr(elf, sh.sh_link, sym.st_name);
			if (of_program(&sym, name))
				r = take(s, names, cap, name, isa, sym.st_value);
		}
	}
	if (elf)
		elf_end(elf);
	return elf ? r : -EINVAL;
}

int symbols_read(struct symbols *s, const struct bundle *b, struct err *err)
{
	struct strmap names = {0};
	size_t cap = 0;
	int r = 0;

	*s = (struct symbols){0};
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		size_t len;
		const void *data = bundle_half_data(b, (enum isa)isa, &len);

		if (data)
			r = read_half(s, &names, &cap, data, len, isa);
	}
	strmap_free(&names);
	if (r < 0) {
		symbols_free(s);
		return err_set(err, r, r == -ENOMEM ? "out of memory" : "damaged symbol table");
	}
	for (size_t i = 0; i < s->n; i++) {
		const uint64_t *a = s->v[i].addr;

		s->both += a[0] && a[1];
		s->aligned += a[0] && a[0] == a[1];
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
