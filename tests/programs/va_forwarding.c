/* Error reporting as programs write it: variadic functions over variadic functions, through
 * pointers and in a table, recursive ones, and the C library's own with a va_list. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sum.h"

typedef int logger(int level, const char *format, ...);

static char line[400];
static size_t used;

static int vput(const char *format, va_list ap)
{
	int n = vsnprintf(line + used, sizeof line - used, format, ap);

	for (int i = 0; i < some(2); i++)
		for (int k = 0; k < some(2); k++)
			used += (size_t)(i + k == 0 ? n : 0);
	return n;
}

static int put(int level, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vput(format, ap) + level;
	va_end(ap);
	return n;
}

static int twice(int level, const char *format, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, format);
	va_copy(again, ap);
	n = vput(format, ap);
	n += vput(format, again) * level;
	va_end(again);
	va_end(ap);
	return n;
}

static int depth(int n, ...)
{
	va_list ap;
	int sum = 0;

	va_start(ap, n);
	for (int i = 0; i < 3; i++)
		sum = sum * 3 + va_arg(ap, int);
	if (n > 0)
		sum += depth(n - 1, sum % 7, n, va_arg(ap, int), sum % 5, n * 2);
	sum += va_arg(ap, int);
	va_end(ap);
	return sum;
}

static int scan(const char *text, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	int n = vsscanf(text, format, ap);
	va_end(ap);
	return n;
}

static int no_arguments(const char *only, ...)
{
	return (int)strlen(only) + some(1);
}

int main(void)
{
	static logger *const loggers[] = {put, twice};
	int a = 0, b = 0;
	char word[16] = "";

	for (int i = 0; i < 4; i++)
		printf("%d ", loggers[i % 2](i, "%d:%s;", i, i % 2 ? "odd" : "even"));
	printf("\n%s %zu\n", line, used);
	printf("%d\n", depth(6, 1, 2, 3, 4, 5));
	printf("%d", scan("12 word 34", "%d %15s %d", &a, word, &b));
	printf(" %d %s %d\n", a, word, b);
	printf("%d\n", no_arguments("nothing"));
	fprintf(stdout, "%s %d %g %p\n", "last", 1, 2.5, (void *)0);
	return 0;
}
