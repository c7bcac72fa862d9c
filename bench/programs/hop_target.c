/* A stack of a given depth over a heap of a given size, to be moved. Arguments: frames, MiB,
 * rounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t *heap;
static size_t words;

/* A recursion, so that there is a migration point in each call of it. */
static uint64_t __attribute__((noinline)) step(uint64_t x, int n)
{
	x = x * 6364136223846793005u + (words ? heap[x % words] : 1442695040888963407u);
	return n == 0 ? x : step(x, n - 1) ^ (uint64_t)n;
}

/* The bottom: migration points in every round. */
static uint64_t work(uint64_t x, int rounds)
{
	for (int i = 0; i < rounds; i++)
		x = step(x, 1);
	return x;
}

static uint64_t down(int frames, uint64_t x, int rounds)
{
	double half = (double)x * 0.5;
	uint64_t r;

	if (frames <= 3)
		return work(x, rounds);
	r = down(frames - 1, x * 31 + (uint64_t)frames, rounds);
	return r ^ (uint64_t)half ^ x;
}

int main(int argc, char **argv)
{
	int frames = argc > 1 ? atoi(argv[1]) : 10;
	size_t mib = argc > 2 ? (size_t)atoi(argv[2]) : 0;
	int rounds = argc > 3 ? atoi(argv[3]) : 1000;

	words = mib * 1024 * 1024 / sizeof(*heap);
	heap = malloc(words * sizeof(*heap) + 1);
	if (!heap)
		return 2;
	/* Not by a loop of our own, which would have migration points before the stack is built. */
	memset(heap, 0xa5, words * sizeof(*heap));
	printf("%016llx\n", (unsigned long long)down(frames, 1, rounds));
	free(heap);
	return 0;
}
