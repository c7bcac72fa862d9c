/*
 * The modules of a program: the objects given, and of the archives those
 * members that define what is still needed, until nothing more is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binaries/driver/driver.h"
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

static int add_module(struct program *p, const void *data, size_t len, char *name, struct err *err)
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
	*m = (struct module){.name = name};
	snprintf(m->id, sizeof m->id, "m%03zu", p->n);
	r = object_read(&m->object, data, len, name, err);
	if (r < 0) {
		free(name);
		return r;
	}
	p->n++;
	return 0;
}

static int add_archive(struct program *p, const char *path, struct err *err)
{
	struct archive *v = reallocarray(p->archives, p->narchives + 1, sizeof *v);
	int r;

	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	p->archives = v;
	r = archive_read(&v[p->narchives], path, err);
	if (!r)
		p->narchives++;
	return r;
}

static int load_file(struct program *p, const char *path, struct err *err)
{
	void **v, *data;
	size_t len;
	int r = object_load(path, &data, &len, err);

	if (r < 0)
		return r;
	if (archive_is(data, len)) {
		free(data);
		return add_archive(p, path, err);
	}
	v = reallocarray(p->files, p->nfiles + 1, sizeof *v);
	if (!v) {
		free(data);
		return err_set(err, -ENOMEM, "out of memory");
	}
	p->files = v;
	p->files[p->nfiles++] = data;
	if (!object_is(data, len)) {
		err_set(err, -EINVAL, "%s: not a multi-ISA object or an archive", path);
		return err_hint(err, "compile its source with drover-cc -c; shared libraries and "
				     "objects of other compilers cannot be used");
	}
	return add_module(p, data, len, strdup(path), err);
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
	struct object o;
	char *name = NULL;
	int r;

	if (asprintf(&name, "%s(%s)", a->path, m->name) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	r = object_read(&o, m->data, m->len, name, err);
	if (r < 0) {
		free(name);
		return r;
	}
	*took = helps(n, &o.summary);
	object_free(&o);
	if (!*took) {
		free(name);
		return 0;
	}
	r = add_module(n->p, m->data, m->len, name, err);
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

				if (n->taken[i][k])
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

/* -lX: from the folders of -L; the parts of the C library need no file. */
static int add_library(struct driver *d, struct program *p, const char *name, struct err *err)
{
	static const char *const in_libc[] = {"c",    "m",     "pthread", "rt",  "dl",
					      "util", "crypt", "resolv",  "xnet"};
	char path[PATH_MAX];

	for (size_t i = 0; i < d->options.libdirs.n; i++) {
		snprintf(path, sizeof path, "%s/lib%s.a", d->options.libdirs.v[i], name);
		if (access(path, R_OK) == 0)
			return add_archive(p, path, err);
	}
	for (size_t i = 0; i < ARRAY_SIZE(in_libc); i++)
		if (!strcmp(name, in_libc[i]))
			return 0;
	err_set(err, -ENOENT, "cannot find lib%s.a", name);
	return err_hint(err, "build that library with CC=drover-cc as a static one, and name its "
			     "folder with -L");
}

int program_load(struct driver *d, struct program *p, const struct strv *inputs, struct err *err)
{
	struct need n = {.p = p};
	char calls[PATH_MAX];
	int r = 0;

	*p = (struct program){0};
	for (size_t i = 0; i < inputs->n && !r; i++) {
		if (!strncmp(inputs->v[i], "-l", 2))
			r = add_library(d, p, inputs->v[i] + 2, err);
		else
			r = load_file(p, inputs->v[i], err);
	}
	/* Library functions that call back, as modules, so that what they call may migrate. */
	snprintf(calls, sizeof calls, "%.*s/sysroot/libdrover-calls.a", PATH_MAX - 64, d->libdir);
	if (!r && access(calls, R_OK) == 0)
		r = add_archive(p, calls, err);
	if (!r && (scan(&n) < 0 || strmap_put(&n.wanted, PROGRAM_ENTRY, 0) == STRMAP_NONE))
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
	free(p->modules);
	free(p->archives);
	free(p->files);
	*p = (struct program){0};
}
