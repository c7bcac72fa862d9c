/* Unions by value: of one word, of two, of integers and floats, larger ones of bytes and words. */
#include "sum.h"

union word {
	int i;
	float f;
	unsigned char c[4];
};
union two {
	double d;
	long l[2];
	char s[16];
};
union large {
	long l[6];
	char s[48];
	struct {
		int tag;
		double d;
	} v;
};

static int work(int n)
{
	int sum = n;

	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(2); k++)
			sum += i * k;
	return sum;
}

static union word one(union word w)
{
	w.i += work(3);
	return w;
}

static union two both(union two t, union word w)
{
	t.l[1] += work(w.i);
	return t;
}

static union large big(union large g, union two t)
{
	g.l[5] = work((int)t.l[0]);
	g.v.d += 1.5;
	return g;
}

int main(void)
{
	union word w = {.f = 1.5f};
	union two t = {.l = {5, 6}};
	union large g = {.v = {7, 2.5}};

	for (int i = 0; i < 3; i++) {
		w = one(w);
		t = both(t, w);
		g = big(g, t);
		printf("%d %ld %ld %d %.3f %ld\n", w.i, t.l[0], t.l[1], g.v.tag, g.v.d, g.l[5]);
	}
	return 0;
}
