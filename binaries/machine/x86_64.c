/* x86-64 instructions as steps. */
#include "binaries/machine/translate.h"
#include "common/compiler.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, XMM0 = 16 };

static const uint16_t names[][5] = {
	{X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
	{X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
	{X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
	{X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
	{X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
	{X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
	{X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
	{X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
	{X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
	{X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
	{X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
	{X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
	{X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
	{X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
	{X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
	{X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
};

static int number(unsigned reg)
{
	if (reg >= X86_REG_XMM0 && reg <= X86_REG_XMM15)
		return XMM0 + (int)(reg - X86_REG_XMM0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names[i]) && names[i][k]; k++)
			if (names[i][k] == reg)
				return (int)i;
	return MACHINE_NONE;
}

static struct place place_of(const cs_insn *i, const cs_x86_op *o)
{
	int base, index;

	switch (o->type) {
	case X86_OP_REG:
		return place_reg(number(o->reg), o->size);
	case X86_OP_IMM:
		return place_imm(o->imm);
	case X86_OP_MEM:
		/* Relative to the thread pointer: nothing of the stack's. */
		if (o->mem.segment != X86_REG_INVALID)
			return place_mem(MACHINE_NONE, XMM0, 0, o->size);
		if (o->mem.base == X86_REG_RIP)
			return place_mem(MACHINE_NONE, MACHINE_NONE,
					 (int64_t)(i->address + i->size) + o->mem.disp, o->size);
		base = number(o->mem.base);
		index = number(o->mem.index);
		return place_mem(base, index, o->mem.disp, o->size);
	default:
		return (struct place){0};
	}
}

static bool is_move(unsigned id)
{
	switch (id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_MOVAPS:
	case X86_INS_MOVAPD:
	case X86_INS_MOVUPS:
	case X86_INS_MOVUPD:
	case X86_INS_MOVDQA:
	case X86_INS_MOVDQU:
	case X86_INS_MOVQ:
	case X86_INS_MOVD:
	case X86_INS_MOVSS:
	case X86_INS_MOVLPS:
	case X86_INS_MOVLPD:
	case X86_INS_MOVHPS:
	case X86_INS_MOVHPD:
		return true;
	default:
		return false;
	}
}

static size_t jump(const cs_insn *i, const struct place *o, struct micro *out)
{
	bool direct = o->type == PLACE_IMM;

	if (i->id == X86_INS_JMP)
		*out = (struct micro){.kind = MICRO_JUMP, .a = direct ? *o : (struct place){0}};
	else
		*out = (struct micro){.kind = MICRO_BRANCH, .a = *o};
	return 1;
}

/* What no other case knows: its operands, and what it writes without naming it. */
static size_t other(const cs_insn *i, const struct place *p, struct micro *out)
{
	const cs_x86 *x = &i->detail->x86;
	uint8_t access[4] = {0};
	size_t n;

	for (uint8_t k = 0; k < x->op_count && k < 4; k++)
		access[k] = x->operands[k].access;
	n = translate_mix(p, access, x->op_count < 4 ? x->op_count : 4, out);
	for (uint8_t k = 0; k < i->detail->regs_write_count && n < MICRO_MAX; k++) {
		int reg = number(i->detail->regs_write[k]);

		if (reg != MACHINE_NONE && reg != RSP)
			out[n++] = (struct micro){.kind = MICRO_COPY, .dst = place_reg(reg, 8)};
	}
	return n;
}

/* push, pop and leave. */
static size_t stack(const cs_insn *i, const struct place *p, struct micro *out)
{
	const struct place sp = place_reg(RSP, 8), eight = place_imm(8);
	const struct place top = place_mem(RSP, MACHINE_NONE, 0, 8);

	switch (i->id) {
	case X86_INS_PUSH:
		out[0] = (struct micro){.kind = MICRO_SUB, .dst = sp, .a = sp, .b = eight};
		out[1] = (struct micro){.kind = MICRO_COPY, .dst = top, .a = *p};
		return 2;
	case X86_INS_POP:
		out[0] = (struct micro){.kind = MICRO_COPY, .dst = *p, .a = top};
		out[1] = (struct micro){.kind = MICRO_ADD, .dst = sp, .a = sp, .b = eight};
		return 2;
	default:
		out[0] = (struct micro){.kind = MICRO_COPY, .dst = sp, .a = place_reg(RBP, 8)};
		out[1] = (struct micro){.kind = MICRO_COPY, .dst = place_reg(RBP, 8), .a = top};
		out[2] = (struct micro){.kind = MICRO_ADD, .dst = sp, .a = sp, .b = eight};
		return 3;
	}
}

static size_t translate(const cs_insn *i, struct micro *out)
{
	const cs_x86 *x = &i->detail->x86;
	struct place p[4] = {{0}};

	for (uint8_t k = 0; k < x->op_count && k < 4; k++)
		p[k] = place_of(i, &x->operands[k]);
	if (is_move(i->id)) {
		*out = (struct micro){.kind = MICRO_COPY, .dst = p[0], .a = p[1]};
		return 1;
	}
	if (has_group(i, CS_GRP_CALL)) {
		*out = (struct micro){.kind = MICRO_CALL, .a = p[0]};
		return 1;
	}
	if (has_group(i, CS_GRP_JUMP))
		return jump(i, &p[0], out);
	switch (i->id) {
	case X86_INS_RET:
	case X86_INS_UD2:
	case X86_INS_INT3:
	case X86_INS_HLT:
		*out = (struct micro){.kind = MICRO_END, .c = i->id == X86_INS_RET};
		return 1;
	case X86_INS_NOP:
	case X86_INS_CMP:
	case X86_INS_TEST:
	case X86_INS_UCOMISD:
	case X86_INS_UCOMISS:
	case X86_INS_ENDBR64:
		return 0;
	case X86_INS_PUSH:
	case X86_INS_POP:
	case X86_INS_LEAVE:
		return stack(i, &p[0], out);
	case X86_INS_LEA:
		*out = (struct micro){.kind = MICRO_ADDRESS, .dst = p[0], .a = p[1]};
		return 1;
	case X86_INS_ADD:
	case X86_INS_SUB:
		*out = (struct micro){.kind = i->id == X86_INS_ADD ? MICRO_ADD : MICRO_SUB,
				      .dst = p[0],
				      .a = p[0],
				      .b = p[1]};
		return 1;
	case X86_INS_INC:
	case X86_INS_DEC:
		*out = (struct micro){.kind = i->id == X86_INS_INC ? MICRO_ADD : MICRO_SUB,
				      .dst = p[0],
				      .a = p[0],
				      .b = place_imm(1)};
		return 1;
	case X86_INS_AND: /* of the stack pointer: what aligns a frame does not leave it */
		if (p[0].type == PLACE_REG && p[0].reg == RSP)
			return 0;
		break;
	case X86_INS_XOR:
	case X86_INS_XORPS:
	case X86_INS_XORPD:
	case X86_INS_PXOR:
		if (p[0].type == PLACE_REG && p[1].type == PLACE_REG && p[0].reg == p[1].reg) {
			*out = (struct micro){.kind = MICRO_COPY, .dst = p[0], .a = place_imm(0)};
			return 1;
		}
		break;
	case X86_INS_MOVSB:
	case X86_INS_MOVSQ:
		*out = (struct micro){.kind = MICRO_BYTES,
				      .dst = place_reg(RDI, 8),
				      .a = place_reg(RSI, 8),
				      .b = place_reg(RCX, 8),
				      .c = i->id == X86_INS_MOVSQ ? 8 : 1};
		return 1;
	default:
		break;
	}
	if (!strncmp(i->mnemonic, "cmov", 4)) {
		*out = (struct micro){.kind = MICRO_CHOOSE, .dst = p[0], .a = p[0], .b = p[1]};
		return 1;
	}
	return other(i, p, out);
}

#define BIT(reg) (UINT64_C(1) << (reg))

const struct machine_abi machine_x86_64 = {
	.stack = RSP,
	.args = {RDI, RSI, RDX},
	.result = RAX,
	.entry = -8, /* below the return address */
	.kept = BIT(RBX) | BIT(RSP) | BIT(RBP) | BIT(12) | BIT(13) | BIT(14) | BIT(15),
	.arch = CS_ARCH_X86,
	.mode = CS_MODE_64,
	.translate = translate,
};
