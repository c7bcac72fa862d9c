/*
 * One table says what becomes of each option; what it does not know goes to
 * clang's front end, which knows best whether it exists.
 */
#include "binaries/driver/options.h"

#include "binaries/driver/linker_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

enum action {
	TO_FRONT,
	TO_DEPS,
	TO_CODEGEN,
	TO_LINKER,
	TO_LINKER_LIST, /* -Wl,a,b */
	SYMBOL,
	SET_MODE,
	SET_OUTPUT,
	SET_LANGUAGE,
	SET_VERBOSE,
	SET_DRY_RUN,
	SET_KEEP,
	SET_DEPS,
	SET_DEP_FILE,
	SET_DEP_TARGET,
	LIBRARY,
	LIBDIR,
	DROP,      /* harmless: what it asks for is so, or has no meaning here */
	DROP_TOLD, /* accepted, with a warning */
	FAST_MATH, /* TO_CODEGEN, with a warning */
	OWN_WARNING,
	OTHER_WARNINGS, /* to the front end, and ours follow: -w, -Werror */
	EXPLAIN,
	REFUSE
};

enum form {
	EXACT,
	PREFIX,
	VALUE /* value joined, or the next argument */
};

struct rule {
	const char *name;
	enum form form;
	enum action action;
	int mode;
	const char *why;
};

#define ONE_ISA "it is for one ISA, and the program is built for two"

/* The first match decides. */
static const struct rule rules[] = {
	{"-c", EXACT, SET_MODE, MODE_COMPILE, NULL},
	{"-S", EXACT, SET_MODE, MODE_ASSEMBLY, NULL},
	{"-E", EXACT, SET_MODE, MODE_PREPROCESS, NULL},
	{"-M", EXACT, SET_MODE, MODE_PREPROCESS, NULL},
	{"-MM", EXACT, SET_MODE, MODE_PREPROCESS, NULL},
	{"-fsyntax-only", EXACT, SET_MODE, MODE_SYNTAX, NULL},
	{"-dumpmachine", EXACT, SET_MODE, MODE_QUERY, NULL},
	{"-dumpversion", EXACT, SET_MODE, MODE_QUERY, NULL},
	{"-print-", PREFIX, SET_MODE, MODE_QUERY, NULL},
	{"--print-", PREFIX, SET_MODE, MODE_QUERY, NULL},
	{"--version", EXACT, SET_MODE, MODE_VERSION, NULL},
	{"--help", EXACT, SET_MODE, MODE_HELP, NULL},
	{"-o", VALUE, SET_OUTPUT, 0, NULL},
	{"-x", VALUE, SET_LANGUAGE, 0, NULL},
	{"--explain=", PREFIX, EXPLAIN, 0, NULL},
	{"--explain", VALUE, EXPLAIN, 0, NULL},
	{"-Wdrover", PREFIX, OWN_WARNING, 0, NULL},
	{"-Wno-drover", PREFIX, OWN_WARNING, 0, NULL},
	{"-Werror=drover", PREFIX, OWN_WARNING, 0, NULL},
	{"-Wno-error=drover", PREFIX, OWN_WARNING, 0, NULL},
	{"-Werror", EXACT, OTHER_WARNINGS, 0, NULL},
	{"-Wno-error", EXACT, OTHER_WARNINGS, 0, NULL},
	{"-w", EXACT, OTHER_WARNINGS, 0, NULL},
	{"-v", EXACT, SET_VERBOSE, 0, NULL},
	{"--verbose", EXACT, SET_VERBOSE, 0, NULL},
	{"--keep=", PREFIX, SET_KEEP, 0, NULL},
	{"-MD", EXACT, SET_DEPS, 0, NULL},
	{"-MMD", EXACT, SET_DEPS, 0, NULL},
	{"-MF", VALUE, SET_DEP_FILE, 0, NULL},
	{"-MT", VALUE, SET_DEP_TARGET, 0, NULL},
	{"-MQ", VALUE, SET_DEP_TARGET, 0, NULL},
	{"-MP", EXACT, TO_DEPS, 0, NULL},
	{"-MG", EXACT, TO_DEPS, 0, NULL},
	{"-MV", EXACT, TO_DEPS, 0, NULL},
	/* linking */
	{"-l", VALUE, LIBRARY, 0, NULL},
	{"-L", VALUE, LIBDIR, 0, NULL},
	{"-Wl,", PREFIX, TO_LINKER_LIST, 0, NULL},
	{"-Xlinker", VALUE, TO_LINKER, 0, NULL},
	{"-static", EXACT, DROP, 0, NULL},
	{"-static-pie", EXACT, DROP, 0, NULL},
	{"-static-libgcc", EXACT, DROP, 0, NULL},
	{"-no-pie", EXACT, DROP, 0, NULL},
	{"-nopie", EXACT, DROP, 0, NULL},
	{"-pie", EXACT, DROP, 0, NULL},
	{"-rdynamic", EXACT, DROP, 0, NULL},
	{"-s", EXACT, TO_LINKER, 0, NULL},
	{"-pipe", EXACT, DROP, 0, NULL},
	{"-shared", EXACT, SET_MODE, MODE_SHARED, NULL},
	{"-u", VALUE, SYMBOL, 0, NULL},
	{"-###", EXACT, SET_DRY_RUN, 0, NULL},
	{"-nostdlib", PREFIX, REFUSE, 0, "every program carries the runtime and its C library"},
	{"-nodefaultlibs", EXACT, REFUSE, 0, "every program carries the runtime and its C library"},
	{"-nostartfiles", EXACT, REFUSE, 0, "the start-up code is the runtime's"},
	{"-r", EXACT, REFUSE, 0, "use drover-cc -c and ar"},
	{"-T", VALUE, REFUSE, 0, "the linker script is made for the aligned link"},
	/* position independence: the code is static whatever is asked for */
	{"-fPIC", EXACT, DROP, 0, NULL},
	{"-fpic", EXACT, DROP, 0, NULL},
	{"-fPIE", EXACT, DROP, 0, NULL},
	{"-fpie", EXACT, DROP, 0, NULL},
	{"-fno-", PREFIX, TO_CODEGEN, 0, NULL},
	/* what would part the two ISAs */
	{"-flto", PREFIX, DROP, 0, NULL},
	{"-fstack-protector", PREFIX, DROP, 0, NULL},
	{"-fcommon", EXACT, DROP_TOLD, 0, "each tentative definition has a place of its own"},
	{"-fexceptions", EXACT, DROP, 0, NULL},
	{"-funwind-tables", EXACT, DROP, 0, NULL},
	{"-fasynchronous-unwind-tables", EXACT, DROP, 0, NULL},
	{"-fsanitize", PREFIX, REFUSE, 0, "its runtime keeps addresses that cannot move"},
	{"-fprofile", PREFIX, REFUSE, 0, "its counters are laid out per ISA"},
	{"-fcoverage", PREFIX, REFUSE, 0, "its counters are laid out per ISA"},
	{"--coverage", EXACT, REFUSE, 0, "its counters are laid out per ISA"},
	{"-pg", EXACT, REFUSE, 0, "its counters are laid out per ISA"},
	{"-fshort-", PREFIX, REFUSE, 0, "the C library is built for one layout of types"},
	{"-fopenmp", PREFIX, REFUSE, 0,
	 "there is no OpenMP runtime for bundles; use POSIX or C11 threads, which move"},
	{"-pthread", EXACT, DROP, 0, NULL},
	{"-m64", EXACT, DROP, 0, NULL},
	{"-march=", PREFIX, REFUSE, 0, ONE_ISA},
	{"-mcpu=", PREFIX, REFUSE, 0, ONE_ISA},
	{"-mtune=", PREFIX, DROP, 0, NULL},
	{"-mllvm", VALUE, TO_CODEGEN, 0, NULL},
	{"-m", PREFIX, REFUSE, 0, ONE_ISA},
	{"--target=", PREFIX, REFUSE, 0, ONE_ISA},
	{"-target", VALUE, REFUSE, 0, ONE_ISA},
	{"-arch", VALUE, REFUSE, 0, ONE_ISA},
	{"--sysroot", PREFIX, REFUSE, 0, "the C library is part of drover-cc"},
	{"-ffast-math", EXACT, FAST_MATH, 0, NULL},
	{"-funsafe-math-optimizations", EXACT, FAST_MATH, 0, NULL},
	{"-fassociative-math", EXACT, FAST_MATH, 0, NULL},
	{"-freciprocal-math", EXACT, FAST_MATH, 0, NULL},
	{"-fapprox-func", EXACT, FAST_MATH, 0, NULL},
	{"-Ofast", EXACT, FAST_MATH, 0, NULL},
	{"-ffp-contract=off", EXACT, DROP, 0, NULL},
	{"-ffp-contract=", PREFIX, DROP_TOLD, 0,
	 "multiply and add stay apart, or the ISAs would differ"},
	{"-fdiagnostics", PREFIX, TO_FRONT, 0, NULL},
	{"-fcolor", PREFIX, TO_FRONT, 0, NULL},
	{"-O", PREFIX, TO_CODEGEN, 0, NULL},
	{"-g", PREFIX, TO_CODEGEN, 0, NULL},
	{"-f", PREFIX, TO_CODEGEN, 0, NULL},
	/* front end options whose value is the next argument */
	{"-I", VALUE, TO_FRONT, 0, NULL},
	{"-D", VALUE, TO_FRONT, 0, NULL},
	{"-U", VALUE, TO_FRONT, 0, NULL},
	{"-include", VALUE, TO_FRONT, 0, NULL},
	{"-imacros", VALUE, TO_FRONT, 0, NULL},
	{"-isystem", VALUE, TO_FRONT, 0, NULL},
	{"-iquote", VALUE, TO_FRONT, 0, NULL},
	{"-idirafter", VALUE, TO_FRONT, 0, NULL},
	{"-Xclang", VALUE, TO_FRONT, 0, NULL},
	{"-Xpreprocessor", VALUE, TO_FRONT, 0, NULL},
	{"--param", VALUE, TO_FRONT, 0, NULL},
};

static const struct rule *find_rule(const char *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *r = &rules[i];

		if (r->form == EXACT ? !strcmp(arg, r->name)
				     : !strncmp(arg, r->name, strlen(r->name)))
			return r;
	}
	return NULL;
}

struct parser {
	struct options *o;
	struct err *err;
	const char *language; /* of -x, or NULL */
	struct linker_words linker;
	bool whole; /* between --whole-archive and --no-whole-archive */
};

static int add_input(struct parser *p, enum input_kind kind, const char *name)
{
	struct input *v = reallocarray(p->o->inputs, p->o->ninputs + 1, sizeof *v);

	if (!v)
		return err_set(p->err, -ENOMEM, "out of memory");
	p->o->inputs = v;
	v[p->o->ninputs++] = (struct input){kind, p->whole, name};
	return 0;
}

static int add_file(struct parser *p, const char *name)
{
	const char *dot = strrchr(name, '.'), *lang = p->language;

	if (!strcmp(name, "-"))
		return add_input(p, INPUT_STDIN, name);
	if (lang ? !strcmp(lang, "c") : dot && !strcmp(dot, ".c"))
		return add_input(p, INPUT_C, name);
	if (lang ? !strcmp(lang, "cpp-output") : dot && !strcmp(dot, ".i"))
		return add_input(p, INPUT_PREPROCESSED, name);
	if (lang) {
		err_set(p->err, -ENOTSUP, "%s: language '%s' is not supported", name, lang);
		return err_hint(p->err, "drover-cc compiles C");
	}
	if (dot && (!strcmp(dot, ".s") || !strcmp(dot, ".S") || !strcmp(dot, ".sx"))) {
		err_set(p->err, -ENOTSUP, "%s: assembly is for one ISA", name);
		return err_hint(p->err, "build the project without assembly; most have an option "
					"such as --disable-asm");
	}
	if (dot && (!strcmp(dot, ".cc") || !strcmp(dot, ".cpp") || !strcmp(dot, ".cxx") ||
		    !strcmp(dot, ".C"))) {
		err_set(p->err, -ENOTSUP, "%s: C++ is not supported", name);
		return err_hint(p->err, "drover-cc compiles C");
	}
	return add_input(p, INPUT_BINARY, name);
}

static int linker_arg(struct parser *p, const char *word)
{
	enum linker_effect effect;
	const char *value;
	int r = linker_word(&p->linker, word, &effect, &value, p->err);

	if (r < 0)
		return r;
	switch (effect) {
	case LINKER_NONE:
		break;
	case LINKER_PASS:
		strv_add(&p->o->linker, word);
		break;
	case LINKER_MARK:
		p->whole = !strstr(word, "no-whole");
		break;
	case LINKER_SYMBOL:
		strv_add(&p->o->undefined, value);
		break;
	case LINKER_VERSION:
		p->o->mode = MODE_LINKER_VERSION;
		break;
	}
	return 0;
}

/* -Wl,A,B */
static int linker_list(struct parser *p, const char *list)
{
	_cleanup_free_ char *copy = strdup(list);
	char *s = copy, *w;
	int r = copy ? 0 : err_set(p->err, -ENOMEM, "out of memory");

	while (!r && (w = strsep(&s, ",")))
		r = linker_arg(p, w);
	return r;
}

static int apply(struct parser *p, const struct rule *r, const char *arg, const char *value)
{
	struct options *o = p->o;

	switch (r->action) {
	case TO_FRONT:
	case TO_DEPS:
	case SET_DEP_TARGET:
	case FAST_MATH:
	case TO_CODEGEN: {
		struct strv *to = r->action == TO_CODEGEN || r->action == FAST_MATH ? &o->codegen
				  : r->action == TO_FRONT                           ? &o->front
							  : &o->dep_options;

		if (r->action == FAST_MATH)
			strv_add(&o->fast_math, arg);
		o->dep_target |= r->action == SET_DEP_TARGET;
		strv_add(to, arg);
		if (value && value != arg + strlen(r->name))
			strv_add(to, value);
		return 0;
	}
	case TO_LINKER:
		return linker_arg(p, value ? value : arg);
	case TO_LINKER_LIST:
		return linker_list(p, arg + 4);
	case SYMBOL:
		strv_add(&o->undefined, value);
		return 0;
	case SET_MODE:
		/* -shared tells what to link, if it comes to that. */
		if (r->mode != MODE_SHARED || o->mode == MODE_LINK)
			o->mode = (enum mode)r->mode;
		if (!strcmp(arg, "-M") || !strcmp(arg, "-MM") || r->mode == MODE_QUERY)
			strv_add(&o->front, arg);
		return 0;
	case SET_OUTPUT:
		o->output = value;
		return 0;
	case SET_LANGUAGE:
		p->language = strcmp(value, "none") ? value : NULL;
		return 0;
	case SET_VERBOSE:
		o->verbose = true;
		return 0;
	case SET_DRY_RUN:
		o->dry_run = true;
		return 0;
	case SET_KEEP:
		o->keep = arg + strlen(r->name);
		return 0;
	case SET_DEPS:
		o->deps = true;
		strv_add(&o->dep_options, arg);
		return 0;
	case SET_DEP_FILE:
		o->dep_file = value;
		return 0;
	case LIBRARY:
		return add_input(p, INPUT_LIBRARY, value);
	case LIBDIR:
		strv_add(&o->libdirs, value);
		return 0;
	case DROP:
		return 0;
	case DROP_TOLD:
		strv_addf(&o->ignored, "'%s' has no effect: %s", arg, r->why);
		return 0;
	case OWN_WARNING:
		return warnings_option(&o->groups, arg, p->err);
	case OTHER_WARNINGS:
		strv_add(&o->front, arg);
		if (!strcmp(arg, "-w"))
			o->groups.none = true;
		else
			o->groups.all_errors = !strcmp(arg, "-Werror");
		return 0;
	case EXPLAIN:
		o->mode = MODE_EXPLAIN;
		o->explain = value ? value : arg + strlen(r->name);
		return 0;
	case REFUSE:
		err_set(p->err, -ENOTSUP, "option '%s' is not supported", arg);
		return err_hint(p->err, "%s", r->why);
	}
	return 0;
}

static int parse_all(struct parser *p)
{
	struct strv *args = &p->o->args;

	for (size_t i = 0; i < args->n; i++) {
		const char *arg = args->v[i], *value = NULL;
		const struct rule *r;
		int e;

		if (arg[0] != '-' || !arg[1]) {
			e = add_file(p, arg);
			if (e < 0)
				return e;
			continue;
		}
		r = find_rule(arg);
		if (!r) {
			strv_add(&p->o->front, arg);
			continue;
		}
		if (r->form == VALUE) {
			value = arg + strlen(r->name);
			if (!*value) {
				if (i + 1 == args->n && r->action == EXPLAIN)
					value = "";
				else if (i + 1 == args->n)
					return err_set(p->err, -EINVAL, "option '%s' needs a value",
						       arg);
				else
					value = args->v[++i];
			}
		}
		e = apply(p, r, arg, value);
		if (e < 0)
			return e;
	}
	return 0;
}

int options_parse(struct options *o, int argc, char *const *argv, struct err *err)
{
	struct parser p = {.o = o, .err = err};
	int r = 0;

	*o = (struct options){0};
	warnings_init(&o->groups);
	for (int i = 0; i < argc && !r; i++) {
		if (argv[i][0] == '@' && argv[i][1])
			r = options_response_file(&o->args, argv[i] + 1, err);
		else
			strv_add(&o->args, argv[i]);
	}
	if (!r)
		r = parse_all(&p);
	if (!r && (strv_failed(&o->args) || strv_failed(&o->front) || strv_failed(&o->codegen)))
		r = err_set(err, -ENOMEM, "out of memory");
	if (!r && o->output && o->ninputs > 1 && o->mode == MODE_COMPILE)
		r = err_set(err, -EINVAL, "-o cannot name the output of several files with -c");
	if (r < 0)
		options_free(o);
	return r;
}

void options_free(struct options *o)
{
	free(o->inputs);
	strv_free(&o->front);
	strv_free(&o->dep_options);
	strv_free(&o->codegen);
	strv_free(&o->linker);
	strv_free(&o->libdirs);
	strv_free(&o->undefined);
	strv_free(&o->ignored);
	strv_free(&o->fast_math);
	strv_free(&o->args);
	*o = (struct options){0};
}
