/* Frames of 64 KiB: large arrays on the stack, several of them at once, by recursion. */
#include "sum.h"

#define WORDS 16384

static uint64_t fill(unsigned int *outer, int depth)
{
	unsigned int mine[WORDS];
	uint64_t h = SUM_START;

	for (int i = 0; i < WORDS; i++)
		mine[i] = (unsigned int)(i * (depth + 3)) ^ (outer ? outer[i] : 0);
	for (int i = 0; i < some(6); i++)
		h = mix(h, mine[i * 2711 % WORDS]);
	if (depth > 0)
		h = mix(h, fill(mine, depth - 1));
	for (int i = 0; i < WORDS; i += 1024)
		h = mix(h, mine[i] += (unsigned int)h);
	if (outer)
		outer[depth * 100] ^= mine[WORDS - 1];
	return h;
}

int main(void)
{
	struct {
		char head[8];
		double values[4096];
		char tail[8];
	} box = {"head", {0}, "tail"};

	show("frames", fill(NULL, some(4)));
	for (int i = 0; i < some(20); i++)
		box.values[i * 200] = i * 1.5 + (i ? box.values[(i - 1) * 200] : 0);
	printf("%s %g %s\n", box.head, box.values[19 * 200], box.tail);
	return 0;
}
