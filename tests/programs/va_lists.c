/* Variable arguments with migration points between reading one and the next, a va_list kept in
 * structures and on the heap, copied, handed down by value and by address, and read twice. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sum.h"

struct small {
	short a;
	char b;
};

struct pair {
	double x;
	int n;
};

struct floats {
	float v[3];
};

struct wide {
	double v[4];
};

struct large {
	long v[5];
	char name[12];
};

union either {
	double d;
	long l[2];
};

struct __attribute__((packed)) packed {
	char c;
	double d;
};

struct cursor {
	const char *format;
	va_list arguments;
	int read;
};

static uint64_t work(uint64_t h, int n)
{
	for (int i = 0; i < some(n); i++)
		for (int k = 0; k < some(2); k++)
			h = mix(h, (uint64_t)(i + k));
	return h;
}

static uint64_t one(uint64_t h, char kind, va_list *ap)
{
	h = work(h, 1);
	switch (kind) {
	case 'i':
		return mix(h, (unsigned)va_arg(*ap, int));
	case 'l':
		return mix(h, va_arg(*ap, unsigned long));
	case 'd':
		return mixd(h, va_arg(*ap, double));
	case 'L':
		return mixd(h, (double)va_arg(*ap, long double));
	case 'q':
		return mix(h, (uint64_t)(va_arg(*ap, unsigned __int128) >> 60));
	case 's':
		return mixs(h, va_arg(*ap, const char *));
	case 'c': {
		_Complex double z = va_arg(*ap, _Complex double);
		return mixd(mixd(h, __real__ z), __imag__ z);
	}
	case 'S': {
		struct small v = va_arg(*ap, struct small);
		return mix(h, (unsigned)(v.a * 3 + v.b));
	}
	case 'P': {
		struct pair v = va_arg(*ap, struct pair);
		return mixd(mix(h, (unsigned)v.n), v.x);
	}
	case 'F': {
		struct floats v = va_arg(*ap, struct floats);
		return mixd(h, (double)v.v[0] + (double)v.v[1] * 2 + (double)v.v[2] * 4);
	}
	case 'W': {
		struct wide v = va_arg(*ap, struct wide);
		return mixd(h, v.v[0] + v.v[1] * 2 + v.v[2] * 4 + v.v[3] * 8);
	}
	case 'B': {
		struct large v = va_arg(*ap, struct large);
		return mixs(mix(h, (uint64_t)(v.v[0] + v.v[4])), v.name);
	}
	case 'U':
		return mixd(h, va_arg(*ap, union either).d);
	case 'p': {
		struct packed v = va_arg(*ap, struct packed);
		return mixd(mix(h, (unsigned char)v.c), v.d);
	}
	case 'f':
		return mix(h, (unsigned)va_arg(*ap, int (*)(int))(5));
	default:
		abort();
	}
}

static uint64_t by_address(uint64_t h, struct cursor *c, int n)
{
	while (n-- && c->format[c->read])
		h = one(h, c->format[c->read++], &c->arguments);
	return h;
}

static uint64_t by_value(uint64_t h, const char *format, va_list ap)
{
	va_list first, again;

	va_copy(first, ap);
	va_copy(again, ap);
	for (const char *f = format; *f; f++)
		h = one(h, *f, &first);
	va_end(first);
	h = work(h, 1);
	for (const char *f = format; *f; f++)
		h = one(h, *f, &again);
	va_end(again);
	return h;
}

static uint64_t all(const char *format, ...)
{
	struct cursor *c = malloc(sizeof *c);
	uint64_t h = SUM_START;

	c->format = format;
	c->read = 0;
	va_start(c->arguments, format);
	h = by_address(h, c, 2);
	h = work(h, 1);
	h = by_address(h, c, 1000);
	va_end(c->arguments);
	free(c);
	va_list ap;
	va_start(ap, format);
	h = by_value(h, format, ap);
	va_end(ap);
	return h;
}

static int twice(int n)
{
	return (int)work((uint64_t)n, 1) * 2;
}

static void print(const char *format, ...)
{
	char text[80];
	va_list ap;

	va_start(ap, format);
	work(0, 1);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	puts(text);
}

int main(void)
{
	struct large l = {{1, 2, 3, 4, 5}, "large"};
	struct wide w = {{1.5, 2.5, 3.5, 4.5}};
	struct floats f = {{1, 2, 3}};
	union either u = {.d = 6.25};

	show("scalars",
	     all("ildLqsc", -1, 2UL, 3.5, 4.25L, (unsigned __int128)7 << 70, "text", 1.0 + 2.0i));
	show("structs", all("SPFWBUp", (struct small){1, 2}, (struct pair){2.5, 3}, f, w, l, u,
			    (struct packed){'x', 8.5}));
	show("many", all("iiiiiiiiiiddddddddddddBiWiFd", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1., 2., 3.,
			 4., 5., 6., 7., 8., 9., 10., 11., 12., l, 13, w, 14, f, 15.));
	show("function", all("fif", twice, 3, twice));
	print("%d %s %.3f %ld %c %Lf %.2e", 1, "two", 3.0, 4L, '5', 6.5L, 7e7);
	print("none");
	return 0;
}
