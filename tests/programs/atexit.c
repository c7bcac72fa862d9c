/* Handlers of atexit: their order, their state, output they write last, loops within them. */
#include "sum.h"

#include <stdlib.h>

static int order;
static uint64_t h = SUM_START;
static char *owned;

static void first(void)
{
	printf("first runs %d, %s\n", ++order, owned);
	free(owned);
}

static void second(void)
{
	for (int i = 0; i < some(12); i++)
		h = mix(h, (uint64_t)(i * order));
	printf("second runs %d\n", ++order);
	show("handlers", h);
}

static void third(void)
{
	printf("third runs %d\n", ++order);
	atexit(second);
}

int main(void)
{
	owned = malloc(32);
	atexit(first);
	atexit(third);
	for (int i = 0; i < some(20); i++) {
		h = mix(h, (uint64_t)i);
		snprintf(owned, 32, "owned text %d", i);
	}
	show("main", h);
	exit(some(5));
}
