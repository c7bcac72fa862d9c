/* A program of several files: statics, functions and types of one name in each of them. */
#include "multi.h"

static int state = 1;
static const char *const name = "main";

static int step(int x)
{
	return state = state * 3 + x;
}

int shared[4] = {1, 2, 3, 4};

static long on_item(long value, void *arg)
{
	long *sum = arg;

	*sum += value + step((int)value & 7);
	return *sum;
}

int main(void)
{
	long sum = 0;

	for (int i = 0; i < some(10); i++) {
		long a = left_run(i, on_item, &sum), b = right_run(i, on_item, &sum);

		shared[i % 4] += (int)(a % 97 - b % 89);
		printf("%d %ld %ld %ld %d\n", i, a, b, sum, shared[i % 4]);
		sum %= 10007;
		state %= 1009;
	}
	printf("%s %s %s %d\n", name, left_name(), right_name(), state);
	return 0;
}
