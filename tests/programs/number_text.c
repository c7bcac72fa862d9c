/* Numbers to text and back: strtod, printf of every float form, long double, and rounding. */
#include <math.h>
#include <stdlib.h>

#include "sum.h"

int main(void)
{
	static const char *const texts[] = {"1.5", "-2.5e10", "0x1.8p3", "1e-300", "123456789.125"};
	uint64_t h = SUM_START;
	double sum = 0;

	for (int i = 0; i < 5; i++) {
		char text[64], *end;
		double d = strtod(texts[i], &end);
		sum += d;
		snprintf(text, sizeof text, "%a|%.17g|%.3e|%f", d, d / 3, d * 7, d / 1e10);
		h = mixs(h, text);
		h = mixd(h, sqrt(fabs(d)) + floor(d / 7) + ldexp(d, -3));
		h = mix(h, (uint64_t)(end - texts[i]));
	}
	show("text", h);
	printf("%.17g %d %ld\n", sum, atoi("  -42x"), strtol("ff", NULL, 16));
	return 0;
}
