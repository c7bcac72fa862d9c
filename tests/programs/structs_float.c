/* Structs of three and four floating-point members by value: registers on one ISA, memory on the
 * other. */
#include "sum.h"

struct f3 {
	float x, y, z;
};
struct f4 {
	float x, y, z, w;
};
struct d3 {
	double x, y, z;
};
struct d4 {
	double x, y, z, w;
};
struct box {
	struct d3 lo, hi;
};

static struct f3 turn3(struct f3 v, int n)
{
	if (n == 0)
		return v;
	v = turn3((struct f3){v.y + 1, v.z * 0.5f, v.x - (float)n}, n - 1);
	return (struct f3){v.z, v.x + 0.25f, v.y};
}

static struct f4 turn4(struct f4 v, struct f3 by, int n)
{
	struct f4 r;

	if (n == 0)
		return v;
	r = turn4((struct f4){v.y + by.x, v.z - by.y, v.w * by.z, v.x}, by, n - 1);
	return (struct f4){r.x + v.w, r.w, r.z - by.x, r.y};
}

static struct d3 cross(struct d3 a, struct d3 b)
{
	return (struct d3){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static struct d4 walk(struct d4 q, struct d3 v, int n)
{
	struct d3 c = cross(v, (struct d3){q.x, q.y, q.z});

	if (n == 0)
		return q;
	q = walk((struct d4){q.x + c.x * 0.125, q.y + c.y * 0.125, q.z + c.z * 0.125, q.w + n}, v,
		 n - 1);
	return (struct d4){q.x - c.z * 0.0625, q.y, q.z + c.x * 0.0625, q.w * 0.5};
}

static struct box grow(struct box b, int depth)
{
	if (depth == 0)
		return b;
	b.lo.x -= depth;
	b.hi.z += depth * 0.5;
	b = grow(b, depth - 1);
	b.hi.y *= 1.5;
	return b;
}

int main(void)
{
	struct f3 a = turn3((struct f3){1, 2, 3}, some(7));
	struct f4 b = turn4((struct f4){1, 2, 3, 4}, a, some(7));
	struct d4 c = walk((struct d4){1, 2, 3, 4}, (struct d3){a.x, a.y, a.z}, some(9));
	struct box d = grow((struct box){{0, 0, 0}, {1, 1, 1}}, some(8));

	printf("%.9g %.9g %.9g\n", (double)a.x, (double)a.y, (double)a.z);
	printf("%.9g %.9g %.9g %.9g\n", (double)b.x, (double)b.y, (double)b.z, (double)b.w);
	printf("%.17g %.17g %.17g %.17g\n", c.x, c.y, c.z, c.w);
	printf("%g %g %g %g %.17g %g\n", d.lo.x, d.lo.y, d.lo.z, d.hi.x, d.hi.y, d.hi.z);
	return 0;
}
