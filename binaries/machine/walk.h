/*
 * One function being followed: what step.c, which carries out instructions and judges what landing
 * pads save, and follow.c, which follows the flow graph, share.
 */
#ifndef DROVER_MACHINE_WALK_H
#define DROVER_MACHINE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "binaries/machine/follow.h"
#include "binaries/machine/state.h"

struct walk {
	const struct machine_program *p;
	const struct machine_function *f;
	struct machine_found *found;
	struct err *err;
	cs_insn *insns;
	size_t n;
	bool *leader;         /* of each instruction: a block begins here */
	bool *is_pad;         /* of each instruction: a landing pad */
	bool *is_call;        /* of each instruction */
	struct state *states; /* of each instruction that is a leader, at its begin */
	size_t *queue, queued;
	bool *waiting;
	struct state table; /* at jumps by table */
	bool judging;       /* states are settled: say what is wrong */
};

/* -EILSEQ: WHAT is wrong at instruction I. */
int walk_wrong(const struct walk *w, size_t i, const char *what);

/* A call has happened: what it does not keep is plain. */
void walk_clobber(const struct machine_abi *abi, struct state *s);

/* The row of a site, if V is the address of one. */
struct value walk_site(const struct walk *w, struct value v);

/* Carries out one step of instruction I; while judging, says what is wrong with what is saved. */
int walk_step(struct walk *w, struct state *s, size_t i, const struct micro *m);

#endif
