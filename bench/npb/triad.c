/*
 * The machine's memory bandwidth for one thread: a[i] = b[i] + s * c[i] over arrays far larger than
 * any cache. Prints bytes a second (24 a element, as STREAM counts), the best of its sweeps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(void)
{
	const size_t n = (size_t)1 << 25;
	double *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b), *c = calloc(n, sizeof *c);
	double best = 1e9;
	if (!a || !b || !c)
		return 1;
	for (size_t i = 0; i < n; i++)
		b[i] = (double)i, c[i] = 1.0;
	for (int sweep = 0; sweep < 8; sweep++) {
		double from = now();
		for (size_t i = 0; i < n; i++)
			a[i] = b[i] + 3.0 * c[i];
		double took = now() - from;
		if (took < best)
			best = took;
	}
	printf("%.0f\n", 24.0 * (double)n / best);
	return a[n / 2] > 0 ? 0 : 1;
}
