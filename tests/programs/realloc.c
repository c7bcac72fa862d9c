/* Blocks of many sizes that grow and shrink by realloc, with pointers to their ends. */
#include "sum.h"

#include <stdlib.h>

#define BLOCKS 8

/* The compiler is told that this allocates; it can move like any other function. */
__attribute__((noinline, alloc_size(2))) static unsigned char *grown(unsigned char *p, size_t want,
								     size_t have, size_t first)
{
	p = realloc(p, want);
	if (!p)
		exit(2);
	for (size_t k = have; k < want; k++)
		p[k] = (unsigned char)(k * 7 + first);
	return p;
}

int main(void)
{
	unsigned char *block[BLOCKS] = {0}, *end[BLOCKS] = {0};
	size_t size[BLOCKS] = {0};
	uint64_t h = SUM_START;
	unsigned int x = 99;

	for (int i = 0; i < some(48); i++) {
		int b = (int)((x = x * 1103515245u + 12345u) >> 16) % BLOCKS;
		size_t want = ((x >> 8) % 7 + 1) * (b == 3 ? 20000 : 40);
		unsigned char *p = grown(block[b], want, size[b], (size_t)i);

		h = mix(h, p[want - 1]);
		h = mix(h, p[want / 2]);
		block[b] = p;
		end[b] = p + want;
		size[b] = want;
		if (i % 11 == 10) {
			free(block[b]);
			block[b] = end[b] = NULL;
			size[b] = 0;
		}
	}
	for (int b = 0; b < BLOCKS; b++) {
		printf("%d %zu %td\n", b, size[b], end[b] - block[b]);
		for (size_t k = 0; k < size[b]; k += 97)
			h = mix(h, block[b][k]);
		free(block[b]);
	}
	show("blocks", h);
	return 0;
}
