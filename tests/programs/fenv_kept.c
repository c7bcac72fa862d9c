/* The floating-point environment: rounding mode and exception flags stay while the program moves.
 */
#include "sum.h"

#include <fenv.h>
#include <math.h>

static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
static const int flags[] = {FE_INEXACT, FE_DIVBYZERO, FE_OVERFLOW, FE_UNDERFLOW, FE_INVALID};

static int mode_number(void)
{
	for (int i = 0; i < 4; i++)
		if (fegetround() == modes[i])
			return i;
	return -1;
}

static int flags_number(void)
{
	int n = 0;

	for (int i = 0; i < 5; i++)
		n |= (fetestexcept(flags[i]) != 0) << i;
	return n;
}

int main(void)
{
	volatile double one = 1, three = 3, zero = 0, big = 1e300, r;
	uint64_t h = SUM_START;
	fenv_t kept;

	for (int i = 0; i < some(12); i++) {
		fesetround(modes[i % 4]);
		feclearexcept(FE_ALL_EXCEPT);
		r = one / three;
		h = mixd(h, r);
		if (i % 3 == 0)
			r = one / zero;
		if (i % 5 == 1)
			r = big * big;
		printf("%d: mode %d", i, mode_number());
		/* the text above may raise flags of its own: integers alone do not */
		printf(", flags %d\n", flags_number());
		h = mixd(h, rint(2.5 + i));
		if (i == 6) {
			fegetenv(&kept);
			feholdexcept(&kept);
		}
		if (i == 7)
			fesetenv(&kept);
		h = mix(h, (uint64_t)mode_number());
	}
	fesetenv(FE_DFL_ENV);
	show("environment", h);
	return 0;
}
