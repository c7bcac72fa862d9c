/* GCC vectors in structures, as arguments and results, in arrays, through unions, live across
 * points. */
#include "sum.h"

typedef int v4 __attribute__((vector_size(16)));
typedef double d2 __attribute__((vector_size(16)));
typedef unsigned char b16 __attribute__((vector_size(16)));
struct body {
	v4 place;
	d2 speed;
	int id;
};
union bytes {
	v4 v;
	b16 b;
};

static struct body move(struct body b, v4 by)
{
	b.place += by * b.id;
	b.speed = b.speed * 0.5 + (d2){by[0], by[3]};
	return b;
}

static v4 fold(int n, v4 x)
{
	return n ? fold(n - 1, x + (v4){n, -n, n * 2, 1}) ^ x : x;
}

int main(void)
{
	struct body all[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
	v4 by = {1, 2, 3, 4};
	uint64_t h = SUM_START;

	for (int i = 0; i < some(8); i++) {
		struct body *b = &all[i % 3];
		union bytes u;

		*b = move(*b, by);
		by = fold(i % 4, by) & 0xfff;
		u.v = b->place > by;
		printf("%d %d %d\n", i, by[0], b->place[2]);
		h = mixd(mixd(h, b->speed[0]), b->speed[1]);
		for (int k = 0; k < 4; k++)
			h = mix(h, (uint64_t)(by[k] + b->place[k]) + u.b[k * 4]);
	}
	show("vectors", h);
	return 0;
}
