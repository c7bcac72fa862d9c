/* Unions by value and by pointer: tagged variants, several views of the same bytes. */
#include "sum.h"

union word {
	uint64_t u;
	uint32_t half[2];
	unsigned char byte[8];
	double d;
};

enum kind { INT, REAL, TEXT, PAIR };

struct variant {
	enum kind kind;
	union {
		long i;
		double r;
		const char *t;
		struct {
			short a;
			float b;
		} p;
	} u;
};

static union word shuffle(union word w, int n)
{
	for (int i = 0; i < n; i++) {
		unsigned char t = w.byte[i % 8];

		w.byte[i % 8] = w.byte[(i * 3 + 1) % 8];
		w.byte[(i * 3 + 1) % 8] = t;
		w.half[i & 1] += 0x9e3779b9u;
	}
	return w;
}

static struct variant next(struct variant v, int i)
{
	static const char *const texts[] = {"zero", "one", "two", "three"};

	switch (v.kind) {
	case INT:
		return (struct variant){REAL, {.r = (double)v.u.i / 8}};
	case REAL:
		return (struct variant){TEXT, {.t = texts[(int)v.u.r & 3]}};
	case TEXT:
		return (struct variant){PAIR, {.p = {(short)v.u.t[0], (float)i * 0.5f}}};
	default:
		return (struct variant){INT, {.i = v.u.p.a * 100L + (long)v.u.p.b}};
	}
}

int main(void)
{
	union word w = shuffle((union word){.d = 3.25}, some(24));
	struct variant v = {INT, {.i = 1000}};

	show("word", w.u);
	for (int i = 0; i < some(24); i++) {
		v = next(v, i);
		switch (v.kind) {
		case INT:
			printf("int %ld\n", v.u.i);
			break;
		case REAL:
			printf("real %g\n", v.u.r);
			break;
		case TEXT:
			printf("text %s\n", v.u.t);
			break;
		case PAIR:
			printf("pair %d %g\n", v.u.p.a, (double)v.u.p.b);
			break;
		}
	}
	return 0;
}
