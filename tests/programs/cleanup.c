/* Variables with __attribute__((cleanup)): run at the end of scopes, on break, goto and return. */
#include "sum.h"

#include <stdlib.h>

static int alive;
static uint64_t h = SUM_START;

struct owned {
	int *v;
	int n;
};

static void release(struct owned *o)
{
	for (int i = 0; i < some(o->n); i++)
		for (int k = 0; k < some(1); k++)
			h = mix(h, (uint64_t)o->v[i]);
	free(o->v);
	alive--;
}

#define OWNED __attribute__((cleanup(release))) struct owned

static struct owned make(int n)
{
	struct owned o = {malloc((size_t)n * sizeof(int)), n};

	for (int i = 0; i < n; i++)
		o.v[i] = i * n;
	alive++;
	return o;
}

static int work(int n)
{
	OWNED a = make(n);

	for (int i = 0; i < n; i++) {
		OWNED b = make(i + 1);
		if (i == 3)
			break;
		if (i % 2)
			continue;
		a.v[i] += b.v[i];
	}
	if (n > 4)
		goto out;
	{
		OWNED c = make(2);
		return c.v[1] + a.v[0];
	}
out:
	return alive * 100 + a.v[n - 1];
}

int main(void)
{
	for (int i = 1; i < 7; i++)
		printf("%d\n", work(i));
	show("released", h);
	return alive;
}
