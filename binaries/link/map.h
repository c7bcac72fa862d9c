/*
 * Link map of ld.lld: which input sections are live, and the symbols in them.
 *
 * The text comes from a program of the same installation, but nothing is
 * assumed of it: lines that make no sense are an error, sizes are bounded.
 */
#ifndef DROVER_LINK_MAP_H
#define DROVER_LINK_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define MAP_MAX (512u << 20)

struct map_symbol {
	const char *name;
	uint64_t offset; /* from the start of its section */
	uint64_t size;
	size_t section; /* its index */
};

struct map_section {
	const char *out;    /* output section */
	const char *file;   /* object, or archive for a member */
	const char *member; /* archive member, or NULL */
	const char *name;   /* input section */
	uint64_t addr, size, align;
	size_t first_symbol, nsymbols;
};

struct map {
	char *text; /* owns the strings */
	struct map_section *sections;
	struct map_symbol *symbols;
	size_t nsections, nsymbols;
};

/* Parses LEN bytes.  -EINVAL names the line; M is then empty. */
int map_parse(struct map *m, const char *text, size_t len, struct err *err);
void map_free(struct map *m);

#endif
