/*
 * Functions whose code turns out not to be the same on both ISAs. The call summary shows what a
 * function calls; that `#if` chose another expression shows only here, where both compilers have
 * said what each function saves (.state_transform). Such a function cannot migrate: it is told, and
 * the program's decision is made once more without it.
 */
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/driver/driver.h"
#include "binaries/object/strmap.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

#define MODULE_MAX (1u << 30)
#define TABLE      ".state_transform"
#define DIFFERS    "its_code_differs_between_the_ISAs"

/* What one object says of each function: the lines from an F line up to the next. */
struct tables {
	char *text;
	char **blocks; /* by number, cut at the F of the next */
	size_t n;
	struct strmap names; /* of identities */
	struct strv keys;
};

static void tables_free(struct tables *t)
{
	free(t->text);
	free(t->blocks);
	strmap_free(&t->names);
	strv_free(&t->keys);
}

static int section_text(const char *path, char **out, struct err *err)
{
	_cleanup_buf_ struct buf b = {.max = MODULE_MAX};
	Elf_Scn *scn = NULL;
	size_t strndx;
	Elf *elf;
	int r = file_read(path, &b, err);

	*out = NULL;
	if (r < 0)
		return r;
	elf_version(EV_CURRENT);
	elf = elf_memory(b.data, b.len);
	if (!elf || elf_getshdrstrndx(elf, &strndx) < 0)
		r = err_set(err, -EINVAL, "%s: the compiler wrote no ELF file", path);
	while (!r && !*out && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;
		const char *name;

		if (!gelf_getshdr(scn, &sh) || !(name = elf_strptr(elf, strndx, sh.sh_name)) ||
		    strcmp(name, TABLE) != 0)
			continue;
		data = elf_getdata(scn, NULL);
		*out = data ? strndup(data->d_buf, data->d_size) : NULL;
		if (!*out)
			r = err_set(err, -ENOMEM, "out of memory");
	}
	if (!r && !*out && !(*out = strdup("")))
		r = err_set(err, -ENOMEM, "out of memory");
	elf_end(elf);
	return r;
}

/* "F <id> <identity> ..." */
static int add_block(struct tables *t, char *line)
{
	char *name = strchr(line + 2, ' ');
	size_t n = name ? strcspn(name + 1, " \n") : 0;

	if (!n)
		return -EINVAL;
	strv_addf(&t->keys, "%.*s", (int)n, name + 1);
	t->blocks[t->n] = line;
	return strv_failed(&t->keys) || strmap_put(&t->names, t->keys.v[t->keys.n - 1], t->n++) ==
						STRMAP_NONE
		       ? -ENOMEM
		       : 0;
}

static int tables_read(struct tables *t, const char *path, struct err *err)
{
	size_t lines = 1;
	int r = section_text(path, &t->text, err);

	if (r < 0)
		return r;
	for (const char *p = t->text; (p = strchr(p, '\n')); p++)
		lines++;
	t->blocks = calloc(lines, sizeof *t->blocks);
	if (!t->blocks)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *p = t->text, *next; *p && !r; p = next) {
		next = p + strcspn(p, "\n");
		next += *next == '\n';
		if (*p == 'F')
			r = add_block(t, p);
	}
	/* Cut at each F, which nobody reads any more. */
	for (size_t i = 1; i < t->n; i++)
		*t->blocks[i] = '\0';
	return r < 0 ? err_set(err, r, "%s: cannot be read: " TABLE, path) : 0;
}

static bool same(const struct tables *a, const struct tables *b, const char *identity)
{
	size_t i = strmap_get(&a->names, identity), k = strmap_get(&b->names, identity);

	return i != STRMAP_NONE && k != STRMAP_NONE && !strcmp(a->blocks[i] + 1, b->blocks[k] + 1);
}

/* Marks the function as one that never migrates; false if it was marked, or is none of the
 * module's. */
static bool mark(const struct warnings *w, struct module *m, const char *identity, int *r)
{
	char where[PATH_MAX];
	struct summary *s = &m->object.summary;

	for (size_t i = 0; i < s->nfns; i++) {
		struct summary_fn *f = &s->fns[i];
		size_t n = strlen(f->name);
		bool here = !strncmp(identity, f->name, n) &&
			    (f->local ? identity[n] == '.' && !strcmp(identity + n + 1, m->id)
				      : !identity[n]);

		if (!here)
			continue;
		if (f->never)
			return false;
		f->never = DIFFERS;
		snprintf(where, sizeof where, "%.*s:%u", PATH_MAX - 16,
			 m->object.source && m->object.source[0] ? m->object.source : m->name,
			 f->line);
		*r = warnings_tell(
			w, WARN_NEVER_MIGRATES, where,
			"function '%s' never migrates: its code differs between the ISAs", f->name);
		return true;
	}
	return false;
}

int agree(const struct driver *d, struct program *p, bool *again, struct err *err)
{
	int r = 0;

	*again = false;
	for (size_t i = 0; i < p->n && !r; i++) {
		struct tables t[ISA_COUNT] = {{0}};

		for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
			char path[PATH_MAX];

			module_path(path, d, &p->modules[i], (enum isa)isa, "o");
			r = tables_read(&t[isa], path, err);
		}
		for (int isa = 0; isa < ISA_COUNT && !r; isa++)
			for (size_t k = 0; k < t[isa].n && !r; k++)
				if (!same(&t[isa], &t[!isa], t[isa].keys.v[k]))
					*again |= mark(&d->options.groups, &p->modules[i],
						       t[isa].keys.v[k], &r);
		tables_free(&t[0]);
		tables_free(&t[1]);
	}
	if (r == -ECANCELED)
		err_set(err, r, "%s", ""); /* it has been told */
	return r;
}
