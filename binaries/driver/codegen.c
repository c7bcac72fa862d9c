/*
 * The modules of a program from bitcode to objects of both ISAs: stock clang
 * at each module's own level, with the plugin instrumenting what may migrate.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binaries/driver/diag.h"
#include "binaries/driver/driver.h"
#include "binaries/link/run.h"
#include "common/compiler.h"
#include "common/file.h"
#include "config.h"

#define AT_ONCE_MAX 32

void module_path(char *out, const struct driver *d, const struct module *m, enum isa isa,
		 const char *suffix)
{
	/* The aligned link pairs what has no name of its own by the object's name. */
	snprintf(out, PATH_MAX, "%.*s/%s/%s.%s", PATH_MAX - 64, d->workdir, isa_name(isa), m->id,
		 suffix);
}

static int start(const struct driver *d, const struct module *m, enum isa isa,
		 const char *migrating, struct run *run, struct err *err)
{
	const struct object_part *bc = &m->object.bitcode[isa];
	char bitcode[PATH_MAX], object[PATH_MAX], errors[PATH_MAX];
	struct strv argv = {0};
	int r;

	module_path(bitcode, d, m, isa, "bc");
	module_path(object, d, m, isa, "o");
	module_path(errors, d, m, isa, "errors");
	r = file_write(bitcode, bc->data, bc->len, 0600, err);
	if (r < 0)
		return r;
	strv_add(&argv, DROVER_CLANG);
	flags_codegen(&m->object.options, isa, &argv);
	strv_cat(&argv, &m->object.options);
	flags_plugin(d, "instrument", &argv);
	strv_add(&argv, "-mllvm");
	strv_addf(&argv, "-drover-migrating=%s", migrating);
	strv_add(&argv, "-mllvm");
	strv_addf(&argv, "-drover-module=%s", m->id);
	if (isatty(STDERR_FILENO))
		strv_add(&argv, "-fcolor-diagnostics");
	strv_add(&argv, "-c");
	strv_add(&argv, "-x");
	strv_add(&argv, "ir");
	strv_add(&argv, bitcode);
	strv_add(&argv, "-o");
	strv_add(&argv, object);
	r = run_start(run, &argv, errors, d->options.verbose, err);
	strv_free(&argv);
	return r;
}

/* A module that is being compiled for both ISAs. */
struct work {
	const struct module *module;
	struct run runs[ISA_COUNT];
};

static int begin(const struct driver *d, const struct module *m, const char *migrating,
		 struct work *w, struct err *err)
{
	int r = 0;

	*w = (struct work){.module = m};
	for (int isa = 0; isa < ISA_COUNT && !r; isa++)
		r = start(d, m, (enum isa)isa, migrating, &w->runs[isa], err);
	return r;
}

/* Waits for both compilers and shows what they said; R: whether something failed before. */
static int end(const struct driver *d, struct work *w, int r, struct err *err)
{
	char errors[ISA_COUNT][PATH_MAX];
	const struct module *m = w->module;
	int status[ISA_COUNT] = {0};

	for (int isa = 0; isa < ISA_COUNT; isa++) {
		module_path(errors[isa], d, m, (enum isa)isa, "errors");
		if (w->runs[isa].pid)
			status[isa] = run_wait(&w->runs[isa]);
	}
	if (!r)
		r = diag_show(errors[ISA_X86_64], errors[ISA_AARCH64], err);
	if (!r && (status[0] || status[1]))
		r = err_set(err, -EINVAL, "%s: code generation for %s failed", m->name,
			    isa_name(status[ISA_X86_64] ? ISA_X86_64 : ISA_AARCH64));
	return r;
}

/* Modules at a time: two compilers each, and one module more, as the two seldom end together. */
static size_t at_once(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN) / ISA_COUNT + 1;

	return n > AT_ONCE_MAX ? AT_ONCE_MAX : (size_t)n;
}

static size_t first_stale(const struct program *p, size_t from)
{
	while (from < p->n && !p->modules[from].stale)
		from++;
	return from;
}

int codegen(const struct driver *d, const struct program *p, const char *migrating, struct err *err)
{
	struct work work[AT_ONCE_MAX];
	size_t begun = 0, ended = 0, next, window = at_once();
	int r = 0;

	for (int isa = 0; isa < ISA_COUNT; isa++) {
		char folder[PATH_MAX];

		snprintf(folder, sizeof folder, "%.*s/%s", PATH_MAX - 64, d->workdir,
			 isa_name((enum isa)isa));
		r = file_mkdir_p(folder, 0700, err);
		if (r < 0)
			return r;
	}
	/* In order, so that messages come in order too. */
	for (next = first_stale(p, 0); ended < begun || (!r && next < p->n);
	     next = first_stale(p, next)) {
		if (!r && next < p->n && begun - ended < window) {
			r = begin(d, &p->modules[next++], migrating, &work[begun++ % window], err);
		} else {
			r = end(d, &work[ended++ % window], r, err);
		}
	}
	return r;
}
