/*
 * Complex transforms whose length is a power of two, FT_BLOCK of them side by side.
 *
 * Stockham's self-sorting form, radix 4 with one pass of radix 2 at the end for odd powers (Swarz-
 * trauber, FFT algorithms for vector computers, Parallel Computing 1, 1984). Real and imaginary
 * parts are apart and transforms interleaved, so that the innermost loop runs over `stride`
 * neighbours with the same roots, whatever the pass. A backward transform is a forward one with
 * real and imaginary parts changed over.
 */
#include "workloads/npb/ft/ft.h"

#include <math.h>

void ft_plan_make(struct ft_plan *p, size_t n)
{
	const double pi = 3.141592653589793238;

	p->n = n;
	for (size_t k = 0; k < n; k++) {
		double angle = 2.0 * pi * (double)k / (double)n;

		p->re[k] = cos(angle);
		p->im[k] = -sin(angle);
	}
}

/* The longest run of neighbours with the same root. A loop that is known to be short is left
 * without migration points. */
static const size_t longest = FT_SIDE_MAX / 4 * FT_BLOCK;

struct root {
	double re, im;
};

static inline struct root root_of(const struct ft_plan *p, size_t k)
{
	return (struct root){p->re[k], p->im[k]};
}

/* The four quarters of a sequence of length 4 * quarter to four neighbours, for one root: its first
 * three powers. */
static inline void butterfly(const double *restrict xr, const double *restrict xi,
			     double *restrict yr, double *restrict yi, size_t quarter,
			     size_t stride, struct root w1, struct root w2, struct root w3)
{
	size_t from = quarter * stride;
	size_t n = stride < longest ? stride : longest;

	for (size_t q = 0; q < n; q++) {
		double ar = xr[q], ai = xi[q];
		double br = xr[q + from], bi = xi[q + from];
		double cr = xr[q + 2 * from], ci = xi[q + 2 * from];
		double dr = xr[q + 3 * from], di = xi[q + 3 * from];
		double spr = ar + cr, spi = ai + ci, smr = ar - cr, smi = ai - ci;
		double tpr = br + dr, tpi = bi + di, tmr = br - dr, tmi = bi - di;
		double er = smr + tmi, ei = smi - tmr, fr = spr - tpr, fi = spi - tpi;
		double gr = smr - tmi, gi = smi + tmr;

		yr[q] = spr + tpr;
		yi[q] = spi + tpi;
		yr[q + stride] = er * w1.re - ei * w1.im;
		yi[q + stride] = er * w1.im + ei * w1.re;
		yr[q + 2 * stride] = fr * w2.re - fi * w2.im;
		yi[q + 2 * stride] = fr * w2.im + fi * w2.re;
		yr[q + 3 * stride] = gr * w3.re - gi * w3.im;
		yi[q + 3 * stride] = gr * w3.im + gi * w3.re;
	}
}

/* A part of its only caller: the compiler knows there of which numbers the stride is a multiple. */
static inline __attribute__((always_inline)) void
pass4(const struct ft_plan *p, const double *restrict xr, const double *restrict xi,
      double *restrict yr, double *restrict yi, size_t n, size_t stride)
{
	size_t step = p->n / n;

	for (size_t k = 0; k < n / 4; k++) {
		size_t in = k * stride, out = 4 * k * stride, at = k * step;

		butterfly(xr + in, xi + in, yr + out, yi + out, n / 4, stride, root_of(p, at),
			  root_of(p, 2 * at), root_of(p, 3 * at));
	}
}

/* The last pass of an odd power: sums and differences, no roots. */
static void pass2(const double *restrict xr, const double *restrict xi, double *restrict yr,
		  double *restrict yi, size_t stride)
{
	for (size_t q = 0; q < stride; q++) {
		yr[q] = xr[q] + xr[q + stride];
		yi[q] = xi[q] + xi[q + stride];
		yr[q + stride] = xr[q] - xr[q + stride];
		yi[q + stride] = xi[q] - xi[q + stride];
	}
}

int ft_transform(const struct ft_plan *p, struct ft_room *room, bool backward)
{
	double *re[2], *im[2];
	size_t n = p->n, stride = FT_BLOCK;
	int side = 0;

	for (int i = 0; i < 2; i++) {
		re[i] = backward ? room->side[i].im : room->side[i].re;
		im[i] = backward ? room->side[i].re : room->side[i].im;
	}
	for (; n >= 4; n /= 4, stride *= 4, side ^= 1)
		pass4(p, re[side], im[side], re[side ^ 1], im[side ^ 1], n, stride);
	if (n == 2) {
		pass2(re[side], im[side], re[side ^ 1], im[side ^ 1], stride);
		side ^= 1;
	}
	return side;
}
