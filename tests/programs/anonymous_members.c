/* Anonymous structures and unions, designated and nested initialisers, zero-width and packed
 * fields. */
#include "sum.h"

struct shape {
	enum { CIRCLE, BOX } kind;
	union {
		struct {
			double radius;
		};
		struct {
			float w, h;
		};
	};
	struct {
		unsigned a : 5, : 0, b : 3;
		signed c : 4;
	};
};

struct __attribute__((packed)) packed {
	char a;
	int b;
	short c;
};

static double area(const struct shape *s)
{
	double sum = 0;

	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(1); k++)
			sum += s->kind == CIRCLE ? s->radius * s->radius * 3
						 : (double)(s->w * s->h);
	return sum;
}

int main(void)
{
	struct shape v[] = {
		[1] = {.kind = BOX, .w = 2.5f, .h = 4, .a = 9, .b = 5, .c = -3},
		[0] = {.kind = CIRCLE, .radius = 1.25, .a = 31},
		[3] = {BOX, {.radius = 0}, {.c = 7}},
	};
	struct packed p = {'x', 0x1234567, -2};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		printf("%.4f %u %u %d\n", area(&v[i]), v[i].a, v[i].b, v[i].c);
	p.b += (int)area(&v[1]);
	printf("%zu %zu %d %d\n", sizeof(struct shape), sizeof p, p.b, p.c);
	return 0;
}
