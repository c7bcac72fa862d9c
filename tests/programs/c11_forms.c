/* _Generic, _Static_assert, _Alignas, _Noreturn, anonymous unions of them, and inline functions. */
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#include "sum.h"

#define NAME(x) _Generic((x), int: "int", double: "double", char *: "text", default: "other")

_Static_assert(sizeof(long) == 8, "long");

struct aligned {
	char c;
	alignas(32) int v[3];
};

static inline int twice(int n)
{
	return n * 2;
}

static _Noreturn void finish(int status)
{
	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(2); k++)
			printf("%d", i + k);
	putchar('\n');
	exit(status);
}

int main(void)
{
	struct aligned a = {'a', {1, 2, 3}};
	alignas(64) unsigned char line[64];
	uint64_t h = SUM_START;

	for (int i = 0; i < some(8); i++) {
		memset(line, i, sizeof line);
		a.v[i % 3] += twice(i) + line[63];
		h = mix(h, (uint64_t)a.v[(i + 1) % 3]);
		h = mix(h, (uintptr_t)line % 64 + (uintptr_t)a.v % 32);
	}
	printf("%s %s %s %s %zu\n", NAME(1), NAME(2.5), NAME((char *)line), NAME(h),
	       offsetof(struct aligned, v));
	show("aligned", h);
	finish(4);
}
