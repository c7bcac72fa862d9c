/* Blocks of pseudorandom numbers and jumps in their sequence; see lcg.h. */
#include "workloads/npb/common/lcg.h"

/*
 * Four interleaved streams of multiplier a^4 give the very sequence of one stream of multiplier a,
 * without each number waiting for the product before it.
 */
void npb_vranlc(size_t n, uint64_t *x, uint64_t a, double *y)
{
	uint64_t a2 = npb_lcg_next(a, a);
	uint64_t a4 = npb_lcg_next(a2, a2);
	uint64_t s0 = npb_lcg_next(*x, a);
	uint64_t s1 = npb_lcg_next(s0, a);
	uint64_t s2 = npb_lcg_next(s1, a);
	uint64_t s3 = npb_lcg_next(s2, a);
	size_t whole = n / 4 * 4;
	uint64_t last = *x;

	for (size_t i = 0; i < whole; i += 4) {
		y[i] = npb_lcg_real(s0);
		y[i + 1] = npb_lcg_real(s1);
		y[i + 2] = npb_lcg_real(s2);
		y[i + 3] = npb_lcg_real(s3);
		last = s3;
		s0 = npb_lcg_next(s0, a4);
		s1 = npb_lcg_next(s1, a4);
		s2 = npb_lcg_next(s2, a4);
		s3 = npb_lcg_next(s3, a4);
	}
	for (size_t i = whole; i < n; i++)
		y[i] = npb_randlc(&last, a);
	*x = last;
}

uint64_t npb_lcg_skip(uint64_t x, uint64_t a, uint64_t n)
{
	for (; n; n >>= 1) {
		if (n & 1)
			x = npb_lcg_next(x, a);
		a = npb_lcg_next(a, a);
	}
	return x;
}
