/* One side: calls back in a loop. */
#include "multi.h"

static int state = 10;
static const char *const name = "left";

struct local {
	int a;
	double b;
};

static int step(int x)
{
	static struct local l = {1, 0.5};

	l.a += x;
	l.b = l.b * 1.25 + l.a;
	return state += (int)l.b % 11;
}

long left_run(int n, item_fn fn, void *arg)
{
	long r = 0;

	for (int i = 0; i < n % 4 + 1; i++)
		r += fn(step(i) + shared[i], arg);
	return r;
}

const char *left_name(void)
{
	return name;
}
