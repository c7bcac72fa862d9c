/* 128-bit integers: arithmetic, shifts, comparison, as arguments, results, members and elements. */
#include "sum.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

struct wide {
	char tag;
	u128 value;
};

static void print(const char *what, u128 v)
{
	char text[40], *p = text + sizeof(text) - 1;

	*p = '\0';
	do
		*--p = (char)('0' + (int)(v % 10));
	while (v /= 10);
	printf("%s %s\n", what, p);
}

static u128 power(u128 base, int n, u128 mod)
{
	u128 r = 1;

	for (; n > 0; n >>= 1) {
		if (n & 1)
			r = r * base % mod;
		base = base * base % mod;
	}
	return r;
}

static s128 zigzag(s128 x, int n)
{
	if (n == 0)
		return x;
	return zigzag(-x / 3 * 5 + n, n - 1) - x;
}

int main(void)
{
	u128 f = 1, table[4] = {1, 2, 3, 4};
	struct wide w = {'w', (u128)1 << 100};
	s128 z;

	for (int i = 1; i <= some(33); i++) {
		f *= (unsigned int)i;
		table[i % 4] ^= f >> (i % 64);
		w.value = (w.value << 3 | w.value >> 125) + (u128)table[(i + 1) % 4];
		w.tag = (char)(w.tag + (w.value > f ? 1 : -1));
	}
	print("33!", f);
	print("power", power(table[0] % 1000003, some(77777), (u128)1 << 61));
	print("wide", w.value);
	z = zigzag((s128)1 << 70, some(12));
	print(z < 0 ? "minus" : "plus", (u128)(z < 0 ? -z : z));
	printf("%c %d\n", w.tag, (int)(table[2] >> 64 & 0xff));
	return 0;
}
