/*
 * One source file into one multi-ISA object: clang's front end for both ISAs
 * at once, with the plugin writing the call summary, then both together.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "binaries/driver/diag.h"
#include "binaries/driver/driver.h"
#include "binaries/link/run.h"
#include "binaries/object/types.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"
#include "config.h"

struct files {
	char bitcode[ISA_COUNT][PATH_MAX];
	char calls[ISA_COUNT][PATH_MAX];
	char types[ISA_COUNT][PATH_MAX];
	char errors[ISA_COUNT][PATH_MAX];
};

void compile_default_output(char *out, size_t size, const char *input, const char *suffix)
{
	const char *base = strrchr(input, '/'), *dot;

	base = base ? base + 1 : input;
	dot = strrchr(base, '.');
	snprintf(out, size, "%.*s%s", dot && dot != base ? (int)(dot - base) : (int)strlen(base),
		 base, suffix);
}

/* Dependency files are written by the x86-64 run, in the name of the object. */
static void add_deps(const struct options *o, const char *output, struct strv *argv)
{
	char file[PATH_MAX];
	const char *dot = strrchr(output, '.');

	if (!o->deps)
		return;
	strv_cat(argv, &o->dep_options);
	if (!o->dep_target) {
		strv_add(argv, "-MT");
		strv_add(argv, output);
	}
	snprintf(file, sizeof file, "%.*s.d",
		 dot && !strchr(dot, '/') ? (int)(dot - output) : (int)strlen(output), output);
	strv_add(argv, "-MF");
	strv_add(argv, o->dep_file ? o->dep_file : file);
}

static void front_command(const struct driver *d, enum isa isa, const struct input *in,
			  const char *source, const char *output, const struct files *f,
			  struct strv *argv)
{
	const struct options *o = &d->options;

	strv_add(argv, DROVER_CLANG);
	strv_cat(argv, &o->front);
	strv_cat(argv, &o->codegen);
	flags_front(d, isa, argv);
	if (isatty(STDERR_FILENO))
		strv_add(argv, "-fcolor-diagnostics");
	if (o->mode == MODE_SYNTAX) {
		strv_add(argv, "-fsyntax-only");
	} else {
		flags_plugin(d, "summary", argv);
		strv_add(argv, "-mllvm");
		strv_addf(argv, "-drover-summary=%s", f->calls[isa]);
		flags_types(d, f->types[isa], argv);
		strv_add(argv, "-emit-llvm");
		strv_add(argv, "-c");
		strv_add(argv, "-o");
		strv_add(argv, f->bitcode[isa]);
	}
	if (isa == ISA_X86_64)
		add_deps(o, output, argv);
	if (in->kind == INPUT_PREPROCESSED) /* folders of headers among them */
		strv_add(argv, "-Wno-unused-command-line-argument");
	strv_add(argv, "-x");
	strv_add(argv, in->kind == INPUT_PREPROCESSED ? "cpp-output" : "c");
	strv_add(argv, source);
}

static int read_part(const char *path, size_t max, struct buf *b, struct object_part *part,
		     struct err *err)
{
	int r;

	buf_init(b, max);
	r = file_read(path, b, err);
	*part = (struct object_part){buf_cstr(b), b->len};
	return r;
}

/* Functions that only the comparison of both compilations found unable to migrate. */
static int warn_never(const struct driver *d, const char *source, const char *list)
{
	int r = 0;

	while (*list && !r) {
		char name[256], why[64], where[PATH_MAX];
		unsigned line;

		if (sscanf(list, "%u %255s %63s", &line, name, why) == 3) {
			for (char *p = why; *p; p++)
				*p = *p == '_' ? ' ' : *p;
			snprintf(where, sizeof where, "%.*s:%u", PATH_MAX - 16, source, line);
			r = warnings_tell(&d->options.groups, WARN_NEVER_MIGRATES, where,
					  "function '%s' never migrates: %s", name, why);
		}
		list += strcspn(list, "\n");
		list += *list == '\n';
	}
	return r;
}

/* Memory that moves is read by the other ISA's code: both must have laid it out alike. */
static int same_types(const struct files *f, struct err *err)
{
	_cleanup_buf_ struct buf x86 = {0}, arm = {0};
	struct object_part a = {0}, b = {0};
	int r = read_part(f->types[ISA_X86_64], SUMMARY_MAX, &x86, &a, err);

	if (!r)
		r = read_part(f->types[ISA_AARCH64], SUMMARY_MAX, &arm, &b, err);
	if (!r)
		r = types_compare(a.data, a.len, b.data, b.len, err);
	if (r == -EILSEQ)
		err_hint(err, "give it one layout: no #if on the machine, no type whose size "
			      "depends on it");
	return r;
}

static int write_object(const struct driver *d, const struct files *f, const char *source,
			const char *output, struct err *err)
{
	struct object obj = {.source = (char *)(uintptr_t)source, .options = d->options.codegen};
	struct buf bufs[2 * ISA_COUNT];
	_cleanup_buf_ struct buf merged = {.max = SUMMARY_MAX}, never = {.max = SUMMARY_MAX};
	struct object_part calls[ISA_COUNT];
	int r = 0;

	memset(bufs, 0, sizeof bufs);
	memset(calls, 0, sizeof calls);
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		r = read_part(f->bitcode[isa], OBJECT_FILE_MAX, &bufs[isa], &obj.bitcode[isa], err);
		if (!r)
			r = read_part(f->calls[isa], SUMMARY_MAX, &bufs[ISA_COUNT + isa],
				      &calls[isa], err);
	}
	if (!r)
		r = summary_merge(calls[ISA_X86_64].data, calls[ISA_X86_64].len,
				  calls[ISA_AARCH64].data, calls[ISA_AARCH64].len, &merged, &never,
				  err);
	if (r == -EILSEQ) {
		err_wrap(err, "%s", source);
		err_hint(err, "look for #if on the machine, and for types whose size differs");
	}
	if (!r && warn_never(d, source, buf_cstr(&never)) < 0)
		r = err_set(err, -ECANCELED, "%s", ""); /* it has been told */
	obj.calls = (struct object_part){buf_cstr(&merged), merged.len};
	if (!r)
		r = summary_parse(&obj.summary, obj.calls.data, obj.calls.len, err);
	if (!r)
		r = object_write(output, &obj, err);
	summary_free(&obj.summary);
	for (size_t i = 0; i < ARRAY_SIZE(bufs); i++)
		buf_free(&bufs[i]);
	return r;
}

/* Both compilers read the source; what comes from a pipe is kept in a file for that. */
static int source_path(struct driver *d, const struct input *in, char *path, struct err *err)
{
	_cleanup_buf_ struct buf b = {.max = OBJECT_FILE_MAX};
	int r;

	if (in->kind != INPUT_STDIN) {
		snprintf(path, PATH_MAX, "%s", in->name);
		return access(path, R_OK) < 0 ? err_sys(err, -errno, "cannot read %s", path) : 0;
	}
	r = file_read_fd(STDIN_FILENO, "standard input", &b, err);
	snprintf(path, PATH_MAX, "%.*s/stdin.c", PATH_MAX - 16, d->workdir);
	return r < 0 ? r : file_write(path, buf_cstr(&b), b.len, 0600, err);
}

static void name_files(struct driver *d, struct files *f)
{
	unsigned n = d->serial++;

	for (int isa = 0; isa < ISA_COUNT; isa++) {
		const char *name = isa_name((enum isa)isa);
		int w = PATH_MAX - 64;

		snprintf(f->bitcode[isa], PATH_MAX, "%.*s/s%03u.%s.bc", w, d->workdir, n, name);
		snprintf(f->calls[isa], PATH_MAX, "%.*s/s%03u.%s.calls", w, d->workdir, n, name);
		snprintf(f->types[isa], PATH_MAX, "%.*s/s%03u.%s.types", w, d->workdir, n, name);
		snprintf(f->errors[isa], PATH_MAX, "%.*s/s%03u.%s.errors", w, d->workdir, n, name);
	}
}

int compile_source(struct driver *d, const struct input *in, const char *output, struct err *err)
{
	struct run runs[ISA_COUNT] = {{0}};
	int status[ISA_COUNT] = {0}, r;
	char source[PATH_MAX];
	struct files *f = calloc(1, sizeof *f);

	if (!f)
		return err_set(err, -ENOMEM, "out of memory");
	name_files(d, f);
	r = source_path(d, in, source, err);
	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		struct strv argv = {0};

		front_command(d, (enum isa)isa, in, source, output, f, &argv);
		r = run_start(&runs[isa], &argv, f->errors[isa], d->options.verbose, err);
		strv_free(&argv);
	}
	for (int isa = 0; isa < ISA_COUNT; isa++)
		if (runs[isa].pid)
			status[isa] = run_wait(&runs[isa]);
	if (!r)
		r = diag_show(f->errors[ISA_X86_64], f->errors[ISA_AARCH64], err);
	if (!r && (status[0] || status[1]))
		r = err_set(err, -ECANCELED, "%s", ""); /* the compiler has said why */
	if (!r && d->options.mode != MODE_SYNTAX)
		r = same_types(f, err);
	if (!r && d->options.mode != MODE_SYNTAX)
		r = write_object(d, f, in->kind == INPUT_STDIN ? "<stdin>" : in->name, output, err);
	free(f);
	return r;
}

static int run_plainly(const struct driver *d, struct strv *argv, struct err *err)
{
	struct run run;
	int r = run_start(&run, argv, NULL, d->options.verbose, err);

	strv_free(argv);
	return r < 0 ? r : run_wait(&run);
}

int compile_linker_version(const struct driver *d, struct err *err)
{
	struct strv argv = {0};

	strv_add(&argv, DROVER_LLD);
	strv_add(&argv, "--version");
	return run_plainly(d, &argv, err);
}

static void add_inputs(const struct options *o, struct strv *argv)
{
	static const char *const language[] = {
		[INPUT_C] = "c", [INPUT_STDIN] = "c", [INPUT_PREPROCESSED] = "cpp-output"};

	for (size_t i = 0; i < o->ninputs; i++) {
		const struct input *in = &o->inputs[i];
		bool binary = in->kind == INPUT_BINARY;

		/* Nothing is linked: -E and -S pass over objects, as clang does. */
		if (in->kind == INPUT_LIBRARY || (binary && !o->dry_run))
			continue;
		strv_add(argv, "-x");
		strv_add(argv, binary ? "none" : language[in->kind]);
		strv_add(argv, in->name);
	}
}

int compile_pass_through(struct driver *d, struct err *err)
{
	static const char *const mode_flag[] = {
		[MODE_COMPILE] = "-c",     [MODE_SYNTAX] = "-fsyntax-only",
		[MODE_SHARED] = "-shared", [MODE_ASSEMBLY] = "-S",
		[MODE_PREPROCESS] = "-E",  [MODE_VERSION] = "--version"};
	const struct options *o = &d->options;
	struct strv argv = {0};

	strv_add(&argv, DROVER_CLANG);
	if (o->dry_run)
		strv_add(&argv, "-###");
	flags_front(d, ISA_X86_64, &argv);
	strv_cat(&argv, &o->front);
	strv_cat(&argv, &o->dep_options);
	strv_cat(&argv, &o->codegen);
	if (o->mode < ARRAY_SIZE(mode_flag) && mode_flag[o->mode])
		strv_add(&argv, mode_flag[o->mode]);
	if (o->dep_file) {
		strv_add(&argv, "-MF");
		strv_add(&argv, o->dep_file);
	}
	if (o->output) {
		strv_add(&argv, "-o");
		strv_add(&argv, o->output);
	}
	add_inputs(o, &argv);
	return run_plainly(d, &argv, err);
}
