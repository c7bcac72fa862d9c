/* Computed goto: a threaded interpreter, a table of label differences, labels kept in variables. */
#include "sum.h"

static uint64_t run(const unsigned char *code, int steps)
{
	static void *const table[] = {&&add, &&mul, &&jump, &&call, &&stop};
	static const int offsets[] = {&&add - &&add, &&mul - &&add};
	void *after = &&add;
	uint64_t a = 1, h = (uint64_t)(offsets[0] == 0 && offsets[1] != 0);
	int at = 0;

	goto *table[code[at]];
add:
	a += (uint64_t)at + 3;
	h = mix(h, a);
	at++;
	after = table[code[at]];
	goto *after;
mul:
	a *= 7;
	at++;
	goto *table[code[at]];
jump:
	if (steps-- > 0)
		at = 0;
	else
		at++;
	goto *table[code[at]];
call:
	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(2); k++)
			h = mix(h, (uint64_t)(i - k));
	at++;
	goto *table[code[at]];
stop:
	return mix(h, a);
}

int main(void)
{
	static const unsigned char one[] = {0, 1, 3, 0, 2, 4}, two[] = {3, 3, 0, 2, 1, 4};

	show("one", run(one, 6));
	show("two", run(two, some(5)));
	return 0;
}
