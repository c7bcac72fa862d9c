/*
 * Writer of multi-ISA objects.  The symbols need sections of the right kind to
 * live in, so that nm shows T, D, B and R: four empty ones serve for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binaries/object/object.h"
#include "binaries/object/object_elf.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

static const struct {
	const char *name;
	Elf64_Word type;
	Elf64_Xword flags;
} homes[] = {
	{".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR},
	{".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE},
	{".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE},
	{".rodata", SHT_PROGBITS, SHF_ALLOC},
};

/* The number of the section a symbol of this kind lives in; section 0 is the null section. */
static Elf64_Section home_of(char kind)
{
	switch (kind) {
	case 'D':
		return 2;
	case 'B':
	case 'C':
		return 3;
	case 'R':
		return 4;
	case 'U':
		return SHN_UNDEF;
	default:
		return 1;
	}
}

struct writer {
	Elf *elf;
	struct buf names;  /* .shstrtab */
	struct buf strtab; /* .strtab */
	struct buf symtab;
};

static int add_section(struct writer *w, const char *name, Elf64_Word type, Elf64_Xword flags,
		       const void *data, size_t len, Elf64_Word link, Elf64_Word info)
{
	Elf_Scn *scn = elf_newscn(w->elf);
	Elf_Data *d = scn ? elf_newdata(scn) : NULL;
	Elf64_Shdr *sh = scn ? elf64_getshdr(scn) : NULL;
	bool syms = type == SHT_SYMTAB;

	if (!d || !sh)
		return -ENOMEM;
	sh->sh_name = (Elf64_Word)w->names.len;
	if (buf_append(&w->names, name, strlen(name) + 1) < 0)
		return -ENOMEM;
	sh->sh_type = type;
	sh->sh_flags = flags;
	sh->sh_link = link;
	sh->sh_info = info;
	sh->sh_entsize = syms ? sizeof(Elf64_Sym) : 0;
	d->d_buf = (void *)(uintptr_t)data;
	d->d_size = len;
	d->d_align = syms ? 8 : 1;
	d->d_type = syms ? ELF_T_SYM : ELF_T_BYTE;
	d->d_version = EV_CURRENT;
	return 0;
}

static int make_symbols(struct writer *w, const struct summary *s)
{
	for (size_t i = 0; i < s->nsymbols; i++) {
		const struct summary_symbol *g = &s->symbols[i];
		unsigned char bind = g->kind == 'W' ? STB_WEAK : STB_GLOBAL;
		unsigned char type = g->kind == 'U'   ? STT_NOTYPE
				     : g->kind == 'T' ? STT_FUNC
						      : STT_OBJECT;
		Elf64_Sym sym = {
			.st_name = (Elf64_Word)w->strtab.len,
			.st_info = (unsigned char)ELF64_ST_INFO(bind, type),
			.st_shndx = home_of(g->kind),
			.st_size = g->size,
		};

		if (buf_append(&w->strtab, g->name, strlen(g->name) + 1) < 0 ||
		    buf_append(&w->symtab, &sym, sizeof sym) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int make_options(struct buf *b, const struct object *o)
{
	int bad = buf_printf(b, "V %d\nsource %s\n", OBJECT_VERSION, o->source);

	for (size_t i = 0; i < o->options.n; i++)
		bad |= buf_printf(b, "option %s\n", o->options.v[i]);
	return bad < 0 ? -ENOMEM : 0;
}

static int begin(struct writer *w)
{
	const Elf64_Sym none = {0};
	Elf64_Ehdr *eh = elf64_newehdr(w->elf);

	if (!eh)
		return -EIO;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_machine = EM_X86_64;
	eh->e_type = ET_REL;
	eh->e_version = EV_CURRENT;
	return buf_append(&w->names, "", 1) < 0 || buf_append(&w->strtab, "", 1) < 0 ||
			       buf_append(&w->symtab, &none, sizeof none) < 0
		       ? -ENOMEM
		       : 0;
}

/* Adds the symbols and the names; FIRST is the number of the first of these sections. */
static int finish(struct writer *w, Elf64_Half first)
{
	Elf64_Ehdr *eh = elf64_getehdr(w->elf);
	Elf_Data *d;
	int bad = 0;

	bad |= add_section(w, ".symtab", SHT_SYMTAB, 0, w->symtab.data, w->symtab.len, first + 1u,
			   1);
	bad |= add_section(w, ".strtab", SHT_STRTAB, 0, w->strtab.data, w->strtab.len, 0, 0);
	bad |= add_section(w, ".shstrtab", SHT_STRTAB, 0, NULL, 0, 0, 0);
	d = bad ? NULL : elf_getdata(elf_getscn(w->elf, first + 2u), NULL);
	if (!eh || !d)
		return -ENOMEM;
	/* The names must all be there before the section that holds them gets its size. */
	d->d_buf = w->names.data;
	d->d_size = w->names.len;
	eh->e_shstrndx = (Elf64_Half)(first + 2);
	return elf_update(w->elf, ELF_C_WRITE) < 0 ? -EIO : 0;
}

static int write_object(struct writer *w, const struct object *o)
{
	_cleanup_buf_ struct buf options = {.max = 1u << 20};
	int bad = begin(w) | make_symbols(w, &o->summary) | make_options(&options, o);
	const struct object_part parts[OBJECT_SECTIONS] = {
		[OBJECT_X86_64] = o->bitcode[ISA_X86_64],
		[OBJECT_AARCH64] = o->bitcode[ISA_AARCH64],
		[OBJECT_CALLS] = o->calls,
		[OBJECT_OPTIONS] = {options.data, options.len},
	};

	for (size_t i = 0; i < ARRAY_SIZE(homes) && !bad; i++)
		bad = add_section(w, homes[i].name, homes[i].type, homes[i].flags, NULL, 0, 0, 0);
	for (int i = 0; i < OBJECT_SECTIONS && !bad; i++)
		bad = add_section(w, object_section_names[i], SHT_PROGBITS, SHF_EXCLUDE,
				  parts[i].data, parts[i].len, 0, 0);
	return bad ? -ENOMEM : finish(w, 1 + ARRAY_SIZE(homes) + OBJECT_SECTIONS);
}

static int write_needed(struct writer *w, const struct object_part *text)
{
	int r = begin(w);

	if (!r)
		r = add_section(w, OBJECT_NEEDED, SHT_PROGBITS, SHF_EXCLUDE, text->data, text->len,
				0, 0);
	return r ? r : finish(w, 2);
}

/* A link or device of that name is written through, like other compilers do; libelf itself writes
 * to regular files alone. */
static int write_elf(const char *path, const struct object *o, const struct object_part *needed,
		     struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	_cleanup_close_ int memory = -1;
	struct writer w = {.names = {.max = 4096},
			   .strtab = {.max = SUMMARY_MAX},
			   .symtab = {.max = SUMMARY_MAX}};
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot write %s", path);
	if (!S_ISREG(st.st_mode) && (memory = file_memfd("object")) < 0)
		return err_sys(err, memory, "cannot write %s", path);
	elf_version(EV_CURRENT);
	w.elf = elf_begin(memory < 0 ? fd : memory, ELF_C_WRITE, NULL);
	r = !w.elf ? -EIO : o ? write_object(&w, o) : write_needed(&w, needed);
	if (r < 0)
		err_set(err, r, "cannot write %s: %s", path,
			r == -EIO ? elf_errmsg(-1) : strerror(-r));
	if (w.elf)
		elf_end(w.elf);
	if (!r && memory >= 0 && fstat(memory, &st) == 0 && lseek(memory, 0, SEEK_SET) == 0) {
		r = file_copy(memory, fd, (uint64_t)st.st_size);
		if (r < 0)
			err_sys(err, r, "cannot write %s", path);
	}
	buf_free(&w.names);
	buf_free(&w.strtab);
	buf_free(&w.symtab);
	return r;
}

int object_write(const char *path, const struct object *o, struct err *err)
{
	if (strchr(o->source, '\n'))
		return err_set(err, -EINVAL, "%s: a source file's name cannot hold a line break",
			       o->source);
	return write_elf(path, o, NULL, err);
}

int object_write_needed(const char *path, const void *text, size_t len, struct err *err)
{
	const struct object_part part = {text, len};

	return write_elf(path, NULL, &part, err);
}
