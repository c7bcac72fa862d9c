/* Random numbers: the C library's hidden states and states of the program's own go on unbroken. */
#include "sum.h"

#include <stdlib.h>

int main(void)
{
	unsigned short x48[3] = {1, 2, 3};
	unsigned int mine = 42;
	uint64_t h = SUM_START, again = SUM_START;

	srand(some(7));
	srandom((unsigned int)some(8));
	srand48(some(9));
	for (int i = 0; i < some(40); i++) {
		h = mix(h, (uint64_t)rand());
		h = mix(h, (uint64_t)random());
		h = mixd(h, drand48());
		h = mix(h, (uint64_t)nrand48(x48));
		h = mix(h, (uint64_t)rand_r(&mine));
		if (i % 10 == 9)
			show("so far", h);
	}
	/* The same again without a point between the numbers of a round. */
	srand(7);
	for (int i = 0; i < some(40); i++)
		again = mix(again, (uint64_t)rand());
	show("again", again);
	return 0;
}
