/* Arrays of a size known only at run time, made and left in loops, by break, continue and goto, and
 * their addresses kept while they live. */
#include "sum.h"

#include <stdlib.h>

static uint64_t inside(int n, int (*grid)[n])
{
	uint64_t h = SUM_START;

	for (int i = 0; i < n; i++)
		h = mix(h, (uint64_t)grid[i][n - 1 - i]);
	return h;
}

static uint64_t of(int n)
{
	uint64_t h = SUM_START;

	for (int i = 1; i <= n; i++) {
		int line[i], grid[i][i], *last = &line[i - 1];

		for (int k = 0; k < i; k++) {
			line[k] = k * i;
			for (int j = 0; j < i; j++)
				grid[k][j] = k - j * 2;
		}
		if (i == 3)
			continue;
		printf("%d %d %zu\n", i, *last, sizeof(grid));
		h = mix(h, inside(i, grid));
		*last += 1;
		if (i == n - 1)
			goto out;
		{
			char text[i * 10];

			snprintf(text, sizeof(text), "%d:%d", i, line[i - 1]);
			h = mixs(h, text);
		}
	}
out:
	return h;
}

int main(void)
{
	for (int i = 2; i < some(7); i += 2)
		show("of", of(i));
	return 0;
}
