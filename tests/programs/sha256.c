/* SHA-256 (FIPS 180-4): rotations, a schedule on the stack, many 32-bit values alive at once. */
#include "sum.h"

struct sha {
	uint32_t h[8];
	unsigned char block[64];
	uint64_t length;
};

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static uint32_t k[64], start[8];

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* Integer roots by bisection: floor(root of degree `degree` of p * 2^(32 * degree)) mod 2^32. */
static uint32_t root(unsigned int p, int degree)
{
	uint64_t lo = 0, hi = UINT64_C(1) << 37;

	while (hi - lo > 1) {
		uint64_t mid = (lo + hi) / 2;
		unsigned __int128 q = (unsigned __int128)mid * mid;
		unsigned __int128 want = (unsigned __int128)p << 64;
		int below = degree == 2 ? q <= want : q / 16 * mid <= (want << 28);

		*(below ? &lo : &hi) = mid;
	}
	return (uint32_t)lo;
}

static void constants(void)
{
	int n = 0;

	for (unsigned int p = 2; n < 64; p++) {
		unsigned int d = 2;

		while (d * d <= p && p % d)
			d++;
		if (d * d <= p)
			continue;
		if (n < 8)
			start[n] = root(p, 2);
		k[n++] = root(p, 3);
	}
}

static void compress(struct sha *s)
{
	uint32_t w[64], v[8], t1, t2;

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)s->block[4 * i] << 24 | (uint32_t)s->block[4 * i + 1] << 16 |
		       (uint32_t)s->block[4 * i + 2] << 8 | s->block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, s->h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		t1 = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) +
		     ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		t2 = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) +
		     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		s->h[i] += v[i];
}

static void add(struct sha *s, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		s->block[s->length++ % 64] = ((const unsigned char *)data)[i];
		if (s->length % 64 == 0)
			compress(s);
	}
}

static void digest(const char *text, int times)
{
	struct sha s = {.length = 0};
	unsigned char end[8];
	uint64_t bits;

	memcpy(s.h, start, sizeof(s.h));
	for (int i = 0; i < times; i++)
		add(&s, text, strlen(text));
	bits = s.length * 8;
	for (int i = 0; i < 8; i++)
		end[i] = (unsigned char)(bits >> (56 - 8 * i));
	add(&s, "\x80", 1);
	while (s.length % 64 != 56)
		add(&s, "", 1);
	add(&s, end, 8);
	for (int i = 0; i < 8; i++)
		printf("%08x%s", s.h[i], i == 7 ? "\n" : "");
}

int main(void)
{
	constants();
	digest("abc", some(1));
	digest("", some(1));
	digest("0123456789", some(20));
	return 0;
}
