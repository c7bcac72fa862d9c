/*
 * The job of the cluster tests: numbered lines, each with a running checksum
 * over a heap table, a stack array and a recursion, so that a line that is lost,
 * doubled or computed from damaged state shows. Integer work only: as fast
 * emulated as native, near enough. With WITNESS=FILE in its environment it also
 * appends "ATTEMPT LINE" to that file at each line: two processes that ran the
 * same attempt at the same time, or the same part twice, show there.
 * Usage: ticker LINES WORK
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLE 4096

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
	return h * 0xff51afd7ed558ccdu;
}

static uint64_t descend(uint64_t h, unsigned int depth, const uint64_t *stack)
{
	uint64_t own[4] = {h, depth, stack[depth % 4], h ^ depth};

	if (depth == 0)
		return mix(h, own[2]);
	h = descend(mix(h, own[3]), depth - 1, own);
	return mix(h, own[0] + own[1]);
}

static int bear_witness(const char *path, const char *attempt, unsigned long n)
{
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!path)
		return 0;
	if (!f)
		return 1;
	fprintf(f, "%s %lu\n", attempt ? attempt : "0", n);
	return fclose(f);
}

/* Holds machine code, so it never migrates: what a bundle's inspection says of such functions. */
static __attribute__((noinline)) unsigned long number(const char *text, unsigned long otherwise)
{
	__asm__ volatile("nop");
	return text ? strtoul(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned long lines = number(argc > 1 ? argv[1] : NULL, 10);
	unsigned long work = number(argc > 2 ? argv[2] : NULL, 1);
	uint64_t *table = malloc(TABLE * sizeof(*table)), seed[4] = {1, 2, 3, 4}, h = 42;

	if (!table)
		return 2;
	for (unsigned int i = 0; i < TABLE; i++)
		table[i] = mix(i, i);
	for (unsigned long n = 0; n < lines; n++) {
		for (unsigned long w = 0; w < work; w++) {
			for (unsigned int i = 0; i < TABLE; i++)
				table[i] = h = mix(h, table[(h ^ i) % TABLE]);
			h = descend(h, 6, seed);
		}
		if (bear_witness(getenv("WITNESS"), getenv("DROVER_JOB_ATTEMPT"), n))
			return 3;
		/* No newline every third time, so that output is often half a line in a buffer. */
		printf("%lu %016llx%s", n, (unsigned long long)h, n % 3 == 1 ? " " : "\n");
	}
	printf("\nend %016llx\n", (unsigned long long)h);
	free(table);
	return 0;
}
