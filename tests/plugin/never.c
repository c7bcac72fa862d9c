/* Each line with a "warns" comment holds a function that never migrates, for the reason given. */
#include <stdio.h>

static void work(int n)
{
	for (int i = 0; i < n; i++)
		printf("%d", i);
}

void assembly(int n)
{
	__asm__ volatile("nop"); /* warns: inline assembly */
	work(n);
}

void barrier(int n)
{
	__asm__ volatile("" : : : "memory");
	work(n);
}

void *own_frame(int n)
{
	work(n);
	return __builtin_frame_address(0); /* warns: address of its own native frame */
}
