/* Matrix product: three counted loops, the inner one vectorised. Argument: products. */
#include <stdio.h>
#include <stdlib.h>

#define N 256

static double a[N][N], b[N][N], c[N][N];

static void multiply(void)
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++)
			c[i][j] = 0;
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				c[i][j] += a[i][k] * b[k][j];
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 80;
	double trace = 0;

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = (i * 7 + j) % 11 / 16.0;
			b[i][j] = (i + j * 5) % 13 / 16.0;
		}
	for (int r = 0; r < rounds; r++) {
		multiply();
		trace += c[r % N][r % N];
		a[r % N][r % N] += 0.5;
	}
	printf("%.17g\n", trace);
	return 0;
}
