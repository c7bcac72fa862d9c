/* Overflow builtins, bit counts, byte swaps, rotations, saturating sums of every width. */
#include "sum.h"

static uint64_t h = SUM_START;

static int saturate(int a, int b)
{
	int r;

	return __builtin_add_overflow(a, b, &r) ? (a < 0 ? INT32_MIN : INT32_MAX) : r;
}

static void widths(uint64_t v)
{
	uint8_t b;
	int16_t s;
	uint32_t w = (uint32_t)v;
	int64_t l;

	h = mix(h, __builtin_mul_overflow((uint8_t)v, 3, &b) + 2u * b);
	h = mix(h, (uint64_t)(__builtin_sub_overflow((int16_t)v, 30000, &s) + 2 * s));
	h = mix(h, (uint64_t)__builtin_mul_overflow((int64_t)v, (int64_t)v, &l) + (uint64_t)l);
	h = mix(h, (uint64_t)__builtin_popcountll(v) + (v ? (uint64_t)__builtin_clzll(v) : 64));
	h = mix(h, __builtin_bswap64(v) ^ __builtin_bswap32(w));
	h = mix(h, (w << (v & 31)) | (w >> (-(unsigned)v & 31)));
}

int main(void)
{
	uint64_t v = 0x123456789abcdefu;
	int sum = some(2000000000);

	for (int i = 0; i < some(40); i++) {
		widths(v);
		v = v * 6364136223846793005u + 1442695040888963407u;
		sum = saturate(sum, i % 3 ? 12345678 : -1);
	}
	show("widths", h);
	printf("%d\n", sum);
	return 0;
}
