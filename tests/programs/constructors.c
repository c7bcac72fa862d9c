/* Migration points in constructors, destructors and exit handlers, one of which registers another,
 * and exit called from the depth of a recursion. */
#include "sum.h"

#include <stdlib.h>

static uint64_t h = SUM_START;

static uint64_t work(int n)
{
	uint64_t sum = 0;

	for (int i = 0; i < some(n); i++)
		for (int k = 0; k < some(2); k++)
			sum = mix(sum, (uint64_t)(i * k + n));
	return sum;
}

__attribute__((constructor(200))) static void first(void)
{
	h = mix(h, work(2));
}

__attribute__((constructor)) static void second(void)
{
	h = mix(h, work(3)) * 3;
}

__attribute__((destructor)) static void last(void)
{
	h = mix(h, work(2));
	show("destructor", h);
}

static void inner_handler(void)
{
	h = mix(h, work(3));
	show("registered late", h);
}

static void handler(void)
{
	h = mix(h, work(2));
	atexit(inner_handler);
	show("handler", h);
}

static int deep(int n)
{
	if (n < -1)
		return 0;
	if (n == 0 && some(1))
		exit(3);
	h = mix(h, (uint64_t)n);
	return deep(n - 1) + (int)work(1);
}

int main(void)
{
	show("main", h);
	atexit(handler);
	return deep(4);
}
