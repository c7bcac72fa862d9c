/* The unwind tables of an executable: functions and their call-site tables. */
#ifndef DROVER_MACHINE_UNWIND_H
#define DROVER_MACHINE_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "binaries/machine/follow.h"

/* Bytes of a section and where they are loaded. */
struct loaded {
	const unsigned char *data;
	size_t len;
	uint64_t addr;
};

struct unwind_fn {
	uint64_t start, len;
	uint64_t lsda; /* address of its language-specific data; 0: none */
};

/*
 * Reads .eh_frame (the format of the Linux Standard Base, as clang writes it) into *OUT, ascending
 * by start; the caller frees it. -EINVAL: damaged.
 */
int unwind_read(const struct loaded *eh_frame, struct unwind_fn **out, size_t *n, struct err *err);

/* The function that begins at START, or NULL. */
const struct unwind_fn *unwind_find(const struct unwind_fn *fns, size_t n, uint64_t start);

/* Appends the call sites of FN that have a landing pad; the caller frees *OUT. -EINVAL: damaged. */
int unwind_sites(const struct loaded *table, const struct unwind_fn *fn, struct machine_site **out,
		 size_t *n, struct err *err);

#endif
