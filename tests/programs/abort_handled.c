/* abort: its handler leaves by a jump, again and again; a handler that returns ends the program. */
#include "sum.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

static sigjmp_buf out;
static volatile int times;

static void leave(int s)
{
	times += s;
	siglongjmp(out, times);
}

static int fails(int depth)
{
	if (depth == 0 && times >= 0)
		abort();
	return depth ? fails(depth - 1) + 1 : 0;
}

static void returns(int s)
{
	printf("in the handler: %d\n", s);
	fflush(stdout);
	exit(7); /* abort would end the program by the signal, here as there */
}

int main(void)
{
	uint64_t h = SUM_START;

	for (volatile int i = 0; i < 5; i = i + 1) {
		int r;

		signal(SIGABRT, leave);
		r = sigsetjmp(out, 1);
		if (r == 0)
			h = mix(h, (uint64_t)fails(i));
		h = mix(h, (uint64_t)r);
		printf("%d %d\n", i, r);
	}
	show("jumped", h);
	signal(SIGABRT, returns);
	return fails(3);
}
