/* Compound literals: pointers to them kept over loops, arrays, structs, nested, as arguments. */
#include "sum.h"

struct vec {
	double x, y;
	const int *steps;
};

static const int *constant = (const int[]){3, 1, 4, 1, 5, 9, 2, 6};

static double sum(const struct vec *v, int n)
{
	double s = 0;

	for (int i = 0; i < n; i++)
		s += v[i].x * v[i].y + v[i].steps[i % 3];
	return s;
}

static struct vec turn(struct vec v)
{
	return (struct vec){-v.y, v.x + 0.5, v.steps};
}

int main(void)
{
	struct vec *here = &(struct vec){1, 2, (int[]){7, 8, 9}};
	int *counts = (int[8]){[2] = 5, [7] = 1};
	uint64_t h = SUM_START;

	for (int i = 0; i < some(24); i++) {
		*here = turn(*here);
		counts[i % 8] += constant[(i + 3) % 8];
		h = mixd(h, sum((struct vec[]){*here, {i, 1, counts}, {2, i, constant}}, some(3)));
	}
	printf("%g %g %d\n", here->x, here->y, here->steps[2]);
	for (int i = 0; i < some(8); i++)
		printf("%d ", counts[i]);
	putchar('\n');
	show("sums", h);
	return 0;
}
