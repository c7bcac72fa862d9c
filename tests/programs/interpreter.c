/* A switch interpreter: programs as data, a stack of values, nested loops of the guest. */
#include "sum.h"

enum op { PUSH, ADD, MUL, SUB, DUP, SWAP, LOAD, STORE, JUMPNZ, CALL, RET, OUT, HALT };

struct insn {
	enum op op;
	long arg;
};

/* The squares from 5 down to 1 by a subroutine, then 5! by a loop. */
static const struct insn code[] = {
	{PUSH, 5}, {STORE, 0}, {LOAD, 0},  {CALL, 19},   {OUT, 0},  {LOAD, 0},  {PUSH, 1},
	{SUB, 0},  {DUP, 0},   {STORE, 0}, {JUMPNZ, 2},  {PUSH, 1}, {PUSH, 5},  {STORE, 0},
	{LOAD, 0}, {MUL, 0},   {CALL, 22}, {JUMPNZ, 14}, {OUT, 0},  {DUP, 0},   {MUL, 0},
	{RET, 0},  {LOAD, 0},  {PUSH, 1},  {SUB, 0},     {DUP, 0},  {STORE, 0}, {RET, 0},
};

static uint64_t run(const struct insn *pc, size_t n, int fuel)
{
	long stack[32] = {0}, *sp = stack, vars[4] = {0}, t;
	const struct insn *ret[8], **rp = ret, *base = pc;
	uint64_t h = SUM_START;
	int outs = 0;

	while (fuel-- > 0 && pc < base + n) {
		switch (pc->op) {
		case PUSH:
			*sp++ = pc->arg;
			break;
		case ADD:
			sp--;
			sp[-1] += sp[0];
			break;
		case SUB:
			sp--;
			sp[-1] -= sp[0];
			break;
		case MUL:
			sp--;
			sp[-1] *= sp[0];
			break;
		case DUP:
			sp[0] = sp[-1];
			sp++;
			break;
		case SWAP:
			t = sp[-1];
			sp[-1] = sp[-2];
			sp[-2] = t;
			break;
		case LOAD:
			*sp++ = vars[pc->arg];
			break;
		case STORE:
			vars[pc->arg] = *--sp;
			break;
		case JUMPNZ:
			if (*--sp) {
				pc = base + pc->arg;
				continue;
			}
			break;
		case CALL:
			*rp++ = pc + 1;
			pc = base + pc->arg;
			continue;
		case RET:
			pc = *--rp;
			continue;
		case OUT:
			printf("out %ld\n", *--sp);
			if (++outs == 6)
				return mix(h, (uint64_t)fuel);
			break;
		case HALT:
			return h;
		}
		h = mix(h, (uint64_t)(pc - base) * 31 + (uint64_t)(sp - stack));
		pc++;
	}
	return h;
}

int main(void)
{
	show("run", run(code, sizeof(code) / sizeof(code[0]), some(400)));
	return 0;
}
