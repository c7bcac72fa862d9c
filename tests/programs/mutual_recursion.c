/* Functions that call each other in a ring, some through pointers, with values kept on each level.
 */
#include "sum.h"

struct level {
	double weight;
	int depth;
	struct level *up;
};

typedef uint64_t step(int n, struct level *up, uint64_t h);
static step first, second, third;
static step *const ring[] = {first, second, third};

static uint64_t first(int n, struct level *up, uint64_t h)
{
	struct level here = {n * 0.5, n, up};

	if (n == 0) {
		for (struct level *l = &here; l; l = l->up)
			h = mixd(mix(h, (uint64_t)l->depth), l->weight);
		return h;
	}
	h = second(n - 1, &here, h);
	return mixd(h, here.weight);
}

static uint64_t second(int n, struct level *up, uint64_t h)
{
	struct level here = {n * 0.25, n * 2, up};

	h = ring[n % 2 ? 2 : 0](n, &here, mix(h, 2));
	return mix(h, (uint64_t)here.depth + (uint64_t)n);
}

static uint64_t third(int n, struct level *up, uint64_t h)
{
	h = first(n ? n - 1 : 0, up, h);
	return mix(h, (uint64_t)(up->depth * 3 + n));
}

int main(void)
{
	for (int i = 0; i < 5; i++)
		show("ring", first(i * 3, NULL, SUM_START));
	return 0;
}
