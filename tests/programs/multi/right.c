/* The other side: calls back and across in a recursion. */
#include "multi.h"

static int state = 100;
static const char *const name = "right";

struct local {
	char c[12];
};

static int step(int x)
{
	static struct local l = {"right side"};

	l.c[x % 10] = (char)('a' + (l.c[x % 10] + x) % 26);
	return state += l.c[(x + 1) % 10];
}

long right_run(int n, item_fn fn, void *arg)
{
	long r = fn(step(n) % 50, arg);

	if (n % 3)
		r += right_run(n - 1, fn, arg);
	else
		r += left_run(n + 1, fn, arg);
	shared[n % 4] ^= (int)(r & 3);
	return r;
}

const char *right_name(void)
{
	return name;
}
