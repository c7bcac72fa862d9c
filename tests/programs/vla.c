/* Arrays of variable length: sizes that change per round, two-dimensional, as parameters, by
 * recursion. */
#include "sum.h"

static long total(int rows, int cols, long m[rows][cols])
{
	long s = 0;

	for (int i = 0; i < rows; i++)
		for (int j = 0; j < cols; j++)
			s += m[i][j] * (i + 1) - j;
	return s;
}

static long nested(int n, const long *outer, int len)
{
	long mine[n + 1];

	mine[0] = 0;
	for (int i = 0; i <= n; i++)
		mine[i] = outer ? outer[i % len] + i : i * i;
	if (n > 1)
		mine[0] += nested(n - 1, mine, n + 1);
	for (int i = 1; i <= n; i++)
		mine[0] ^= mine[i] << (i % 5);
	return mine[0];
}

int main(void)
{
	uint64_t h = SUM_START;

	for (int n = 1; n < some(8); n++) {
		long m[n][n + 2];
		char label[n * 4];

		for (int i = 0; i < n; i++)
			for (int j = 0; j < n + 2; j++)
				m[i][j] = i * 10 + j;
		snprintf(label, sizeof(label), "size %d of the array", n);
		h = mix(h, (uint64_t)total(n, n + 2, m));
		printf("%s %zu %ld\n", label, sizeof(m), total(n, n + 2, m));
	}
	printf("%ld\n", nested(some(8), NULL, 0));
	show("vla", h);
	return 0;
}
