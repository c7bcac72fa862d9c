/* Memory large enough to be mapped from an image and not read, and all that can be done to it
 * between moves: written in part, zeroed, grown, moved, cut, dropped, protected, inherited. */
#define _GNU_SOURCE
#include "sum.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096L
#define SIZE (96 * PAGE)

static uint64_t h = SUM_START;

static unsigned char *map(void *at, long size, int flags)
{
	void *p = mmap(at, (size_t)size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

/* One word of every page, in a few steps that each end at a migration point. */
static uint64_t look(const char *what, const unsigned char *p, long size)
{
	uint64_t sum = SUM_START;

	for (long step = 0; step < some(3); step++)
		for (long at = step * PAGE; at < size; at += 3 * PAGE)
			sum = mix(sum, p[at] | (uint64_t)p[at + PAGE - 1] << 8);
	h = mix(h, sum);
	printf("%s: %016llx\n", what, (unsigned long long)sum);
	return sum;
}

static void fill(unsigned char *p, long size, int with)
{
	for (long at = 0; at < size; at += PAGE)
		memset(p + at, (int)(at / PAGE * 7 + with) & 255, (size_t)PAGE);
}

/* The child has what the parent had when it was made, whatever becomes of the parent. */
static void inherit(unsigned char *p, long size)
{
	int status;
	pid_t child = fork();

	if (!child) {
		uint64_t sum = SUM_START;

		for (long at = 0; at < size; at += PAGE)
			sum = mix(sum, p[at]);
		_exit((int)(sum & 127));
	}
	p[PAGE] ^= 1;
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(2);
	h = mix(h, (uint64_t)WEXITSTATUS(status));
	printf("child: %d\n", WEXITSTATUS(status));
}

int main(void)
{
	unsigned char *p = map(NULL, SIZE, 0), *q;

	fill(p, SIZE, 1);
	look("filled", p, SIZE);
	for (int i = 0; i < some(4); i++)
		p[(20 + i) * PAGE + 5] = (unsigned char)(200 + i);
	p[0] = 9;
	look("changed", p, SIZE);
	memset(p + 30 * PAGE, 0, (size_t)(5 * PAGE));
	look("zeroed", p, SIZE);
	inherit(p, SIZE);
	p = mremap(p, (size_t)SIZE, (size_t)(2 * SIZE), MREMAP_MAYMOVE);
	if (p == MAP_FAILED)
		return 2;
	look("grown", p, 2 * SIZE);
	fill(p + SIZE, SIZE, 5);
	look("filled again", p, 2 * SIZE);
	q = map(NULL, 3 * SIZE, 0);
	q = mremap(p, (size_t)(2 * SIZE), (size_t)(2 * SIZE), MREMAP_MAYMOVE | MREMAP_FIXED, q);
	if (q == MAP_FAILED)
		return 2;
	look("moved", q, 2 * SIZE);
	q = mremap(q, (size_t)(2 * SIZE), (size_t)SIZE, 0);
	look("cut", q, SIZE);
	if (madvise(q + 10 * PAGE, (size_t)(20 * PAGE), MADV_DONTNEED))
		return 2;
	look("dropped", q, SIZE);
	if (mprotect(q + 40 * PAGE, (size_t)(8 * PAGE), PROT_NONE) ||
	    mprotect(q + 60 * PAGE, (size_t)(8 * PAGE), PROT_READ))
		return 2;
	look("protected", q, 40 * PAGE);
	if (mprotect(q + 40 * PAGE, (size_t)(28 * PAGE), PROT_READ | PROT_WRITE))
		return 2;
	look("opened", q, SIZE);
	munmap(q + 70 * PAGE, (size_t)(10 * PAGE));
	look("parted", q, 70 * PAGE);
	map(q + 70 * PAGE, 10 * PAGE, MAP_FIXED);
	map(q + 85 * PAGE, 2 * PAGE, MAP_FIXED);
	look("mended", q, SIZE);
	inherit(q, SIZE);
	return look("end", q, SIZE) == 0 || h == 0;
}
