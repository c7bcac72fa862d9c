/*
 * The command line of drover-cc: clang's, sorted into what the front end, the
 * code generator and the link need.  Pure apart from reading @files.
 */
#ifndef DROVER_DRIVER_OPTIONS_H
#define DROVER_DRIVER_OPTIONS_H

#include <stdbool.h>

#include "binaries/driver/warnings.h"
#include "binaries/object/strv.h"
#include "common/err.h"

enum mode {
	MODE_LINK,
	MODE_SHARED,     /* -shared */
	MODE_COMPILE,    /* -c */
	MODE_ASSEMBLY,   /* -S: of the host's ISA */
	MODE_PREPROCESS, /* -E, -M, -MM: of the host's ISA */
	MODE_SYNTAX,     /* -fsyntax-only */
	MODE_QUERY,      /* -dumpmachine, -print-...: clang answers */
	MODE_VERSION,
	MODE_LINKER_VERSION, /* -Wl,--version */
	MODE_EXPLAIN,
	MODE_HELP
};

enum input_kind { INPUT_C, INPUT_PREPROCESSED, INPUT_STDIN, INPUT_BINARY, INPUT_LIBRARY };

struct input {
	enum input_kind kind;
	bool whole;       /* of an archive every member */
	const char *name; /* path, or X of -lX */
};

struct options {
	enum mode mode;
	const char *output; /* NULL: the default */
	struct input *inputs;
	size_t ninputs;
	struct strv front;       /* of the front end only */
	struct strv dep_options; /* about dependency files: for one of the two runs */
	struct strv codegen;     /* of front end and code generator: -O, -g, -f, -m */
	struct strv linker;      /* of ld.lld */
	struct strv libdirs;     /* -L */
	struct strv undefined;   /* -u: looked for in archives */
	struct strv ignored;     /* what was accepted without effect */
	struct strv fast_math;   /* options that make results depend on the ISA */
	struct warnings groups;  /* what of our own messages is wanted */
	const char *explain;     /* --explain ID */
	const char *dep_file;    /* -MF */
	bool deps;               /* -MD or -MMD was given */
	bool dep_target;         /* -MT or -MQ was given */
	bool verbose;
	bool dry_run;     /* -###: print commands only */
	const char *keep; /* --keep=DIR: where temporary files stay */
	struct strv args; /* owns all strings above */
};

/* Reads the arguments behind the program's name.  A refusal says what to do. */
int options_parse(struct options *o, int argc, char *const *argv, struct err *err);
/* Adds the arguments in the file at PATH, split at blanks, quotes and backslashes as gcc has them.
 */
int options_response_file(struct strv *args, const char *path, struct err *err);
void options_free(struct options *o);

#endif
