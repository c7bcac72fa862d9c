/* GCC vectors live across points: arithmetic, comparison, subscripts, by value, of several widths.
 */
#include "sum.h"

typedef float v4f __attribute__((vector_size(16)));
typedef int v4i __attribute__((vector_size(16)));
typedef double v2d __attribute__((vector_size(16)));
typedef unsigned char v16b __attribute__((vector_size(16)));
typedef short v4s __attribute__((vector_size(8)));

static v4f scale(v4f v, float by)
{
	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(1); k++)
			v = v * by + (float)i;
	return v;
}

static uint64_t lanes(uint64_t h, v4i v)
{
	for (int i = 0; i < 4; i++)
		h = mix(h, (unsigned)v[i]);
	return h;
}

int main(void)
{
	uint64_t h = SUM_START;
	v4f f = {1, 2, 3, 4};
	v4i n = {1, -2, 3, -4};
	v2d d = {0.5, 2};
	v16b b = {0};
	v4s s = {1, 2, 3, 4};

	for (int i = 0; i < some(8); i++) {
		f = scale(f, 0.75f);
		n = n * 3 + (f > 2.0f);
		d = d * d + 0.125;
		d[i % 2] /= 8;
		b[i % 16] = (unsigned char)(b[(i + 7) % 16] + 3 * i);
		b ^= b + 1;
		s += (v4s){(short)i, 1, 2, 3};
		h = lanes(h, n);
	}
	for (int i = 0; i < 4; i++)
		h = mixd(mix(h, (unsigned)s[i]), (double)f[i]);
	h = mixd(mixd(h, d[0]), d[1]);
	for (int i = 0; i < 16; i++)
		h = mix(h, b[i]);
	show("vectors", h);
	return 0;
}
