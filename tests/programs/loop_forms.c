/* Loops as they come: do-while, several exits, counting down, unsigned wrap, strides, gotos, over
 * pointers, with a switch inside, of two counters, and as many times as a quotient says. */
#include "sum.h"

static uint64_t forms(int n)
{
	uint64_t h = SUM_START;
	int i = 0;
	unsigned u;
	const char *text = "a loop over text, ended by its zero";

	do
		h = mix(h, (uint64_t)i);
	while (++i < some(n));
	for (u = (unsigned)some(n); u-- > 0;)
		h = mix(h, u);
	for (signed char c = 120; c > 0; c = (signed char)(c - 7))
		h = mix(h, (uint64_t)c);
	for (long k = some(n) * 3L, l = 0; k > l; k -= 2, l++)
		h = mix(h, (uint64_t)(k * l));
	for (const char *p = text; *p; p++) {
		switch (*p) {
		case 'a':
			h = mix(h, 1);
			continue;
		case ',':
			h = mix(h, 2);
			break;
		default:
			h = mix(h, (unsigned char)*p);
		}
		if (h % 97 == 5)
			break;
	}
	i = some(n);
again:
	h = mix(h, (uint64_t)i * 3);
	if (i-- > 0)
		goto again;
	while (1) {
		if (i++ > some(n))
			break;
		if (i % 3 == 0)
			continue;
		for (int k = i; k; k &= k - 1)
			h = mix(h, (uint64_t)k);
	}
	return h;
}

/* Nobody may compute this quotient before the loop's own place, for the divisor may be zero. */
static uint64_t steps(size_t step, size_t end)
{
	uint64_t h = SUM_START;

	for (size_t times = end / step; --times;)
		h = h * 31 + times;
	return h;
}

int main(void)
{
	for (int n = 1; n < 6; n++)
		show("forms", forms(n * 2));
	for (int n = 1; n < 4; n++)
		show("steps", steps((size_t)some(n), (size_t)some(n * 20)));
	return 0;
}
