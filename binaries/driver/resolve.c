/*
 * The modules of a program: the objects given, and of the archives those
 * members that define what is still needed, until nothing more is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binaries/driver/driver.h"
#include "binaries/object/shared.h"
#include "binaries/object/strmap.h"
#include "common/compiler.h"

#define MODULES_MAX   100000u
#define PROGRAM_ENTRY "__drover_program" /* what the runtime calls; calls main */

struct need {
	struct program *p;
	struct strmap defined, wanted;
	size_t scanned; /* modules whose symbols are in the maps */
	char **taken;   /* by archive: a byte per member */
};

/* Takes NAME over, also when it fails. */
static int add_module(struct program *p, struct object_part file, char *name, struct err *err)
{
	struct module *v, *m;
	int r;

	if (!name)
		return err_set(err, -ENOMEM, "out of memory");
	v = p->n < MODULES_MAX ? reallocarray(p->modules, p->n + 1, sizeof *v) : NULL;
	if (!v) {
		free(name);
		return err_set(err, -ENOMEM, "too many modules");
	}
	p->modules = v;
	m = &v[p->n];
	*m = (struct module){.name = name, .file = file};
	snprintf(m->id, sizeof m->id, "m%03zu", p->n);
	r = object_read(&m->object, file.data, file.len, name, err);
	if (r < 0) {
		free(name);
		return r;
	}
	p->n++;
	return 0;
}

static char *member_name(const struct archive *a, const struct archive_member *m)
{
	char *name = NULL;

	return asprintf(&name, "%s(%s)", a->path, m->name) < 0 ? NULL : name;
}

int program_add_member(struct program *p, const struct archive *a, const struct archive_member *m,
		       struct err *err)
{
	int r = add_module(p, (struct object_part){m->data, m->len}, member_name(a, m), err);
	struct object *o = r ? NULL : &p->modules[p->n - 1].object;

	/* Two libraries may hold one object of a third: as at run time, the first one counts. */
	for (size_t i = 0; !r && i + 1 < p->n; i++) {
		const struct object_part *have = &p->modules[i].object.bitcode[ISA_X86_64];
		const struct object_part *is = &o->bitcode[ISA_X86_64];

		if (have->len != is->len || memcmp(have->data, is->data, is->len) != 0)
			continue;
		object_free(o);
		free(p->modules[--p->n].name);
		break;
	}
	return r;
}

int program_keep_archive(struct program *p, struct archive *a, struct err *err)
{
	struct archive *v = reallocarray(p->archives, p->narchives + 1, sizeof *v);

	if (!v) {
		archive_free(a);
		return err_set(err, -ENOMEM, "out of memory");
	}
	p->archives = v;
	p->archives[p->narchives++] = *a;
	return 0;
}

static int load_file(const struct driver *d, struct program *p, const char *path, bool whole,
		     struct err *err)
{
	void **v, *data;
	size_t len;
	int r = object_load(path, &data, &len, err);

	if (r < 0)
		return r;
	if (!object_is(data, len)) {
		bool library = archive_is(data, len);

		free(data);
		if (library)
			return library_load(d, p, path, whole, err);
		if (library_is_libc(path))
			return 0;
		err_set(err, -EINVAL, "%s: not a multi-ISA object or library", path);
		return err_hint(err, "compile its source with drover-cc; libraries and objects of "
				     "other compilers cannot be used");
	}
	v = reallocarray(p->files, p->nfiles + 1, sizeof *v);
	if (!v) {
		free(data);
		return err_set(err, -ENOMEM, "out of memory");
	}
	p->files = v;
	p->files[p->nfiles++] = data;
	return add_module(p, (struct object_part){data, len}, strdup(path), err);
}

/* Records what the modules added since the last time define and want. */
static int scan(struct need *n)
{
	for (; n->scanned < n->p->n; n->scanned++) {
		const struct summary *s = &n->p->modules[n->scanned].object.summary;

		for (size_t i = 0; i < s->nsymbols; i++) {
			struct strmap *m = s->symbols[i].kind == 'U' ? &n->wanted : &n->defined;

			if (strmap_put(m, s->symbols[i].name, n->scanned) == STRMAP_NONE)
				return -ENOMEM;
		}
	}
	return 0;
}

/* Whether a member defines something wanted that nothing taken so far defines. */
static bool helps(const struct need *n, const struct summary *s)
{
	for (size_t i = 0; i < s->nsymbols; i++)
		if (s->symbols[i].kind != 'U' &&
		    strmap_get(&n->wanted, s->symbols[i].name) != STRMAP_NONE &&
		    strmap_get(&n->defined, s->symbols[i].name) == STRMAP_NONE)
			return true;
	return false;
}

static int take_member(struct need *n, const struct archive *a, const struct archive_member *m,
		       bool *took, struct err *err)
{
	_cleanup_free_ char *name = member_name(a, m);
	struct object o;
	int r;

	if (!name)
		return err_set(err, -ENOMEM, "out of memory");
	r = object_read(&o, m->data, m->len, name, err);
	if (r < 0)
		return r;
	*took = helps(n, &o.summary);
	object_free(&o);
	if (!*took)
		return 0;
	r = add_module(n->p, (struct object_part){m->data, m->len}, strdup(name), err);
	if (!r && scan(n) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

/* Goes round the archives until a round takes nothing. */
static int take_members(struct need *n, struct err *err)
{
	struct program *p = n->p;
	bool any = true;
	int r = 0;

	n->taken = calloc(p->narchives + 1, sizeof *n->taken);
	for (size_t i = 0; n->taken && i < p->narchives; i++) {
		n->taken[i] = calloc(p->archives[i].n + 1, 1);
		if (!n->taken[i])
			r = err_set(err, -ENOMEM, "out of memory");
	}
	if (!n->taken)
		return err_set(err, -ENOMEM, "out of memory");
	while (any && !r) {
		any = false;
		for (size_t i = 0; i < p->narchives && !r; i++) {
			for (size_t k = 0; k < p->archives[i].n && !r; k++) {
				bool took = false;

				if (n->taken[i][k] || shared_is(&p->archives[i]))
					continue;
				r = take_member(n, &p->archives[i], &p->archives[i].members[k],
						&took, err);
				n->taken[i][k] = took;
				any |= took;
			}
		}
	}
	for (size_t i = 0; i < p->narchives; i++)
		free(n->taken[i]);
	free(n->taken);
	return r;
}

/* Library functions that call back, as modules, so that what they call may migrate. */
static int add_calls(const struct driver *d, struct program *p, struct err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%.*s/sysroot/libdrover-calls.a", PATH_MAX - 64, d->libdir);
	return access(path, R_OK) == 0 ? library_load(d, p, path, false, err) : 0;
}

int program_load(const struct driver *d, struct program *p, const struct strv *inputs,
		 struct err *err)
{
	struct need n = {.p = p};
	bool library = d->options.mode == MODE_SHARED, whole = false, bad;
	const struct strv *extra = &d->options.undefined;
	int r = 0;

	*p = (struct program){0};
	for (size_t i = 0; i < inputs->n && !r; i++) {
		const char *in = inputs->v[i];

		if (!strcmp(in, INPUT_WHOLE) || !strcmp(in, INPUT_PARTS))
			whole = !strcmp(in, INPUT_WHOLE);
		else if (!strncmp(in, "-l", 2))
			r = library_find(d, p, in + 2, whole, err);
		else
			r = load_file(d, p, in, whole, err);
	}
	if (!r && !library)
		r = add_calls(d, p, err);
	bad = scan(&n) < 0 || strv_failed(&p->shared);
	for (size_t i = 0; i < extra->n; i++)
		bad |= strmap_put(&n.wanted, extra->v[i], 0) == STRMAP_NONE;
	if (!library)
		bad |= strmap_put(&n.wanted, PROGRAM_ENTRY, 0) == STRMAP_NONE;
	if (!r && bad)
		r = err_set(err, -ENOMEM, "out of memory");
	if (!r)
		r = take_members(&n, err);
	strmap_free(&n.defined);
	strmap_free(&n.wanted);
	if (r < 0)
		program_free(p);
	return r;
}

void program_free(struct program *p)
{
	for (size_t i = 0; i < p->n; i++) {
		object_free(&p->modules[i].object);
		free(p->modules[i].name);
	}
	for (size_t i = 0; i < p->narchives; i++)
		archive_free(&p->archives[i]);
	for (size_t i = 0; i < p->nfiles; i++)
		free(p->files[i]);
	strv_free(&p->shared);
	free(p->modules);
	free(p->archives);
	free(p->files);
	*p = (struct program){0};
}
