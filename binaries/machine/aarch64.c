/* AArch64 instructions as steps. */
#include "binaries/machine/translate.h"

enum { SP = 31, V0 = 32, ZERO = -2 };

static int number(unsigned reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return (int)(reg - ARM64_REG_X0);
	if (reg >= ARM64_REG_W0 && reg < ARM64_REG_W0 + 31)
		return (int)(reg - ARM64_REG_W0);
	if (reg >= ARM64_REG_B0 && reg < ARM64_REG_B0 + 32)
		return V0 + (int)(reg - ARM64_REG_B0);
	if (reg >= ARM64_REG_H0 && reg < ARM64_REG_H0 + 32)
		return V0 + (int)(reg - ARM64_REG_H0);
	if (reg >= ARM64_REG_S0 && reg < ARM64_REG_S0 + 32)
		return V0 + (int)(reg - ARM64_REG_S0);
	if (reg >= ARM64_REG_D0 && reg < ARM64_REG_D0 + 32)
		return V0 + (int)(reg - ARM64_REG_D0);
	if (reg >= ARM64_REG_Q0 && reg < ARM64_REG_Q0 + 32)
		return V0 + (int)(reg - ARM64_REG_Q0);
	if (reg >= ARM64_REG_V0 && reg < ARM64_REG_V0 + 32)
		return V0 + (int)(reg - ARM64_REG_V0);
	switch (reg) {
	case ARM64_REG_X29:
		return 29;
	case ARM64_REG_X30:
		return 30;
	case ARM64_REG_SP:
	case ARM64_REG_WSP:
		return SP;
	case ARM64_REG_XZR:
	case ARM64_REG_WZR:
		return ZERO;
	default:
		return MACHINE_NONE;
	}
}

static unsigned width(unsigned reg)
{
	if ((reg >= ARM64_REG_W0 && reg < ARM64_REG_W0 + 31) || reg == ARM64_REG_WZR ||
	    (reg >= ARM64_REG_S0 && reg < ARM64_REG_S0 + 32))
		return 4;
	if (reg >= ARM64_REG_H0 && reg < ARM64_REG_H0 + 32)
		return 2;
	if (reg >= ARM64_REG_B0 && reg < ARM64_REG_B0 + 32)
		return 1;
	if ((reg >= ARM64_REG_Q0 && reg < ARM64_REG_Q0 + 32) ||
	    (reg >= ARM64_REG_V0 && reg < ARM64_REG_V0 + 32))
		return 16;
	return 8;
}

static struct place place_of(const cs_arm64_op *o)
{
	int reg;

	switch (o->type) {
	case ARM64_OP_REG:
		reg = number(o->reg);
		return reg == ZERO           ? place_imm(0)
		       : reg == MACHINE_NONE ? (struct place){PLACE_NONE}
					     : place_reg(reg, width(o->reg));
	case ARM64_OP_IMM:
		return place_imm(
			(int64_t)((uint64_t)o->imm
				  << (o->shift.type == ARM64_SFT_LSL ? o->shift.value : 0)));
	case ARM64_OP_MEM:
		return place_mem(number(o->mem.base), number(o->mem.index), o->mem.disp, 8);
	default:
		return (struct place){PLACE_NONE};
	}
}

/* A load or store of one or two registers and what it does to its base. */
static size_t transfer(const cs_arm64 *x, const struct place *p, size_t regs, unsigned size,
		       bool load, struct micro *out)
{
	const cs_arm64_op *o = x->operands;
	struct place mem = p[regs], base = place_reg(p[regs].base, 8);
	bool post = x->writeback && x->op_count > regs + 1;
	size_t n = 0;

	if (x->writeback && !post) {
		out[n++] = (struct micro){
			.kind = MICRO_ADD, .dst = base, .a = base, .b = place_imm(mem.n)};
		mem.n = 0;
	}
	for (size_t k = 0; k < regs; k++) {
		struct place at = mem;

		at.size = size ? size : width(o[k].reg);
		at.n += (int64_t)(k * at.size);
		out[n++] = (struct micro){
			.kind = MICRO_COPY, .dst = load ? p[k] : at, .a = load ? at : p[k]};
	}
	if (post)
		out[n++] =
			(struct micro){.kind = MICRO_ADD, .dst = base, .a = base, .b = p[regs + 1]};
	return n;
}

static size_t memory(const cs_insn *i, const struct place *p, struct micro *out)
{
	const cs_arm64 *x = &i->detail->arm64;

	switch (i->id) {
	case ARM64_INS_LDR:
	case ARM64_INS_LDUR:
		if (x->op_count > 1 && p[1].type == PLACE_MEM)
			return transfer(x, p, 1, 0, true, out);
		*out = (struct micro){.kind = MICRO_COPY, .dst = p[0]}; /* of a constant pool */
		return 1;
	case ARM64_INS_STR:
	case ARM64_INS_STUR:
		return transfer(x, p, 1, 0, false, out);
	case ARM64_INS_STRB:
	case ARM64_INS_STURB:
		return transfer(x, p, 1, 1, false, out);
	case ARM64_INS_STRH:
	case ARM64_INS_STURH:
		return transfer(x, p, 1, 2, false, out);
	case ARM64_INS_LDP:
		return transfer(x, p, 2, 0, true, out);
	case ARM64_INS_STP:
		return transfer(x, p, 2, 0, false, out);
	case ARM64_INS_LDRB:
	case ARM64_INS_LDURB:
	case ARM64_INS_LDRSB:
	case ARM64_INS_LDURSB:
		return transfer(x, p, 1, 1, true, out);
	case ARM64_INS_LDRH:
	case ARM64_INS_LDURH:
	case ARM64_INS_LDRSH:
	case ARM64_INS_LDURSH:
		return transfer(x, p, 1, 2, true, out);
	case ARM64_INS_LDRSW:
	case ARM64_INS_LDURSW:
		return transfer(x, p, 1, 4, true, out);
	default:
		return SIZE_MAX;
	}
}

static size_t flow(const cs_insn *i, const struct place *p, struct micro *out)
{
	const cs_arm64 *x = &i->detail->arm64;

	switch (i->id) {
	case ARM64_INS_BL:
	case ARM64_INS_BLR:
		*out = (struct micro){.kind = MICRO_CALL, .a = p[0]};
		return 1;
	case ARM64_INS_B:
		*out = (struct micro){.kind = x->cc == ARM64_CC_INVALID || x->cc == ARM64_CC_AL
						      ? MICRO_JUMP
						      : MICRO_BRANCH,
				      .a = p[0]};
		return 1;
	case ARM64_INS_BR:
		*out = (struct micro){.kind = MICRO_JUMP};
		return 1;
	case ARM64_INS_CBZ:
	case ARM64_INS_CBNZ:
	case ARM64_INS_TBZ:
	case ARM64_INS_TBNZ:
		*out = (struct micro){.kind = MICRO_BRANCH, .a = p[x->op_count - 1]};
		return 1;
	case ARM64_INS_RET:
	case ARM64_INS_BRK:
	case ARM64_INS_HLT:
		*out = (struct micro){.kind = MICRO_END, .c = i->id == ARM64_INS_RET};
		return 1;
	default:
		return SIZE_MAX;
	}
}

/* The destination comes first, and few instructions keep a part of what it held. (The
 * disassembler's own word on it is wrong for aliases such as lsl.) */
static size_t other(const cs_insn *i, const struct place *p, struct micro *out)
{
	const cs_arm64 *x = &i->detail->arm64;
	uint8_t access[4] = {CS_AC_WRITE, CS_AC_READ, CS_AC_READ, CS_AC_READ};
	size_t n = x->op_count < 4 ? x->op_count : 4;

	switch (i->id) {
	case ARM64_INS_BFI:
	case ARM64_INS_BFXIL:
	case ARM64_INS_BFM:
	case ARM64_INS_INS:
	case ARM64_INS_MLA:
	case ARM64_INS_MLS:
	case ARM64_INS_FMLA:
	case ARM64_INS_FMLS:
	case ARM64_INS_BIF:
	case ARM64_INS_BIT:
	case ARM64_INS_BSL:
		access[0] |= CS_AC_READ;
		break;
	default:
		/* Stores of other kinds than memory() knows do not go to the frame. */
		if (!strncmp(i->mnemonic, "st", 2))
			return 0;
	}
	return translate_mix(p, access, n, out);
}

static size_t translate(const cs_insn *i, struct micro *out)
{
	const cs_arm64 *x = &i->detail->arm64;
	struct place p[4] = {{PLACE_NONE}};
	size_t n;

	for (uint8_t k = 0; k < x->op_count && k < 4; k++)
		p[k] = place_of(&x->operands[k]);
	n = flow(i, p, out);
	if (n == SIZE_MAX)
		n = memory(i, p, out);
	if (n != SIZE_MAX)
		return n;
	switch (i->id) {
	case ARM64_INS_NOP:
	case ARM64_INS_CMP:
	case ARM64_INS_CMN:
	case ARM64_INS_TST:
	case ARM64_INS_FCMP:
	case ARM64_INS_CCMP:
		return 0;
	case ARM64_INS_MOV:
	case ARM64_INS_MOVZ:
	case ARM64_INS_FMOV:
		*out = (struct micro){.kind = MICRO_COPY, .dst = p[0], .a = p[1]};
		return 1;
	case ARM64_INS_MOVN:
		*out = (struct micro){.kind = MICRO_COPY, .dst = p[0], .a = place_imm(~p[1].n)};
		return 1;
	case ARM64_INS_MOVK:
		*out = (struct micro){.kind = MICRO_INSERT,
				      .dst = p[0],
				      .a = p[0],
				      .b = place_imm(x->operands[1].shift.value),
				      .c = (uint64_t)x->operands[1].imm};
		return 1;
	case ARM64_INS_ADR:
	case ARM64_INS_ADRP:
		*out = (struct micro){.kind = MICRO_ADDRESS,
				      .dst = p[0],
				      .a = place_mem(MACHINE_NONE, MACHINE_NONE, p[1].n, 8)};
		return 1;
	case ARM64_INS_ADD:
	case ARM64_INS_SUB:
		if (p[2].type == PLACE_REG && x->operands[2].shift.type != ARM64_SFT_INVALID &&
		    x->operands[2].shift.value)
			p[2] = (struct place){PLACE_NONE}; /* an index, scaled */
		*out = (struct micro){.kind = i->id == ARM64_INS_ADD ? MICRO_ADD : MICRO_SUB,
				      .dst = p[0],
				      .a = p[1],
				      .b = p[2]};
		return 1;
	case ARM64_INS_CSEL:
		*out = (struct micro){.kind = MICRO_CHOOSE, .dst = p[0], .a = p[1], .b = p[2]};
		return 1;
	default:
		return other(i, p, out);
	}
}

#define BITS(from, to) (((UINT64_C(2) << (to)) - 1) & ~((UINT64_C(1) << (from)) - 1))

const struct machine_abi machine_aarch64 = {
	.stack = SP,
	.args = {0, 1, 2},
	.result = 0,
	.entry = 0,
	.kept = BITS(19, 29) | BITS(SP, SP) | BITS(V0 + 8, V0 + 15),
	.arch = CS_ARCH_ARM64,
	.mode = CS_MODE_LITTLE_ENDIAN,
	.translate = translate,
};
