/* _Complex float and double: locals over loops, arguments, results, arrays, a small transform. */
#include "sum.h"

#include <complex.h>

#define N 8

static double complex square(double complex z, double complex c)
{
	return z * z + c;
}

static float complex turn(float complex z, int n)
{
	for (int i = 0; i < n; i++)
		z = z * (0.5f + 0.5f * I) + 1.0f;
	return z;
}

/* A transform by the definition; the powers of the root are exact multiples of an eighth turn. */
static void transform(const double complex *in, double complex *out, int n)
{
	static const double part[8] = {1,  0.70710678118654752,  0, -0.70710678118654752,
				       -1, -0.70710678118654752, 0, 0.70710678118654752};

	for (int k = 0; k < n; k++) {
		double complex s = 0;

		for (int j = 0; j < n; j++)
			s += in[j] * (part[j * k % 8] - I * part[(j * k + 6) % 8]);
		out[k] = s;
	}
}

int main(void)
{
	double complex z = 0.1 + 0.2 * I, v[N], w[N];
	float complex f = turn(1.0f + 2.0f * I, some(9));

	for (int i = 0; i < some(20); i++) {
		z = square(z, -0.4 + 0.6 * I);
		if (i % 5 == 4)
			printf("%.17g %.17g\n", creal(z), cimag(z));
	}
	printf("%.9g %.9g\n", (double)crealf(f), (double)cimagf(f));
	for (int i = 0; i < some(N); i++)
		v[i] = i + z * (N - i);
	transform(v, w, some(N));
	for (int i = 0; i < some(N); i++)
		printf("%.12g %.12g\n", creal(w[i]), cimag(w[i]));
	printf("%d\n", cabs(conj(z) - creal(z) + cimag(z) * I) < 1e-12);
	return 0;
}
