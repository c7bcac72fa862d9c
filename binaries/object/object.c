/*
 * Reader of multi-ISA objects.  The bytes come from anywhere: sizes are
 * checked by libelf against the file, names and versions here.
 */
#include "binaries/object/object.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/object/object_elf.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

const char *const object_section_names[OBJECT_SECTIONS] = {
	[OBJECT_X86_64] = ".drover.x86_64",
	[OBJECT_AARCH64] = ".drover.aarch64",
	[OBJECT_CALLS] = ".drover.calls",
	[OBJECT_OPTIONS] = ".drover.options",
};

static void cleanup_elf(Elf **e)
{
	if (*e)
		elf_end(*e);
}

/* Finds the sections of these names; false if the bytes are no ELF relocatable for x86-64. */
static bool find_sections(const void *data, size_t len, const char *const names[], size_t n,
			  struct object_part parts[])
{
	_cleanup_(cleanup_elf) Elf *elf = NULL;
	const unsigned char *base = data;
	size_t strndx;
	Elf_Scn *scn = NULL;
	GElf_Ehdr eh;

	memset(parts, 0, sizeof *parts * n);
	if (elf_version(EV_CURRENT) == EV_NONE || len < sizeof(Elf64_Ehdr) ||
	    memcmp(data, ELFMAG, SELFMAG) != 0)
		return false;
	/* libelf never writes to memory opened for reading. */
	elf = elf_memory((char *)(uintptr_t)data, len);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh) || eh.e_type != ET_REL ||
	    eh.e_machine != EM_X86_64 || gelf_getclass(elf) != ELFCLASS64 ||
	    elf_getshdrstrndx(elf, &strndx) < 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			return false;
		name = elf_strptr(elf, strndx, sh.sh_name);
		if (!name || sh.sh_type == SHT_NOBITS)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (strcmp(name, names[i]) != 0 || parts[i].data)
				continue;
			if (sh.sh_offset > len || sh.sh_size > len - sh.sh_offset)
				return false;
			parts[i] = (struct object_part){base + sh.sh_offset, (size_t)sh.sh_size};
		}
	}
	return true;
}

static bool find_parts(const void *data, size_t len, struct object_part parts[OBJECT_SECTIONS])
{
	return find_sections(data, len, object_section_names, OBJECT_SECTIONS, parts);
}

bool object_needed(const void *data, size_t len, struct object_part *part)
{
	static const char *const name[] = {OBJECT_NEEDED};

	return find_sections(data, len, name, 1, part) && part->data;
}

bool object_is(const void *data, size_t len)
{
	struct object_part parts[OBJECT_SECTIONS];

	return find_parts(data, len, parts) && parts[OBJECT_OPTIONS].data;
}

/* `.drover.options`: "V 1", then "source PATH" once and "option ARG" any number of times. */
static int read_options(struct object *o, const struct object_part *part)
{
	_cleanup_free_ char *text = strndup(part->data, part->len);
	char *line, *next;
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	if (strlen(text) != part->len)
		return -EINVAL;
	for (line = text; *line; line = next, n++) {
		next = strchr(line, '\n');
		if (!next)
			return -EINVAL;
		*next++ = '\0';
		if (n == 0) {
			if (strcmp(line, "V 1") != 0)
				return -EPROTONOSUPPORT;
		} else if (!strncmp(line, "source ", 7) && !o->source) {
			o->source = strdup(line + 7);
		} else if (!strncmp(line, "option ", 7)) {
			strv_add(&o->options, line + 7);
		} else {
			return -EINVAL;
		}
	}
	if (strv_failed(&o->options))
		return -ENOMEM;
	return o->source ? 0 : -EINVAL;
}

int object_read(struct object *o, const void *data, size_t len, const char *name, struct err *err)
{
	struct object_part parts[OBJECT_SECTIONS];
	int r;

	*o = (struct object){0};
	if (!find_parts(data, len, parts) || !parts[OBJECT_OPTIONS].data) {
		err_set(err, -EINVAL, "%s: not a multi-ISA object", name);
		return err_hint(err, "compile its source with drover-cc -c");
	}
	for (int i = 0; i < OBJECT_SECTIONS; i++)
		if (!parts[i].data)
			return err_set(err, -EINVAL, "%s: section %s is missing", name,
				       object_section_names[i]);
	r = read_options(o, &parts[OBJECT_OPTIONS]);
	if (r == -EPROTONOSUPPORT) {
		object_free(o);
		err_set(err, r, "%s: written by another version of drover-cc", name);
		return err_hint(err, "compile its source again");
	}
	if (r < 0) {
		object_free(o);
		return err_set(err, r, "%s: section .drover.options is damaged", name);
	}
	o->bitcode[ISA_X86_64] = parts[OBJECT_X86_64];
	o->bitcode[ISA_AARCH64] = parts[OBJECT_AARCH64];
	o->calls = parts[OBJECT_CALLS];
	for (int i = 0; i < ISA_COUNT; i++) {
		if (o->bitcode[i].len >= 4 && !memcmp(o->bitcode[i].data, "BC\xc0\xde", 4))
			continue;
		object_free(o);
		return err_set(err, -EINVAL, "%s: section %s holds no LLVM bitcode", name,
			       object_section_names[i]);
	}
	r = summary_parse(&o->summary, o->calls.data, o->calls.len, err);
	if (r < 0) {
		object_free(o);
		return err_wrap(err, "%s", name);
	}
	return 0;
}

void object_free(struct object *o)
{
	strv_free(&o->options);
	free(o->source);
	summary_free(&o->summary);
	*o = (struct object){0};
}

int object_load(const char *path, void **data, size_t *len, struct err *err)
{
	struct buf b;
	int r;

	buf_init(&b, OBJECT_FILE_MAX);
	r = file_read(path, &b, err);
	if (r < 0) {
		buf_free(&b);
		return r;
	}
	*len = b.len;
	*data = buf_take(&b);
	if (!*data)
		*data = calloc(1, 1);
	return *data ? 0 : err_set(err, -ENOMEM, "%s: out of memory", path);
}
