/*
 * A check of finished machine code: in an instrumented function every call that may reach a
 * migration point has a landing pad of its own, each pad asks for the frame record of a site of
 * that function, after those of functions that were inlined into it, and nothing a pad stores there
 * is an address that means something on this ISA only. In a resume clone the same holds of the
 * block of memory from which the runtime makes the record, and its table agrees with
 * .state_transform.
 *
 * Addresses of the native stack are followed from the stack pointer through registers, arithmetic
 * and the frame's slots, along all branches, jump tables included, to what is stored through the
 * pointer __drover_frame returned (abstract interpretation over the flow graph; a value is an
 * address if it may be one on any path). Not followed: through memory outside the frame and slots
 * addressed by an index. A 32-bit constant that happens to lie in the ISA's own sections is not
 * told from a number.
 */
#ifndef DROVER_MACHINE_FOLLOW_H
#define DROVER_MACHINE_FOLLOW_H

#include "binaries/bundle/transform.h"
#include "binaries/machine/micro.h"
#include "common/err.h"

struct returns_program;

/* An entry of a call-site table; addresses. */
struct machine_site {
	uint64_t start, end; /* the call lies in [start, end) */
	uint64_t pad;        /* its landing pad */
};

/* Where the rows of a function's sites are (struct drover_site). */
struct machine_table {
	uint64_t addr;
	uint64_t id; /* of the function's identity */
	uint32_t nsites;
};

/* The part of a program around a function. */
struct machine_program {
	const struct machine_abi *abi;
	const struct transform *transform;
	const struct machine_table *tables; /* by ascending address */
	size_t ntables;
	/* Loaded memory, or NULL where there is none. */
	const unsigned char *(*bytes)(const void *context, uint64_t addr, size_t len);
	const void *context;
	uint64_t frame;                        /* __drover_frame */
	uint64_t unwind;                       /* __drover_unwind */
	uint64_t keep;                         /* __drover_keep; 0: not there */
	uint64_t copy, move;                   /* memcpy, memmove; 0: not there */
	const struct returns_program *returns; /* NULL: every function is taken to return */
	uint64_t own_start, own_end;           /* sections that belong to this ISA */
};

struct machine_function {
	uint64_t id; /* of the function's identity */
	const unsigned char *code;
	uint64_t addr;
	size_t len;
	const struct machine_site *pads;
	size_t npads;
};

struct machine_found {
	size_t functions, pads;
	size_t stores; /* into frame records, each followed to where it came from */
};

/*
 * Follows one function; adds to FOUND. -EILSEQ with what is wrong and where; -EINVAL if the code
 * can't be read.
 */
int machine_follow(const struct machine_program *p, const struct machine_function *f,
		   struct machine_found *found, struct err *err);

#endif
