/*
 * Product and quotient of long double complex numbers, which the compiler calls for. libgcc's hand the
 * result over as each platform does; in a bundle both ISAs return it in registers, so these
 * are compiled like the rest of the C library. C17, annex G.5.1.
 */
#include <math.h>

typedef long double _Complex wide;

wide __multc3(long double a, long double b, long double c, long double d);
wide __divtc3(long double a, long double b, long double c, long double d);

static wide of(long double re, long double im)
{
	wide z;

	__real__ z = re;
	__imag__ z = im;
	return z;
}

/* An infinite part counts as 1, a finite one as 0, with its sign. */
static long double boxed(long double x)
{
	return copysignl(isinf(x) ? 1 : 0, x);
}

/* A NaN beside an infinity counts as 0, with its sign. */
static long double quiet(long double x)
{
	return isnan(x) ? copysignl(0, x) : x;
}

wide __multc3(long double a, long double b, long double c, long double d)
{
	long double ac = a * c, bd = b * d, ad = a * d, bc = b * c;
	long double x = ac - bd, y = ad + bc;
	int again = 0;

	if (!isnan(x) || !isnan(y))
		return of(x, y);
	if (isinf(a) || isinf(b)) {
		a = boxed(a), b = boxed(b), c = quiet(c), d = quiet(d);
		again = 1;
	}
	if (isinf(c) || isinf(d)) {
		c = boxed(c), d = boxed(d), a = quiet(a), b = quiet(b);
		again = 1;
	}
	if (!again && (isinf(ac) || isinf(bd) || isinf(ad) || isinf(bc))) {
		a = quiet(a), b = quiet(b), c = quiet(c), d = quiet(d);
		again = 1;
	}
	return again ? of(INFINITY * (a * c - b * d), INFINITY * (a * d + b * c)) : of(x, y);
}

wide __divtc3(long double a, long double b, long double c, long double d)
{
	long double scale = logbl(fmaxl(fabsl(c), fabsl(d))), denominator, x, y;
	int by = 0;

	if (isfinite(scale)) {
		by = (int)scale;
		c = scalbnl(c, -by);
		d = scalbnl(d, -by);
	}
	denominator = c * c + d * d;
	x = scalbnl((a * c + b * d) / denominator, -by);
	y = scalbnl((b * c - a * d) / denominator, -by);
	if (!isnan(x) || !isnan(y))
		return of(x, y);
	if (denominator == 0 && (!isnan(a) || !isnan(b)))
		return of(copysignl(INFINITY, c) * a, copysignl(INFINITY, c) * b);
	if ((isinf(a) || isinf(b)) && isfinite(c) && isfinite(d)) {
		a = boxed(a), b = boxed(b);
		return of(INFINITY * (a * c + b * d), INFINITY * (b * c - a * d));
	}
	if (isinf(scale) && scale > 0 && isfinite(a) && isfinite(b)) {
		c = boxed(c), d = boxed(d);
		return of(0 * (a * c + b * d), 0 * (b * c - a * d));
	}
	return of(x, y);
}
