/* Function pointers in locals, tables, structs and arguments; chosen at run time, compared. */
#include "sum.h"

typedef long (*op_fn)(long, long);

struct operation {
	const char *name;
	op_fn fn;
};

static long add(long a, long b)
{
	return a + b;
}
static long sub(long a, long b)
{
	return a - b;
}
static long mul(long a, long b)
{
	return a * b % 10007;
}

static long power(long a, long b)
{
	long r = 1;

	for (b &= 3; b > 0; b--)
		r = mul(r, a);
	return r;
}

static const struct operation table[] = {{"add", add}, {"sub", sub}, {"mul", mul}, {"pow", power}};

static long fold(op_fn f, const long *v, int n, long start)
{
	for (int i = 0; i < n; i++)
		start = f(start, v[i]);
	return start;
}

static long compose(op_fn f, op_fn g, long a, long b)
{
	return f(g(a, b), g(b, a));
}

static op_fn choose(long n)
{
	return table[(size_t)(n < 0 ? -n : n) % 4].fn;
}

int main(void)
{
	long v[] = {3, 1, 4, 1, 5, 9}, x = some(2);
	op_fn last = add;

	for (size_t i = 0; i < 4; i++)
		printf("%s %ld\n", table[i].name, fold(table[i].fn, v, some(6), x));
	for (int i = 0; i < some(12); i++) {
		op_fn now = choose(x + i);

		x = compose(now, last, x, i + 1) % 1000;
		printf("%d %ld %d\n", i, x, now == last);
		last = now;
	}
	return 0;
}
