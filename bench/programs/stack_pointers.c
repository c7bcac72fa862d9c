/* Code full of pointers into the stack: locals of one frame changed by others. Argument: rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct cursor {
	const uint32_t *at, *end;
	uint64_t *sum;
	struct cursor *outer;
};

static void __attribute__((noinline)) take(struct cursor *c, int n)
{
	for (struct cursor *o = c; o; o = o->outer)
		*o->sum += (uint64_t)(o->end - o->at);
	while (n-- > 0 && c->at < c->end)
		*c->sum = *c->sum * 31 + *c->at++;
}

static uint64_t walk(const uint32_t *v, size_t n, struct cursor *outer, int depth)
{
	uint64_t sum = 0;
	struct cursor c = {v, v + n, &sum, outer};

	while (c.at < c.end) {
		take(&c, 8);
		if (depth > 0)
			sum ^= walk(v, n / 2, &c, depth - 1);
	}
	return sum;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 300000;
	uint32_t v[64];
	uint64_t sum = 0;

	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < 64; i++)
			v[i] = (uint32_t)(i * r);
		sum += walk(v, 64, NULL, 4);
	}
	printf("%016llx\n", (unsigned long long)sum);
	return 0;
}
