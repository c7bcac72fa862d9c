/* A switch interpreter that counts primes in guest code. Argument: up to which number. */
#include <stdio.h>
#include <stdlib.h>

enum op { PUSH, LOAD, STORE, ADD, MOD, LESS, SQUARE, JUMP, JUMPZ, HALT };

struct insn {
	enum op op;
	int arg;
};

/* 0: limit, 1: n, 2: divisor, 3: count */
static const struct insn code[] = {
	{PUSH, 2},  {STORE, 1}, {LOAD, 1},  {LOAD, 0},   {LESS, 0}, {JUMPZ, 32}, {PUSH, 2},
	{STORE, 2}, {LOAD, 1},  {LOAD, 2},  {SQUARE, 0}, {LESS, 0}, {JUMPZ, 14}, {JUMP, 23},
	{LOAD, 1},  {LOAD, 2},  {MOD, 0},   {JUMPZ, 27}, {LOAD, 2}, {PUSH, 1},   {ADD, 0},
	{STORE, 2}, {JUMP, 8},  {LOAD, 3},  {PUSH, 1},   {ADD, 0},  {STORE, 3},  {LOAD, 1},
	{PUSH, 1},  {ADD, 0},   {STORE, 1}, {JUMP, 2},   {HALT, 0},
};

static long run(long limit)
{
	long stack[16], *sp = stack, vars[4] = {limit, 0, 0, 0};
	const struct insn *pc = code;

	for (;;) {
		switch (pc->op) {
		case PUSH:
			*sp++ = pc->arg;
			break;
		case LOAD:
			*sp++ = vars[pc->arg];
			break;
		case STORE:
			vars[pc->arg] = *--sp;
			break;
		case ADD:
			sp--;
			sp[-1] += sp[0];
			break;
		case MOD:
			sp--;
			sp[-1] %= sp[0];
			break;
		case LESS:
			sp--;
			sp[-1] = sp[-1] < sp[0];
			break;
		case SQUARE:
			sp[-1] *= sp[-1];
			break;
		case JUMP:
			pc = code + pc->arg;
			continue;
		case JUMPZ:
			if (!*--sp) {
				pc = code + pc->arg;
				continue;
			}
			break;
		case HALT:
			return vars[3];
		}
		pc++;
	}
}

int main(int argc, char **argv)
{
	printf("%ld\n", run(argc > 1 ? atol(argv[1]) : 300000));
	return 0;
}
