/* Checks of `drover-objinfo --check`; the link has proved the same when it made the bundle. */
#include "binaries/objinfo/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/compiler.h"

static int check_tables(const struct bundle *b, struct err *err)
{
	size_t n[ISA_COUNT];
	const char *t[ISA_COUNT];

	for (int isa = 0; isa < ISA_COUNT; isa++) {
		if (!bundle_has(b, (enum isa)isa))
			return err_set(err, -EILSEQ, "there is no half for %s",
				       isa_name((enum isa)isa));
		t[isa] = bundle_transform(b, (enum isa)isa, &n[isa]);
	}
	if (n[0] != n[1] || (n[0] && memcmp(t[0], t[1], n[0]) != 0))
		return err_set(err, -EILSEQ, "the halves save different state");
	return 0;
}

static int apart(const struct symbol *y, struct err *err)
{
	return err_set(err, -EILSEQ, "'%s' is at 0x%llx on x86-64 and at 0x%llx on AArch64",
		       y->name, (unsigned long long)y->addr[ISA_X86_64],
		       (unsigned long long)y->addr[ISA_AARCH64]);
}

/* Data that moves has one address. What one half alone has belongs to a function that never
 * migrates; the link has seen to that. */
static int check_data(const struct symbol *y, const struct bundle_manifest *m, struct err *err)
{
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (y->addr[isa] >= m->data_start && y->addr[isa] < m->data_end &&
		    y->addr[isa_other((enum isa)isa)] && y->addr[0] != y->addr[1])
			return apart(y, err);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As many functions of a name have one address in both halves as there are instrumented ones. */
static int check_names(const char **fns, size_t n, const struct symbols *s, struct err *err)
{
	size_t at = 0;

	qsort(fns, n, sizeof *fns, by_name);
	for (size_t i = 0, same; i < n; i += same) {
		const struct symbol *off = NULL;
		size_t aligned = 0;

		for (same = 1; i + same < n && !strcmp(fns[i], fns[i + same]);)
			same++;
		while (at < s->n && strcmp(s->v[at].name, fns[i]) < 0)
			at++;
		for (; at < s->n && !strcmp(s->v[at].name, fns[i]); at++) {
			bool one = s->v[at].addr[0] == s->v[at].addr[1];

			aligned += one;
			off = one ? off : &s->v[at];
		}
		if (off && aligned < same)
			return apart(off, err);
	}
	return 0;
}

static int check_functions(const struct transform *t, const struct symbols *s, struct err *err)
{
	_cleanup_free_ const char **names = calloc(t->nfns + 1, sizeof *names);

	if (!names)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < t->nfns; i++) {
		if (transform_find(t, t->fns[i].id) != &t->fns[i])
			return err_set(err, -EILSEQ, "two functions have the identity of '%s'",
				       t->fns[i].name);
		names[i] = t->fns[i].name;
	}
	return check_names(names, t->nfns, s, err);
}

int check_bundle(const struct bundle *b, const struct transform *t, const struct symbols *s,
		 struct err *err)
{
	const struct bundle_manifest *m = bundle_manifest(b);
	int r = check_tables(b, err);

	if (!r && !s->both)
		return err_set(err, -ENODATA,
			       "a half has no symbols (strip): addresses and machine code can't be "
			       "checked");
	for (size_t i = 0; i < s->n && !r; i++)
		r = check_data(&s->v[i], m, err);
	return r ? r : check_functions(t, s, err);
}
