/*
 * NPB's FT with its transforms done by FFTW: the peer of workloads/npb/ft. Same steps and sizes:
 * initial field of random numbers, one forward transform, then for each iteration the decay, an
 * inverse transform and the checksum. Prints the last checksum and the processor time of what NPB
 * times.
 */
#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "workloads/npb/common/lcg.h"

static const struct size {
	char class;
	int nx, ny, nz, iterations;
} sizes[] = {{'S', 64, 64, 64, 6}, {'W', 128, 128, 32, 6}, {'A', 256, 256, 128, 6}};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* exp(-4 alpha pi^2 k^2) of each point for one step, k folded to -n/2 .. n/2. */
static void fill_decay(double *decay, const struct size *s)
{
	const double ap = -4.0e-6 * M_PI * M_PI;
	size_t at = 0;
	for (int z = 0; z < s->nz; z++)
		for (int y = 0; y < s->ny; y++)
			for (int x = 0; x < s->nx; x++) {
				int kx = (x + s->nx / 2) % s->nx - s->nx / 2;
				int ky = (y + s->ny / 2) % s->ny - s->ny / 2;
				int kz = (z + s->nz / 2) % s->nz - s->nz / 2;
				decay[at++] = exp(ap * (double)(kx * kx + ky * ky + kz * kz));
			}
}

static double complex checksum(const fftw_complex *u, const struct size *s)
{
	double complex sum = 0;
	for (long j = 1; j <= 1024; j++)
		sum += u[(5 * j % s->nz * s->ny + 3 * j % s->ny) * s->nx + j % s->nx];
	return sum / ((double)s->nx * s->ny * s->nz);
}

int main(int argc, char **argv)
{
	const struct size *s = NULL;
	for (size_t i = 0; argc > 1 && i < sizeof sizes / sizeof *sizes; i++)
		if (sizes[i].class == argv[1][0])
			s = &sizes[i];
	if (!s)
		return 2;
	size_t n = (size_t)s->nx * (size_t)s->ny * (size_t)s->nz;
	fftw_complex *u0 = fftw_alloc_complex(n), *u1 = fftw_alloc_complex(n);
	double *decay = malloc(n * sizeof *decay);
	if (!u0 || !u1 || !decay)
		return 3;
	fftw_plan forward =
		fftw_plan_dft_3d(s->nz, s->ny, s->nx, u0, u0, FFTW_FORWARD, FFTW_MEASURE);
	fftw_plan inverse =
		fftw_plan_dft_3d(s->nz, s->ny, s->nx, u1, u1, FFTW_BACKWARD, FFTW_MEASURE);

	double from = now();
	uint64_t seed = 314159265;
	fill_decay(decay, s);
	npb_vranlc(2 * n, &seed, NPB_LCG_A, (double *)u0);
	fftw_execute(forward);
	double complex sum = 0;
	for (int i = 0; i < s->iterations; i++) {
		for (size_t k = 0; k < n; k++) {
			u0[k] *= decay[k];
			u1[k] = u0[k];
		}
		fftw_execute(inverse);
		sum = checksum(u1, s);
	}
	double took = now() - from;
	printf("%.12e %.12e\n%.4f\n", creal(sum), cimag(sum), took);
	return 0;
}
