/*
 * The pseudorandom numbers of the NAS Parallel Benchmarks.
 *
 * x(k+1) = a * x(k) mod 2^46, a number in (0, 1) being x * 2^-46 (NAS-91-002, section 2.3). The
 * specification carries it out in double precision halves; the same residues come out of unsigned
 * 64-bit arithmetic, because 2^46 divides 2^64, and every x is exact in a double.
 */
#ifndef NPB_LCG_H
#define NPB_LCG_H

#include <stddef.h>
#include <stdint.h>

#define NPB_LCG_BITS 46
#define NPB_LCG_MASK ((UINT64_C(1) << NPB_LCG_BITS) - 1)
#define NPB_LCG_A    UINT64_C(1220703125) /* 5^13, the multiplier of every kernel */

/* The next state after x. */
static inline uint64_t npb_lcg_next(uint64_t x, uint64_t a)
{
	return (x * a) & NPB_LCG_MASK;
}

/* The number in (0, 1) that a state stands for. */
static inline double npb_lcg_real(uint64_t x)
{
	return (double)(int64_t)x * 0x1p-46;
}

/* randlc: advances *x and returns its number in (0, 1). */
static inline double npb_randlc(uint64_t *x, uint64_t a)
{
	*x = npb_lcg_next(*x, a);
	return npb_lcg_real(*x);
}

/* vranlc: the next n numbers into y; *x is left at the last state. */
void npb_vranlc(size_t n, uint64_t *x, uint64_t a, double *y);

/* The state n steps after x (a^n by repeated squaring: O(log n)). */
uint64_t npb_lcg_skip(uint64_t x, uint64_t a, uint64_t n);

#endif
