/* Variable-length arrays of two dimensions as locals, parameters and through pointers to them. */
#include "sum.h"

static double trace(int n, int m, double a[n][m])
{
	double sum = 0;

	for (int i = 0; i < n && i < m; i++)
		for (int k = 0; k < some(2); k++)
			sum += a[i][i] / (k + 1);
	return sum;
}

static double product(int n, int m)
{
	double a[n][m], b[m][n], c[n][n];
	double(*row)[m] = a;

	for (int i = 0; i < n; i++)
		for (int k = 0; k < m; k++) {
			row[i][k] = i + k * 0.5;
			b[k][i] = i - k * 0.25;
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			c[i][j] = 0;
			for (int k = 0; k < m; k++)
				c[i][j] += a[i][k] * b[k][j];
		}
	return trace(n, n, c) + (double)sizeof c;
}

static int nested(int n)
{
	int sum = 0;

	for (int i = 1; i <= n; i++) {
		int v[i];
		for (int k = 0; k < i; k++)
			v[k] = k * i;
		for (int k = 0; k < some(i); k++)
			sum += v[k] + (int)(sizeof v / sizeof *v);
	}
	return sum;
}

int main(void)
{
	for (int i = 1; i < 5; i++)
		printf("%.4f %d\n", product(some(i), i + 2), nested(i * 2));
	return 0;
}
