/* Structs by value that mix integers, pointers and floating point: every class of argument. */
#include "sum.h"

struct id {
	int i;
	double d;
};
struct di {
	double d;
	int i;
};
struct ff {
	float a, b;
};
struct fi {
	float f;
	int i;
};
struct dd {
	double a, b;
};
struct ld {
	long l;
	double d;
};
struct pc {
	const char *p;
	char c;
};
struct cs {
	char c;
	short s;
	int i;
};
struct nest {
	struct fi in;
	struct {
		short s;
		float f;
	} mid;
};
struct big {
	char c;
	double d;
	int i[5];
	const char *p;
};

/* By recursion: a copy of the struct is alive in every frame, and comes back changed. */
#define PASS(type, change)                                                                         \
	static struct type pass_##type(struct type v, int k, double x)                             \
	{                                                                                          \
		if (k == 0)                                                                        \
			return v;                                                                  \
		change;                                                                            \
		v = pass_##type(v, k - 1, x + 0.5);                                                \
		change;                                                                            \
		return v;                                                                          \
	}

PASS(id, (v.i += k, v.d += x))
PASS(di, (v.i -= k, v.d *= x))
PASS(ff, (v.a += (float)x, v.b -= v.a))
PASS(fi, (v.f += (float)x, v.i ^= k + 1))
PASS(dd, (v.a += x, v.b += v.a))
PASS(ld, (v.l = v.l * 3 + k, v.d += x))
PASS(pc, (v.p += k < 2, v.c = (char)(v.c + 1)))
PASS(cs, (v.c = (char)(v.c + k), v.s = (short)(v.s * 3), v.i += v.s))
PASS(nest, (v.in.i += k, v.in.f += (float)x, v.mid.s++, v.mid.f *= 1.5f))
PASS(big, (v.c++, v.d += x, v.i[k % 5] += k, v.p += k == 1))

/* So many arguments that some travel on the stack, live across the loop of the callee. */
static double many(int a, double b, struct id c, struct ff d, struct big e, long f, struct dd g,
		   int h, int i, int j, double k, struct pc l)
{
	double sum = 0;

	for (int n = 0; n < some(3); n++)
		sum += a + b + c.i + c.d + d.a * d.b + e.d + e.i[n] + (double)f + g.a - g.b + h +
		       i * j + k + l.c + n;
	return sum;
}

int main(void)
{
	int n = some(4);
	struct id id = pass_id((struct id){1, 2.5}, n, 0.25);
	struct di di = pass_di((struct di){1.5, 9}, n, 1.25);
	struct ff ff = pass_ff((struct ff){0.5f, 8}, n, 0.75);
	struct fi fi = pass_fi((struct fi){0.25f, 77}, n, 3);
	struct dd dd = pass_dd((struct dd){1, 2}, n, 0.125);
	struct ld ld = pass_ld((struct ld){5, 6}, n, 7);
	struct pc pc = pass_pc((struct pc){"abcdef", 'x'}, n, 0);
	struct cs cs = pass_cs((struct cs){'a', 3, 1000}, n, 0);
	struct nest ne = pass_nest((struct nest){{1, 2}, {3, 4}}, n, 0.5);
	struct big big = pass_big((struct big){'b', 1, {1, 2, 3, 4, 5}, "string"}, n, 2);

	printf("%d %g, %g %d, %g %g, %g %d\n", id.i, id.d, di.d, di.i, (double)ff.a, (double)ff.b,
	       (double)fi.f, fi.i);
	printf("%g %g, %ld %g, %s %c, %c %d %d\n", dd.a, dd.b, ld.l, ld.d, pc.p, pc.c, cs.c, cs.s,
	       cs.i);
	printf("%g %d %d %g\n", (double)ne.in.f, ne.in.i, ne.mid.s, (double)ne.mid.f);
	printf("%c %g %d %d %d %d %d %s\n", big.c, big.d, big.i[0], big.i[1], big.i[2], big.i[3],
	       big.i[4], big.p);
	printf("%.17g\n", many(1, 2.5, id, ff, big, 12345678901L, dd, 3, 4, 5, 6.25, pc));
	return 0;
}
