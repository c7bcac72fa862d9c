/* Calls in tail position: of itself, of others in turn, through a pointer, and 200,000 of them. */
#include "sum.h"

static int state;

static long count(long n, long sum)
{
	if (n == 0)
		return sum;
	return count(n - 1, sum + n % 7);
}

static int odd(unsigned n);

static int even(unsigned n)
{
	state += 2;
	if (n == 0)
		return 1;
	return odd(n - 1);
}

static int odd(unsigned n)
{
	state ^= 5;
	if (n == 0)
		return 0;
	return even(n - 1);
}

static uint64_t last(uint64_t h, int n)
{
	for (int i = 0; i < some(n); i++)
		for (int k = 0; k < some(2); k++)
			h = mix(h, (uint64_t)(i * k));
	return h;
}

static uint64_t (*volatile pointer)(uint64_t, int) = last;

static uint64_t through(uint64_t h, int n)
{
	char local[16];

	snprintf(local, sizeof local, "%d", n);
	h = mixs(h, local);
	return pointer(h, n);
}

int main(void)
{
	printf("%ld\n", count(some(50), 0));
	printf("%ld\n", count(some(60) * 10L, 1));
	printf("%d ", even(31));
	printf("%d\n", state);
	show("through", through(SUM_START, 4));
	return 0;
}
