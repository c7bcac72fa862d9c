/* Which functions never return: what stands behind a call of one is not run after it. */
#ifndef DROVER_MACHINE_RETURNS_H
#define DROVER_MACHINE_RETURNS_H

#include "binaries/machine/unwind.h"

struct returns_program {
	const struct machine_abi *abi;
	const struct unwind_fn *fns; /* ascending */
	size_t n;
	const unsigned char *(*bytes)(const void *context, uint64_t addr, size_t len);
	const void *context;
	uint64_t never[4]; /* functions that do not although their code does not show it; 0: none */
	signed char *known; /* of each of fns: 0 not looked at, 1 may return, -1 never; n zeros at
			       first */
};

/*
 * Whether the function at ADDR may return. Follows its branches and the functions it calls; what
 * can't be read, jumps by a table, and calls itself by a detour counts as returning.
 */
bool returns(const struct returns_program *p, uint64_t addr);

#endif
