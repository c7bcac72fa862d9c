/*
 * Layout shared by both ISAs: which input sections belong together, and the
 * one address each pair gets.  Pure: maps in, slots out.
 *
 * A slot is as large and as aligned as the larger of its two sections.  What
 * has no slot (unwind tables, jump tables, constant pools, GOT) is private to
 * its ISA and lies behind everything shared, where its size hurts nobody.
 */
#ifndef DROVER_LINK_LAYOUT_H
#define DROVER_LINK_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "binaries/link/map.h"
#include "binaries/object/strv.h"
#include "common/err.h"
#include "common/isa.h"

/* In address order; each begins a program segment or is packed behind its neighbour. */
enum region {
	REGION_RODATA,
	REGION_TEXT,
	REGION_COLD,  /* resume clones */
	REGION_RELRO, /* constants that hold addresses */
	REGION_FNS,   /* table of instrumented functions */
	REGION_HOME,  /* writable, stays with its process */
	REGION_DATA,  /* writable, moves */
	REGION_BSS,
	REGION_HOMEBSS,
	REGION_COUNT,
	REGION_PRIVATE = REGION_COUNT
};

struct slot {
	const char *name; /* input section name */
	enum region region;
	bool by_name; /* the section name alone finds it in both links */
	const struct map_section *sec[ISA_COUNT];
	uint64_t addr, size, align;
	unsigned char *graft; /* bytes for the ISA that has no section, or NULL */
};

struct layout {
	struct slot *slots;
	size_t n;
	uint64_t start[REGION_COUNT], end[REGION_COUNT];
	uint64_t build_id; /* address of the program's identity, LAYOUT_BUILD_ID bytes */
	uint64_t private_base;
};

/* Addresses and granule: a page of every kernel of both ISAs. */
#define LAYOUT_BASE     0x400000u
#define LAYOUT_FIRST    0x401000u /* behind the ELF and program headers */
#define LAYOUT_PAGE     0x10000u
#define LAYOUT_BUILD_ID 32u

/* Where a section name puts an input section; REGION_PRIVATE if it is not shared by name. */
enum region region_of(const char *section);

/* The part of a shared section's name that names the function or datum. */
const char *region_symbol(const char *section);

/* A list of data that stays home: lines "MEMBER SYMBOL"; MEMBER may be `*`; # begins a comment. */
struct home {
	struct strv members, symbols;
};
int home_parse(struct home *h, const char *text, struct err *err);
void home_free(struct home *h);
bool home_has(const struct home *h, const struct map *m, const struct map_section *s);

/* Pairs the live sections of both maps, which must outlive the layout, and gives addresses. */
int layout_make(struct layout *l, const struct map maps[ISA_COUNT], const struct home *home,
		struct err *err);
void layout_free(struct layout *l);

/* Names for messages: "member of archive" or the object. */
const char *section_file(const struct map_section *s, char *buf, size_t size);

#endif
