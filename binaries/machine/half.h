/* All instrumented functions of one half of a bundle, checked by follow.h. */
#ifndef DROVER_MACHINE_HALF_H
#define DROVER_MACHINE_HALF_H

#include "binaries/bundle/bundle.h"
#include "binaries/bundle/transform.h"
#include "binaries/machine/follow.h"

/*
 * Follows every function of the half's function table and its resume clone; adds to FOUND. -EILSEQ
 * names the function, the site and what is wrong; -ENODATA: the half has no symbols (strip), so
 * that the runtime's functions can't be told.
 */
int machine_check_half(const struct bundle *b, enum isa isa, const struct transform *t,
		       struct machine_found *found, struct err *err);

#endif
