/* Matrix product in double: three nested loops, a running sum, static and local matrices. */
#include "sum.h"

#define N 5

static double a[N][N], b[N][N];

static void multiply(double c[N][N], int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			double s = 0;

			for (int k = 0; k < n; k++)
				s += a[i][k] * b[k][j];
			c[i][j] = s;
		}
}

int main(void)
{
	double c[N][N], trace = 0;
	uint64_t h = SUM_START;
	int n = some(N);

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			a[i][j] = 1.0 / (i + j + 1);
			b[i][j] = (i * 7 + j * 3) % 11 - 5.0;
		}
	for (int round = 0; round < some(3); round++) {
		multiply(c, n);
		for (int i = 0; i < n; i++) {
			trace += c[i][i];
			for (int j = 0; j < n; j++) {
				a[i][j] = c[i][j] * 0.25;
				h = mixd(h, c[i][j]);
			}
		}
		printf("%.17g\n", trace);
	}
	show("c", h);
	return 0;
}
