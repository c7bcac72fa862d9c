/* A recursion of 2,000 frames, each with values of its own that are needed on the way back. */
#include "sum.h"

static double weight;

static uint64_t down(int n, uint64_t seed, double x)
{
	uint64_t mine = mix(seed, (uint64_t)n), r;
	int odd = n & 1;

	if (n == 0)
		return mine;
	r = down(n - 1, mine, x * 0.999 + odd);
	weight += x;
	return odd ? r ^ mine : r + mine;
}

int main(void)
{
	show("down", down(some(2000), SUM_START, 1.0));
	printf("%.17g\n", weight);
	return 0;
}
