/*
 * Call summary of one module: what the compiler plugin writes at `-c`, kept in
 * a multi-ISA object and used at link.  Format: docs/formats/migration-abi.md.
 */
#ifndef DROVER_SUMMARY_H
#define DROVER_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define SUMMARY_MAX (256u << 20) /* bytes of text */

struct summary_call {
	const char *callee; /* NULL for an indirect call */
	const char *type;   /* IR function type of an indirect call, else NULL */
};

struct summary_fn {
	const char *name;
	bool local;         /* not visible outside its module */
	unsigned line;      /* 0 when unknown */
	bool polls;         /* has a migration point of its own */
	bool address_taken; /* may be called indirectly */
	const char *never;  /* why it must not be instrumented, or NULL */
	size_t first_call, ncalls;
};

struct summary_taken {
	const char *name, *type;
};

struct summary_symbol {
	const char *name;
	char kind; /* T D B R W C U, as nm has them */
	uint64_t size;
};

struct summary {
	char *text; /* owns every string above */
	struct summary_fn *fns;
	struct summary_call *calls;
	struct summary_taken *taken;
	struct summary_symbol *symbols;
	const char **one_sided; /* static variables that only one ISA has */
	size_t nfns, ncalls, ntaken, nsymbols, none_sided;
};

/* Parses LEN bytes of text.  -EINVAL names the line; S is then empty. */
int summary_parse(struct summary *s, const char *text, size_t len, struct err *err);
void summary_free(struct summary *s);

/*
 * Appends to OUT the summary of a module whose two compilations said X86 and ARM. Where they
 * differ, the function never migrates on either, for its frame on one has no counterpart on the
 * other; calls and symbols are those of both. NEVER gets a line "LINE NAME REASON" for each
 * function that this keeps from migrating. -EILSEQ: one name is data of two kinds or sizes;
 * -EINVAL, -ENOMEM.
 */
int summary_merge(const char *x86, size_t nx86, const char *arm, size_t narm, struct buf *out,
		  struct buf *never, struct err *err);

#endif
