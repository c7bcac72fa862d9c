/* Heat on a square plate: a stencil over two grids that are swapped by pointer. */
#include "sum.h"

#define N 12

static double grid[2][N][N];

int main(void)
{
	double(*now)[N] = grid[0], (*next)[N] = grid[1], change = 0;

	for (int i = 0; i < some(N); i++) {
		now[0][i] = next[0][i] = 100.0;
		now[i][0] = next[i][0] = 50.0 - i;
	}
	for (int t = 0; t < some(24); t++) {
		double(*swap)[N] = now;

		change = 0;
		for (int i = 1; i < N - 1; i++)
			for (int j = 1; j < N - 1; j++) {
				double v = 0.25 * (now[i - 1][j] + now[i + 1][j] + now[i][j - 1] +
						   now[i][j + 1]);
				double d = v - now[i][j];

				change += d < 0 ? -d : d;
				next[i][j] = v;
			}
		now = next;
		next = swap;
		if (t % 8 == 7)
			printf("%d %.17g %.17g\n", t, change, now[N / 2][N / 2]);
	}
	uint64_t h = SUM_START;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			h = mixd(h, now[i][j]);
	show("grid", h);
	return 0;
}
