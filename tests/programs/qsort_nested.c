/* qsort in the callback of qsort in the callback of bsearch: library code re-entered. */
#include "sum.h"

#include <stdlib.h>

static int depth, deepest;

static int plain(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static int by_sorted(const void *a, const void *b)
{
	int v[6], w[6];

	if (++depth > deepest)
		deepest = depth;
	for (int i = 0; i < 6; i++) {
		v[i] = (*(const int *)a * (i + 3)) % 11;
		w[i] = (*(const int *)b * (i + 3)) % 11;
	}
	qsort(v, 6, sizeof *v, plain);
	qsort(w, 6, sizeof *w, plain);
	depth--;
	for (int i = 0; i < 6; i++)
		if (v[i] != w[i])
			return v[i] - w[i];
	return *(const int *)a - *(const int *)b;
}

static int find(const void *key, const void *element)
{
	return by_sorted(key, element);
}

int main(void)
{
	int v[9];

	for (int i = 0; i < 9; i++)
		v[i] = (i * 5 + 2) % 13;
	qsort(v, 9, sizeof *v, by_sorted);
	for (int i = 0; i < 9; i++)
		printf("%d ", v[i]);
	int key = 7;
	int *p = bsearch(&key, v, 9, sizeof *v, find);
	printf("\n%d deep %d\n", p ? (int)(p - v) : -1, deepest);
	return 0;
}
