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
	const char *image; /* a state image to show instead; NULL: none */
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
 * Reads the symbol tables of both halves. Of symbols with one name in several files the first is
 * compared. A stripped bundle has none.
 */
int symbols_read(struct symbols *s, const struct bundle *b, struct err *err);
void symbols_free(struct symbols *s);

#endif
