/* Linker scripts of the aligned link; pure text out of a layout. */
#ifndef DROVER_LINK_SCRIPT_H
#define DROVER_LINK_SCRIPT_H

#include "binaries/link/layout.h"
#include "common/buf.h"

/* The script that puts the sections of ISA at the addresses of L.  0 or -ENOMEM. */
int script_final(struct buf *b, const struct layout *l, enum isa isa);

/*
 * A script for a trial link that keeps the sections NAMES alive in the default
 * layout, and nothing else.
 */
int script_keep(struct buf *b, const struct strv *names);

#endif
