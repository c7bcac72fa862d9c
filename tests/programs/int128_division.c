/* 128-bit division, remainder, shifts and conversion, with values live across points. */
#include "sum.h"

typedef unsigned __int128 wide;

static void print(const char *what, wide v)
{
	char text[48];
	int n = 47;

	text[n] = '\0';
	do {
		text[--n] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v);
	printf("%s %s\n", what, text + n);
}

static wide power(wide base, unsigned n, wide modulus)
{
	wide r = 1;

	for (; n; n >>= 1) {
		if (n & 1)
			r = r * base % modulus;
		base = base * base % modulus;
	}
	return r;
}

int main(void)
{
	wide f = 1;
	__int128 s = -1;

	for (unsigned i = 1; i <= 30; i++)
		f *= i;
	print("30!", f);
	print("power", power(3, (unsigned)some(200), ((wide)1 << 61) - 1));
	for (int i = 0; i < some(6); i++)
		for (int k = 0; k < some(1); k++)
			s = s * -1000003 + some(i);
	print("signed", (wide)(s < 0 ? -s : s));
	print("shift", f >> some(37) ^ f << some(5));
	printf("%.6e %lld\n", (double)f, (long long)(s % 1000007));
	return 0;
}
