/*
 * Where a system call of the instrumented parts of the C library is made. The runtime breaks a call
 * that blocks off when the program is to stop; the loop has a migration point, and after it, here or
 * on the other ISA, the call is made again.
 */
#include "abi.h"

long __drover_block(long n, long a, long b, long c, long d, long e, long f)
{
	struct drover_wait w = {0};
	long r;

	do
		r = __drover_try(&w, n, a, b, c, d, e, f);
	while (r == DROVER_AGAIN);
	return r;
}
