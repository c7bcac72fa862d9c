/* Division, remainder, shifts and comparison of every width, signed and unsigned. */
#include "sum.h"

#include <limits.h>

int main(void)
{
	uint64_t u = UINT64_C(0xfedcba9876543210), h = SUM_START;
	long long s = LLONG_MIN / 3;
	unsigned int w = 4000000007u;
	int i32 = -2000000011;
	short i16 = -12345;
	unsigned char u8 = 251;

	for (int i = 1; i <= some(40); i++) {
		uint64_t d = (u >> (i % 60)) | 1;

		u = u / (uint64_t)i * 3 + u % d;
		s = s / (i + 1) * 5 - s % (i * 7 + 1) - (long long)(u >> 3);
		w = w / (unsigned int)(i % 5 + 1) + w % 1000003u + (unsigned int)(u & 0xffff);
		i32 = i32 / (i % 3 + 1) - i32 % 77 + i;
		i16 = (short)(i16 / 2 * 3 % 30000);
		u8 = (unsigned char)(u8 * 3 / 2 + (s < 0) + (u > (uint64_t)INT64_MAX));
		h = mix(mix(mix(h, u), (uint64_t)s), w);
		h = mix(mix(mix(h, (uint64_t)(int64_t)i32), (uint64_t)(int64_t)i16), u8);
		if (i % 8 == 0)
			printf("%llu %lld %u %d %d %u\n", (unsigned long long)u, s, w, i32, i16,
			       u8);
		s = s > LLONG_MAX / 8 || s < LLONG_MIN / 8 ? s / 16 : s;
		i32 = i32 > INT_MAX / 4 ? i32 / 8 : i32;
	}
	show("all", h);
	return 0;
}
