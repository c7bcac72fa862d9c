/* Checks of `drover-objinfo --check`; the link has proved the same when it made the bundle. */
#include "binaries/objinfo/check.h"

#include <errno.h>
#include <string.h>

#include "binaries/object/strmap.h"

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

/* Data that moves has one address, and exists in both halves. */
static int check_data(const struct symbol *y, const struct bundle_manifest *m, struct err *err)
{
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (y->addr[isa] >= m->data_start && y->addr[isa] < m->data_end &&
		    y->addr[0] != y->addr[1])
			return apart(y, err);
	return 0;
}

/* Every instrumented function has one address; NAMES maps to the index in S. */
static int check_functions(const struct transform *t, const struct symbols *s,
			   const struct strmap *names, struct err *err)
{
	for (size_t i = 0; i < t->nfns; i++) {
		size_t k = strmap_get(names, t->fns[i].name);

		if (transform_find(t, t->fns[i].id) != &t->fns[i])
			return err_set(err, -EILSEQ, "two functions have the identity of '%s'",
				       t->fns[i].name);
		if (k != STRMAP_NONE && s->v[k].addr[0] != s->v[k].addr[1])
			return apart(&s->v[k], err);
	}
	return 0;
}

int check_bundle(const struct bundle *b, const struct transform *t, const struct symbols *s,
		 struct err *err)
{
	const struct bundle_manifest *m = bundle_manifest(b);
	struct strmap names = {0};
	int r = check_tables(b, err);

	for (size_t i = 0; i < s->n && !r; i++) {
		r = check_data(&s->v[i], m, err);
		if (!r && strmap_put(&names, s->v[i].name, i) == STRMAP_NONE)
			r = err_set(err, -ENOMEM, "out of memory");
	}
	if (!r)
		r = check_functions(t, s, &names, err);
	strmap_free(&names);
	return r;
}
