/* What drover-objinfo finds out about a file, and how it is shown. */
#ifndef DROVER_OBJINFO_REPORT_H
#define DROVER_OBJINFO_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binaries/bundle/bundle.h"
#include "binaries/bundle/transform.h"
#include "binaries/object/object.h"
#include "common/err.h"

struct view {
	bool json, functions, sites, blocked, symbols, check;
	const char *extract; /* the ISA whose half is written to standard output; NULL: none */
	const char *image;   /* a state image to show instead; NULL: none */
	const char *against; /* another one to compare it with; NULL: none */
};

/* A symbol of the shared ranges and its address in each half; 0: not there. */
struct symbol {
	char *name;
	uint64_t addr[ISA_COUNT];
};

struct symbols {
	struct symbol *v;
	size_t n;
	size_t both, aligned; /* in both halves; of those, at one address */
};

/*
 * Reads the symbol tables of both halves, in the order of names. Several files may have a symbol of
 * one name: each is there. A stripped bundle has none.
 */
int symbols_read(struct symbols *s, const struct bundle *b, struct err *err);
void symbols_free(struct symbols *s);

#endif
