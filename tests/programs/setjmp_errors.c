/* Error handling by setjmp and longjmp, as interpreters do it: a chain of handlers, each in the
 * frame of the function that catches, thrown to from any depth, through frames that have moved. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sum.h"

struct handler {
	struct handler *outer;
	jmp_buf buffer;
	int code;
};

static struct handler *handlers;
static unsigned trace;

static _Noreturn void raise_error(int code)
{
	struct handler *h = handlers;

	if (!h)
		abort();
	h->code = code;
	longjmp(h->buffer, code < 0 ? 0 : code);
}

static int protect(int (*f)(int), int argument, int *code)
{
	struct handler h = {.outer = handlers};
	volatile int result = -1;

	handlers = &h;
	int jumped = setjmp(h.buffer);
	if (!jumped)
		result = f(argument);
	handlers = h.outer;
	*code = h.code;
	return jumped ? -jumped : result;
}

static int descend(int n)
{
	char text[32];

	snprintf(text, sizeof text, "level %d", n);
	trace = mix(trace, (unsigned)strlen(text) + (unsigned)n);
	if (n == 0)
		raise_error(7);
	if (n % 5 == 4) {
		int code, r = protect(descend, n - 1, &code);

		trace = mix(trace, (unsigned)(r + code));
		if (n % 2)
			raise_error(n);
		return r;
	}
	return descend(n - 1) + (text[6] == '1');
}

static int harmless(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		sum += i * i;
		for (int k = 0; k < 3; k++)
			sum ^= k * n;
	}
	return sum & 0xffff;
}

int main(void)
{
	int code;

	for (int i = 0; i < 12; i++) {
		int r = protect(i % 3 ? descend : harmless, i, &code);
		printf("%d: %d code %d trace %08x\n", i, r, code, trace);
	}
	printf("negative: %d\n", protect((int (*)(int))raise_error, -1, &code));
	return handlers != NULL;
}
