/* Conversions between integers, float and double, and printf of doubles in every form. */
#include "sum.h"

#include <math.h>
#include <stdlib.h>

int main(void)
{
	double d = 1.0 / 3, big = 1e15,
	       values[] = {0.0, -0.0, 1.5, -2.75, 1e-7, 123456789.125, 1e300};
	float f = 0.1f;
	uint64_t h = SUM_START;
	char text[64];

	for (int i = 0; i < some(30); i++) {
		d = d * 1.7 + i;
		f = (float)d * 0.3f + f;
		big = big > 1e17 ? big / 1000 : big * 1.5;
		h = mixd(mixd(h, d), (double)f);
		h = mix(mix(h, (uint64_t)(int64_t)-big), (uint64_t)big);
		h = mix(h, (uint64_t)(uint32_t)(int32_t)f);
		h = mixd(mixd(h, (double)(uint64_t)h), (double)(float)(int64_t)h);
		snprintf(text, sizeof(text), "%.17g", d);
		if (strtod(text, NULL) != d)
			printf("%s does not come back\n", text);
		if (i % 6 == 0)
			printf("%g %e %.3f %a %.9g\n", d, d, d, ldexp(1.0, i - 10), (double)f);
	}
	for (int i = 0; i < some(7); i++)
		printf("%g|%10.2f|%-12.4e|%+.0f|%d\n", values[i], fmod(values[i], 1e6), values[i],
		       fmod(values[i], 1e4), signbit(values[i]) != 0);
	printf("%g %g %g\n", (double)INFINITY, floor(-2.5), round(2.5));
	printf("%ld %ld\n", lrint(2.5), lrint(3.5));
	show("values", h);
	return 0;
}
