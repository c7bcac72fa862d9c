/*
 * Multi-ISA object files: what `drover-cc -c` writes, and archives of them.
 * Format: docs/formats/object.md.
 *
 * An object is an ELF relocatable of x86-64 whose symbol table names what the
 * module defines and needs, so that nm, ar and ranlib work on it.  The code is
 * the LLVM bitcode of both ISAs in sections of its own.
 */
#ifndef DROVER_OBJECT_H
#define DROVER_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "binaries/object/strv.h"
#include "binaries/object/summary.h"
#include "common/err.h"
#include "common/isa.h"

#define OBJECT_VERSION  1
#define OBJECT_FILE_MAX (1ull << 30) /* largest file that is read */

struct object_part {
	const void *data;
	size_t len;
};

/* A multi-ISA object in memory; the parts point into bytes the caller keeps. */
struct object {
	struct object_part bitcode[ISA_COUNT];
	struct object_part calls;
	struct strv options; /* code generation options, repeated at link */
	char *source;        /* source file as it was given to the compiler */
	struct summary summary;
};

/* Whether LEN bytes at DATA are an ELF file with a section of a multi-ISA object. */
bool object_is(const void *data, size_t len);

/*
 * Reads an object from LEN bytes at DATA, which must outlive it; NAME is for
 * messages.  Trusts nothing.  -EINVAL: not a multi-ISA object, or damaged.
 */
int object_read(struct object *o, const void *data, size_t len, const char *name, struct err *err);
void object_free(struct object *o);

/* Writes an object; the symbols come from the summary. */
int object_write(const char *path, const struct object *o, struct err *err);

/*
 * The text that names the libraries a library of -shared needs: false if the LEN bytes at DATA are
 * no such member.  PART points into them.
 */
bool object_needed(const void *data, size_t len, struct object_part *part);
int object_write_needed(const char *path, const void *text, size_t len, struct err *err);

/* One member of an archive; the bytes belong to the archive. */
struct archive_member {
	char *name;
	const void *data;
	size_t len;
};

struct archive {
	char *path;
	void *data;
	size_t len;
	struct archive_member *members;
	size_t n;
};

/* Whether LEN bytes at DATA begin like an archive. */
bool archive_is(const void *data, size_t len);

/* Reads a whole archive.  -EINVAL: not an archive, or damaged. */
int archive_read(struct archive *a, const char *path, struct err *err);
void archive_free(struct archive *a);

/* Adds the names of the symbols the archive's index lists to OUT. */
int archive_symbols(const struct archive *a, struct strv *out, struct err *err);

/* Reads a file of at most OBJECT_FILE_MAX bytes; the caller frees *DATA. */
int object_load(const char *path, void **data, size_t *len, struct err *err);

#endif
