/* Each line with a "warns" comment holds a function that never migrates, for the reason given. */
#include <stdarg.h>
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

int reads(int n, va_list ap)
{
	int sum = 0;

	while (n--) {
		sum += va_arg(ap, int); /* warns: va_list */
		work(n);
	}
	return sum;
}

int hands_on(char *to, const char *format, va_list ap)
{
	work(1);
	return vsprintf(to, format, ap);
}

__attribute__((weak)) void replaceable(int n) /* warns: weak definition */
{
	work(n);
}

void *own_frame(int n)
{
	work(n);
	return __builtin_frame_address(0); /* warns: address of its own native frame */
}
