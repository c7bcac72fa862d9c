/*
 * The aligned link: two static executables, one an ISA, in which every shared
 * function, datum and string has one address.  docs/toolchain.md describes it.
 */
#ifndef DROVER_LINK_H
#define DROVER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "binaries/object/strv.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/isa.h"

struct link_half {
	struct strv objects;  /* one per module, in the same order on both ISAs */
	struct strv archives; /* searched in this order, as a group */
	const char *output;   /* executable to write */
};

struct link_job {
	struct link_half half[ISA_COUNT];
	struct strv sources; /* source file of each object, for messages */
	struct strv
		apart; /* NAME.MODULE of static variables that the source has for one ISA only */
	struct strv options; /* further options of the linker, the same for both */
	const char *workdir; /* private directory for maps and scripts */
	const char *home;    /* text of the home list */
	bool verbose;
};

struct link_stats {
	size_t shared;    /* symbols at one address on both ISAs */
	size_t differing; /* functions of assembly or libgcc with an address per ISA */
	uint64_t data_start, data_end;
	uint64_t text_start, text_end;
	uint8_t build_id[DIGEST_SIZE]; /* what __drover_build_id holds */
};

/* Links both halves and proves that they agree; the error names what does not. */
int link_aligned(const struct link_job *job, struct link_stats *stats, struct err *err);

#endif
