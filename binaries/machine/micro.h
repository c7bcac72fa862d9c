/*
 * Machine instructions of both ISAs as a few simple steps on registers and memory, which is all
 * that following an address through a function needs to know of them.
 *
 * Registers are numbered 0 to MACHINE_REGS - 1 without regard to the width they are used in.
 */
#ifndef DROVER_MACHINE_MICRO_H
#define DROVER_MACHINE_MICRO_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MACHINE_REGS = 64,
	MACHINE_NONE = -1, /* no register */
	MICRO_MAX = 12     /* steps of one instruction */
};

enum place_type { PLACE_NONE, PLACE_REG, PLACE_MEM, PLACE_IMM };

/* Where a step reads or writes. */
struct place {
	enum place_type type;
	unsigned size;   /* bytes */
	int reg;         /* PLACE_REG */
	int base, index; /* PLACE_MEM: registers or MACHINE_NONE; an index is taken as unknown */
	int64_t n; /* PLACE_MEM: displacement, an address if there is no base; PLACE_IMM: value */
};

enum micro_kind {
	MICRO_COPY,    /* dst = a; PLACE_NONE: something of no interest */
	MICRO_ADD,     /* dst = a + b */
	MICRO_SUB,     /* dst = a - b */
	MICRO_ADDRESS, /* dst = the address a names */
	MICRO_INSERT,  /* dst = a with the 16 bits from bit b on replaced by c */
	MICRO_CHOOSE,  /* dst = a or b */
	MICRO_MIX,     /* dst = something computed from a and b */
	MICRO_BYTES,   /* memory at the address dst = memory at the address a, b times c bytes */
	MICRO_CALL,    /* of a, an address or unknown */
	MICRO_JUMP,    /* to a; PLACE_NONE: by a table or a pointer */
	MICRO_BRANCH,  /* to a, or on */
	MICRO_END      /* returns or stops */
};

struct micro {
	enum micro_kind kind;
	struct place dst, a, b;
	uint64_t c;
};

/* What the calling convention of an ISA says. */
struct machine_abi {
	int stack;     /* the stack pointer */
	int args[3];   /* where the first three arguments are */
	int result;    /* where a pointer comes back */
	int64_t entry; /* the stack pointer at entry, from the frame's top */
	uint64_t kept; /* bit N: a call leaves register N as it was */
	cs_arch arch;
	cs_mode mode;
	/* Writes at most MICRO_MAX steps for one instruction (with details); returns their number.
	 */
	size_t (*translate)(const cs_insn *i, struct micro *out);
};

extern const struct machine_abi machine_x86_64, machine_aarch64;

/* Places, for the translations. */
static inline struct place place_reg(int reg, unsigned size)
{
	return (struct place){PLACE_REG, size, reg, MACHINE_NONE, MACHINE_NONE, 0};
}

static inline struct place place_imm(int64_t n)
{
	return (struct place){PLACE_IMM, 8, MACHINE_NONE, MACHINE_NONE, MACHINE_NONE, n};
}

static inline struct place place_mem(int base, int index, int64_t disp, unsigned size)
{
	return (struct place){PLACE_MEM, size, MACHINE_NONE, base, index, disp};
}

#endif
