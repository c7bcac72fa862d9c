/* qsort and bsearch with callbacks: ones that loop, recurse, count, and sort inside a sort. */
#include "sum.h"

#include <stdlib.h>

struct row {
	int v[4];
	char name[8];
};

static int calls;

static int by_int(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	calls++;
	return (x > y) - (x < y);
}

static int by_name(const void *a, const void *b)
{
	const char *x = ((const struct row *)a)->name, *y = ((const struct row *)b)->name;
	int d = 0;

	for (int i = 0; i < some(8) && !d && (x[i] || y[i]); i++)
		d = x[i] - y[i];
	return d;
}

static int digits(int n)
{
	return n < 10 ? n : digits(n / 10) + n % 10;
}

/* Sorts copies of both rows to compare their middles: a sort within a sort. */
static int by_middle(const void *a, const void *b)
{
	struct row x = *(const struct row *)a, y = *(const struct row *)b;

	qsort(x.v, 4, sizeof(int), by_int);
	qsort(y.v, 4, sizeof(int), by_int);
	if (x.v[1] + x.v[2] != y.v[1] + y.v[2])
		return x.v[1] + x.v[2] - y.v[1] - y.v[2];
	return digits(x.v[3]) - digits(y.v[3]);
}

int main(void)
{
	struct row rows[10];
	unsigned int x = 5;
	int ints[40], key;

	for (int i = 0; i < some(40); i++)
		ints[i] = (int)((x = x * 1103515245u + 12345u) >> 18);
	qsort(ints, 40, sizeof(int), by_int);
	for (int i = 0; i < some(10); i++) {
		for (int k = 0; k < 4; k++)
			rows[i].v[k] = ints[(i * 13 + k * 7) % 40];
		snprintf(rows[i].name, sizeof(rows[i].name), "r%d", i * 7 % 10);
	}
	qsort(rows, 10, sizeof(rows[0]), by_name);
	for (int i = 0; i < some(10); i++)
		printf("%s ", rows[i].name);
	qsort(rows, 10, sizeof(rows[0]), by_middle);
	for (int i = 0; i < some(10); i++)
		printf("%s:%d ", rows[i].name, rows[i].v[2]);
	putchar('\n');
	for (int i = 0; i < some(10); i++) {
		int *at;

		key = ints[i * 4] + (i & 1);
		at = bsearch(&key, ints, 40, sizeof(int), by_int);
		printf("%td ", at ? at - ints : -1);
	}
	printf("\n%d compared\n", calls > 100);
	return 0;
}
