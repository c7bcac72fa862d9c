/* Statics of files and functions: counters, caches, arrays, pointers among them. */
#include "sum.h"

static int counter;
static int grid[4][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
static int *corner = &grid[3][3];
static const char *state_name = "start";
static double average;
static struct {
	int hits, misses;
	long memo[32];
} cache;

static int tick(void)
{
	static int calls = 100;
	static int *last;

	if (last)
		*last += calls;
	last = &grid[calls % 4][calls / 4 % 4];
	counter++;
	return calls++;
}

static long fibonacci(int n)
{
	if (n < 2)
		return n;
	if (cache.memo[n]) {
		cache.hits++;
		return cache.memo[n];
	}
	cache.misses++;
	return cache.memo[n] = fibonacci(n - 1) + fibonacci(n - 2);
}

static const char *next_state(void)
{
	static const char *const names[] = {"start", "middle", "end"};
	static size_t at;
	const char *was = state_name;

	at = (at + 1) % 3;
	state_name = names[at];
	return was;
}

int main(void)
{
	uint64_t h = SUM_START;

	for (int i = 0; i < some(20); i++) {
		int t = tick();

		*corner += t;
		average += (t - average) / (i + 1);
		h = mixs(mix(h, (uint64_t)t), next_state());
	}
	printf("%ld\n", fibonacci(some(30)));
	printf("%d %d %d %d %.17g %s\n", counter, *corner, cache.hits, cache.misses, average,
	       state_name);
	for (int i = 0; i < 4; i++)
		printf("%d %d %d %d\n", grid[i][0], grid[i][1], grid[i][2], grid[i][3]);
	show("states", h);
	return 0;
}
