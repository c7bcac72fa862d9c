/* Quicksort: recursion around data-dependent loops. Argument: rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 500000

static uint32_t v[N];

static void quick(uint32_t *p, long n)
{
	long i = 0, j = n - 1;
	uint32_t pivot = p[n / 2];

	while (i <= j) {
		while (p[i] < pivot)
			i++;
		while (p[j] > pivot)
			j--;
		if (i <= j) {
			uint32_t t = p[i];

			p[i++] = p[j];
			p[j--] = t;
		}
	}
	if (j > 0)
		quick(p, j + 1);
	if (i < n - 1)
		quick(p + i, n - i);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 12;
	uint32_t x = 1, sum = 0;

	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < N; i++)
			v[i] = x = x * 1664525u + 1013904223u;
		quick(v, N);
		sum += v[r * 1000];
	}
	printf("%u\n", sum);
	return 0;
}
