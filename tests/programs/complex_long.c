/* long double _Complex: arithmetic, results and arguments by value, parts live across points. */
#include "sum.h"

#include <complex.h>

typedef long double _Complex wide;

static uint64_t add(uint64_t h, wide z)
{
	double parts[2] = {(double)creall(z), (double)cimagl(z)};

	return mixd(mixd(h, parts[0]), parts[1]);
}

static wide step(wide z, wide c)
{
	return z * z / (z + 2.0L * I) + c;
}

static wide turned(wide z, int n)
{
	return n ? turned(conjl(z) * (1.0L + 0.5L * I), n - 1) + z : z;
}

int main(void)
{
	wide z = 0.25L + 0.5L * I, sum = 0;
	uint64_t h = SUM_START;

	for (int i = 0; i < some(9); i++) {
		wide c = (i - 4) / 8.0L + (i % 3) * 0.125L * I;

		z = step(z, c);
		sum += turned(z, i % 4);
		h = add(h, z);
		h = add(h, sum - c);
		printf("%d %.6f %.6f\n", i, (double)creall(z), (double)cimagl(z));
	}
	show("complex", h);
	return 0;
}
