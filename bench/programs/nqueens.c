/* N queens by sets of bits: a loop around a recursion. Argument: board size. */
#include <stdio.h>
#include <stdlib.h>

static long solve(unsigned int all, unsigned int cols, unsigned int left, unsigned int right)
{
	long n = 0;

	if (cols == all)
		return 1;
	for (unsigned int free = all & ~(cols | left | right); free; free &= free - 1) {
		unsigned int bit = free & -free;

		n += solve(all, cols | bit, (left | bit) << 1, (right | bit) >> 1);
	}
	return n;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 15;

	printf("%ld\n", solve((1u << n) - 1, 0, 0, 0));
	return 0;
}
