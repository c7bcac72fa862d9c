/*
 * drover-cc: what its files share.
 *
 *   options  the command line
 *   flags    what both compilers are always told
 *   diag     diagnostics of two runs shown as those of one
 *   compile  a source file into a multi-ISA object
 *   resolve  which archive members the program needs
 *   library  -lX, libraries that -shared writes
 *   codegen  bitcode into objects of both ISAs
 *   agree    what those objects save, compared
 *   stale    which of them another decision changes
 *   program  objects into a bundle
 */
#ifndef DROVER_DRIVER_H
#define DROVER_DRIVER_H

#include <limits.h>
#include <stdbool.h>

#include "binaries/driver/options.h"
#include "binaries/object/object.h"
#include "common/err.h"
#include "common/isa.h"

struct driver {
	struct options options;
	char libdir[PATH_MAX];  /* plugin and C library */
	char workdir[PATH_MAX]; /* private; gone when the program ends */
	unsigned serial;        /* numbers temporary files */
	unsigned diagnostics;   /* blocks shown so far */
};

/* One module of a program: an object given or an archive member, and where it came from. */
struct module {
	struct object object;
	struct object_part file; /* the bytes it was read from; borrowed */
	char *name;              /* for messages: file, or archive(member) */
	char id[8];              /* m000 */
	bool stale;              /* its objects are not those of the decision */
};

struct program {
	struct module *modules;
	size_t n;
	struct archive *archives; /* keep the members' bytes */
	size_t narchives;
	void **files; /* keep the objects' bytes */
	size_t nfiles;
	struct strv shared; /* libraries of -shared among the inputs, by their real paths */
};

/* flags.c: arguments of clang for one ISA. */
void flags_front(const struct driver *d, enum isa isa, struct strv *argv);
/* The layouts of types go to FILE, and of the debug information only what was asked for stays. */
void flags_types(const struct driver *d, const char *file, struct strv *argv);
void flags_codegen(const struct strv *options, enum isa isa, struct strv *argv);
void flags_plugin(const struct driver *d, const char *mode, struct strv *argv);

/* compile.c */
int compile_source(struct driver *d, const struct input *in, const char *output, struct err *err);
/* Runs clang for the host's ISA alone: -E, -S, -M, -###, queries.  Returns its exit status or < 0.
 */
int compile_pass_through(struct driver *d, struct err *err);
int compile_linker_version(const struct driver *d, struct err *err);
/* The default name of an output: BASE of the input with SUFFIX. */
void compile_default_output(char *out, size_t size, const char *input, const char *suffix);

/* resolve.c */
/* Around inputs that are archives to be taken whole. */
#define INPUT_WHOLE "--whole-archive"
#define INPUT_PARTS "--no-whole-archive"

/* INPUTS: paths, -lX, and the two marks above. */
int program_load(const struct driver *d, struct program *p, const struct strv *inputs,
		 struct err *err);
void program_free(struct program *p);
/* Adds a member as a module, unless the same bytes are one already. */
int program_add_member(struct program *p, const struct archive *a, const struct archive_member *m,
		       struct err *err);
/* P owns what *A holds from now on, also when it fails; the caller may go on reading *A if not. */
int program_keep_archive(struct program *p, struct archive *a, struct err *err);

/* library.c */
/* Whether PATH is named like a part of the C library: libm.so.6. */
bool library_is_libc(const char *path);
/* Adds the library at PATH; WHOLE: all members of an archive. */
int library_load(const struct driver *d, struct program *p, const char *path, bool whole,
		 struct err *err);
/* Adds -lNAME from the folders of -L. */
int library_find(const struct driver *d, struct program *p, const char *name, bool whole,
		 struct err *err);
/* Writes the modules of P as a library: -shared. */
int library_write(const struct driver *d, const struct program *p, const char *output,
		  struct err *err);

/* codegen.c */
/* A temporary file of one module and ISA. */
void module_path(char *out, const struct driver *d, const struct module *m, enum isa isa,
		 const char *suffix);
/* Objects of all stale modules for both ISAs; MIGRATING is the path of the list the plugin reads.
 */
int codegen(const struct driver *d, const struct program *p, const char *migrating,
	    struct err *err);

/* agree.c */
/* Marks functions of P that the objects of both ISAs save differently as ones that never migrate,
 * and warns of each; AGAIN: there were some, so that the decision and the objects have to be made
 * anew. */
int agree(const struct driver *d, struct program *p, bool *again, struct err *err);

/* stale.c */
/* Marks the modules for which the list IS says something else than WAS; empty: none was made. */
int stale_mark(struct program *p, const char *was, const char *is, struct err *err);

/* program.c */
int program_build(struct driver *d, struct program *p, const char *output, struct err *err);
/* Copies the file FROM to OUTPUT, which appears whole or not at all, and may be executed. */
int program_put_in_place(const char *from, const char *output, struct err *err);

#endif
