/* long double in locals, arrays, structs, arguments and results; its values fit every format of it.
 */
#include "sum.h"

struct point {
	long double x;
	int n;
	long double y;
};

static long double horner(const long double *c, int n, long double x)
{
	long double r = 0;

	for (int i = n - 1; i >= 0; i--)
		r = r * x + c[i];
	return r;
}

static long double deep(long double x, int n)
{
	long double half = x / 2;

	return n == 0 ? x : deep(half, n - 1) + half;
}

static struct point move(struct point p, long double by, int n)
{
	for (int i = 0; i < n; i++) {
		p.x += by;
		p.y -= by * 0.25L;
		p.n++;
	}
	return p;
}

int main(void)
{
	long double c[6] = {1, -2, 3, -4, 5, -6}, sum = 0;
	struct point p = {1.5L, 0, -0.5L};

	for (int i = 0; i < some(10); i++) {
		sum += horner(c, some(6), 0.5L * i);
		printf("%d %.6Lf %lld\n", i, sum, (long long)sum);
	}
	printf("%.12Lf\n", deep(1024.0L, some(12)));
	p = move(p, 0.125L, some(16));
	printf("%.6Lf %d %.6Lf\n", p.x, p.n, p.y);
	printf("%d %g\n", sum < p.x, (double)(p.x * p.y));
	return 0;
}
