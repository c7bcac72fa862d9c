/*
 * Memory that is still in the image's file. When the images of a run are in place
 * (docs/formats/image.md, section 7), one file goes from process to process, and a page's bytes
 * are at the offset that is its address. Large runs are then not read but mapped, private to the
 * process: a page that was not written since need not be written at the next capture either.
 *
 * Invariants: a range is kept only while it is a private mapping of that file, each page at its own
 * address as offset; only a capture writes the file, and only pages of which this process has a
 * copy of its own.
 */
#ifndef DROVER_RT_KEPT_H
#define DROVER_RT_KEPT_H

#include "migrator/rt/rt.h"

/* What there is of a page. */
enum kept_page {
	KEPT_UNCHANGED, /* as the file has it */
	KEPT_EMPTY,     /* never touched: zero */
	KEPT_OWN        /* memory of the process */
};

/* Maps a run of the image in place of the memory there; false if it is to be read. */
bool kept_map(const struct drover_image_run *run);

/* Around a capture: between them kept_state() may be asked. */
void kept_look(void);
enum kept_page kept_state(uint64_t addr);
void kept_looked(void);

/* Whether any of [start, end) is kept. */
bool kept_any(uint64_t start, uint64_t end);

/* Whether one call's changes of the mappings can be noted. */
bool kept_room(void);

/* [start, end) is mapped no more, or not from the file. Needs kept_room(). */
void kept_forget(uint64_t start, uint64_t end);

/* Makes [start, end), which is mapped with this protection, one piece of ordinary memory with the
 * same contents, or each of its maps zero memory; 0 or a negative errno. Need kept_room(). */
int kept_own(uint64_t start, uint64_t end, int prot);
int kept_clear(uint64_t start, uint64_t end);

/* In a child of fork: what is kept becomes its own, as the parent may write the file. */
void kept_forked(void);

#endif
