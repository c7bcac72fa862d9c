/* Archives (ar files) of multi-ISA or ordinary objects, read through libelf. */
#include <errno.h>
#include <ar.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/object/object.h"
#include "common/compiler.h"

#define MEMBERS_MAX (1u << 20)

bool archive_is(const void *data, size_t len)
{
	return len >= SARMAG && !memcmp(data, ARMAG, SARMAG);
}

static int add_member(struct archive *a, size_t *cap, Elf *elf)
{
	const Elf_Arhdr *ar = elf_getarhdr(elf);
	struct archive_member *m;
	size_t len;
	const char *data;

	if (!ar || !ar->ar_name)
		return -EINVAL;
	/* The index and the table of long names are members too. */
	if (ar->ar_name[0] == '/' || !strcmp(ar->ar_name, "__.SYMDEF"))
		return 0;
	data = elf_rawfile(elf, &len);
	if (!data || a->n >= MEMBERS_MAX)
		return -EINVAL;
	if (a->n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		m = reallocarray(a->members, *cap, sizeof *m);
		if (!m)
			return -ENOMEM;
		a->members = m;
	}
	m = &a->members[a->n];
	*m = (struct archive_member){strdup(ar->ar_name), data, len};
	if (!m->name)
		return -ENOMEM;
	a->n++;
	return 0;
}

static int read_members(struct archive *a)
{
	Elf *elf, *member;
	size_t cap = 0;
	int r = 0;
	Elf_Cmd cmd = ELF_C_READ_MMAP; /* it is in memory already; there is no file to read from */

	elf_version(EV_CURRENT);
	elf = elf_memory(a->data, a->len);
	if (!elf || elf_kind(elf) != ELF_K_AR) {
		if (elf)
			elf_end(elf);
		return -EINVAL;
	}
	while (!r && cmd != ELF_C_NULL && (member = elf_begin(-1, cmd, elf))) {
		r = add_member(a, &cap, member);
		cmd = elf_next(member);
		elf_end(member);
	}
	elf_end(elf);
	return r;
}

int archive_read(struct archive *a, const char *path, struct err *err)
{
	int r;

	*a = (struct archive){0};
	r = object_load(path, &a->data, &a->len, err);
	if (r < 0)
		return r;
	a->path = strdup(path);
	r = a->path ? 0 : -ENOMEM;
	/* An archive without members is its magic alone, which libelf takes for damage. */
	if (!r && a->len != SARMAG)
		r = archive_is(a->data, a->len) ? read_members(a) : -EINVAL;
	if (r < 0) {
		archive_free(a);
		return err_set(err, r, r == -ENOMEM ? "%s: out of memory" : "%s: damaged archive",
			       path);
	}
	return 0;
}

void archive_free(struct archive *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->members[i].name);
	free(a->members);
	free(a->path);
	free(a->data);
	*a = (struct archive){0};
}

int archive_symbols(const struct archive *a, struct strv *out, struct err *err)
{
	Elf *elf;
	Elf_Arsym *syms = NULL;
	size_t n = 0;

	elf_version(EV_CURRENT);
	elf = elf_memory(a->data, a->len);
	if (elf && elf_kind(elf) == ELF_K_AR)
		syms = elf_getarsym(elf, &n);
	for (size_t i = 0; syms && i < n && syms[i].as_name; i++)
		strv_add(out, syms[i].as_name);
	if (elf)
		elf_end(elf);
	if (strv_failed(out))
		return err_set(err, -ENOMEM, "%s: out of memory", a->path);
	return syms ? 0 : err_set(err, -EINVAL, "%s: the archive has no index", a->path);
}
