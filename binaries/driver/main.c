/*
 * drover-cc: compiles and links unmodified C for x86-64 and AArch64 into one
 * bundle.  Takes clang's command line; docs/toolchain.md says what differs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "binaries/driver/driver.h"
#include "common/compiler.h"
#include "common/file.h"
#include "common/paths.h"
#include "config.h"

static const char usage[] =
	"usage: drover-cc [options] file...\n"
	"\n"
	"Compiles and links C for x86-64 and AArch64 into one file whose running process\n"
	"can move between them. Options are clang's; these matter most:\n"
	"\n"
	"  -c                 compile only, into a multi-ISA object\n"
	"  -S, -E             assembly or preprocessed source of the host's ISA\n"
	"  -o FILE            output\n"
	"  -O0 ... -O3, -Os   optimisation, per file\n"
	"  -g                 debug information in both halves\n"
	"  -I, -D, -U, -std=, -W..., -f..., -M...   as clang takes them\n"
	"  -L DIR, -l NAME    libraries of multi-ISA objects\n"
	"  -shared            a library that programs take whole, in the place of a shared one\n"
	"  -v, --verbose      print the commands that are run\n"
	"  --keep=DIR         keep temporary files in DIR\n"
	"  -W[no-][error=]drover[-GROUP]   messages about migration: never-migrates, waits,\n"
	"                     fast-math, dlopen, ignored; unsupported is always an error\n"
	"  --explain [ID]     what is behind a message; without ID a list\n"
	"  --help, --version\n"
	"\n"
	"drover-objinfo shows what a bundle holds; drover hop runs and moves one.\n";

static char workdir[PATH_MAX]; /* to be removed at exit; "": none */

static void remove_workdir(void)
{
	if (workdir[0])
		file_remove_tree(workdir, NULL);
	workdir[0] = '\0';
}

/* file_remove_tree is not async-signal-safe, but nothing of ours runs on after it. */
static void on_signal(int sig)
{
	remove_workdir();
	signal(sig, SIG_DFL);
	raise(sig);
}

static int make_workdir(struct driver *d, struct err *err)
{
	static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
	int r;

	if (d->options.keep) {
		snprintf(d->workdir, sizeof d->workdir, "%s", d->options.keep);
		return file_mkdir_p(d->workdir, 0777, err);
	}
	r = file_temp_dir("drover-cc", d->workdir, sizeof d->workdir, err);
	if (r < 0)
		return r;
	memcpy(workdir, d->workdir, sizeof workdir);
	atexit(remove_workdir);
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], on_signal);
	return 0;
}

static int find_libdir(struct driver *d, struct err *err)
{
	char plugin[PATH_MAX + 32];
	int r = paths_libdir(d->libdir, sizeof d->libdir);

	snprintf(plugin, sizeof plugin, "%s/drover-plugin.so", d->libdir);
	if (r < 0 || access(plugin, R_OK) < 0) {
		err_set(err, r < 0 ? r : -errno, "cannot find the compiler plugin and C library");
		return err_hint(err, "they are put in place by make install; from elsewhere, set "
				     "DROVER_LIBDIR");
	}
	return 0;
}

static bool is_source(const struct input *in)
{
	return in->kind == INPUT_C || in->kind == INPUT_PREPROCESSED || in->kind == INPUT_STDIN;
}

static int compile_all(struct driver *d, struct err *err)
{
	const struct options *o = &d->options;

	for (size_t i = 0; i < o->ninputs; i++) {
		char out[PATH_MAX];
		int r;

		if (!is_source(&o->inputs[i]))
			continue;
		compile_default_output(out, sizeof out, o->inputs[i].name, ".o");
		r = compile_source(d, &o->inputs[i], o->output ? o->output : out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int build(struct driver *d, struct err *err)
{
	const struct options *o = &d->options;
	struct strv inputs = {0};
	struct program p = {0};
	const char *output = o->output ? o->output : "a.out";
	bool whole = false;
	int r = 0;

	for (size_t i = 0; i < o->ninputs && !r; i++) {
		const struct input *in = &o->inputs[i];
		char out[PATH_MAX];

		if (in->whole != whole) {
			whole = in->whole;
			strv_add(&inputs, whole ? INPUT_WHOLE : INPUT_PARTS);
		}
		if (in->kind == INPUT_LIBRARY) {
			strv_addf(&inputs, "-l%s", in->name);
		} else if (in->kind == INPUT_BINARY) {
			strv_add(&inputs, in->name);
		} else {
			snprintf(out, sizeof out, "%.*s/i%03zu.o", PATH_MAX - 64, d->workdir, i);
			r = compile_source(d, in, out, err);
			strv_add(&inputs, out);
		}
	}
	if (!r && strv_failed(&inputs))
		r = err_set(err, -ENOMEM, "out of memory");
	if (!r)
		r = program_load(d, &p, &inputs, err);
	if (!r)
		r = o->mode == MODE_SHARED ? library_write(d, &p, output, err)
					   : program_build(d, &p, output, err);
	program_free(&p);
	strv_free(&inputs);
	return r;
}

static int run_mode(struct driver *d, struct err *err)
{
	const struct options *o = &d->options;
	int r = 0;

	if (o->mode == MODE_EXPLAIN)
		return explain(o->explain, err);
	for (size_t i = 0; i < o->ignored.n && !r; i++)
		r = warnings_tell(&o->groups, WARN_IGNORED, "drover-cc", "%s", o->ignored.v[i]);
	for (size_t i = 0; i < o->fast_math.n && !r; i++)
		r = warnings_tell(
			&o->groups, WARN_FAST_MATH, "drover-cc",
			"'%s': results may differ between the ISAs, so between a run that "
			"moves and one that does not",
			o->fast_math.v[i]);
	if (r < 0)
		return err_set(err, r, "%s", "");
	if (o->mode == MODE_HELP) {
		fputs(usage, stdout);
		return 0;
	}
	if (o->mode == MODE_VERSION) {
		printf("drover-cc %s\n", PACKAGE_VERSION);
		fflush(stdout);
		return compile_pass_through(d, err);
	}
	if (o->mode == MODE_LINKER_VERSION)
		return compile_linker_version(d, err);
	if (!o->ninputs && o->mode != MODE_QUERY) {
		if (o->verbose) {
			printf("drover-cc %s\n", PACKAGE_VERSION);
			return 0;
		}
		err_set(err, -EINVAL, "no input files");
		return err_hint(err, "drover-cc --help shows the options");
	}
	r = find_libdir(d, err);
	if (r < 0)
		return r;
	if (o->mode == MODE_ASSEMBLY || o->mode == MODE_PREPROCESS || o->mode == MODE_QUERY ||
	    o->dry_run)
		return compile_pass_through(d, err);
	r = make_workdir(d, err);
	if (r < 0)
		return r;
	return o->mode == MODE_LINK || o->mode == MODE_SHARED ? build(d, err) : compile_all(d, err);
}

int main(int argc, char **argv)
{
	static struct driver d;
	struct err err = ERR_INIT;
	int r = options_parse(&d.options, argc - 1, argv + 1, &err);

	if (!r)
		r = run_mode(&d, &err);
	if (r < 0 && err.msg[0])
		err_print("drover-cc", &err);
	options_free(&d.options);
	return r < 0 ? 1 : r;
}
