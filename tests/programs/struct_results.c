/* Structures as results and arguments of the same call, in conditions, arrays of them, and chains.
 */
#include "sum.h"

struct three {
	int a, b, c;
};
struct vec {
	double x, y, z;
};
struct text {
	char s[40];
	int n;
};

static int work(int n)
{
	int sum = n;

	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(2); k++)
			sum = sum * 3 + i - k;
	return sum;
}

static struct three turn(struct three t)
{
	t.a += work(1) % 7;
	return (struct three){t.b, t.c, t.a};
}

static struct vec cross(struct vec a, struct vec b)
{
	struct vec r = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};

	r.x += work(0) * 0.125;
	return r;
}

static struct text append(struct text t, const char *s)
{
	work(1);
	for (int i = 0; s[i] && t.n < 39; i++)
		t.s[t.n++] = s[i];
	t.s[t.n] = '\0';
	return t;
}

int main(void)
{
	struct three t = {1, 2, 3}, all[3];
	struct vec u = {1, 2, 3}, v = {0.5, 0.25, -1};

	for (int i = 0; i < 3; i++)
		all[i] = turn(turn((struct three){i, t.b, t.c}));
	t = turn(all[2]);
	printf("%d %d %d %d\n", t.a, t.b, t.c, turn(turn(t)).b);
	u = cross(u, cross(v, u));
	printf("%.6f %.6f %.6f\n", u.x, u.y, cross(u, v).z);
	struct text x = append(append((struct text){"", 0}, "one "), some(1) ? "two" : "three");
	printf("%s %d\n", x.s, append(x, "!").n);
	return 0;
}
