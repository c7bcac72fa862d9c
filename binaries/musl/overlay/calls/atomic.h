/* What the library functions that call back need of musl's atomic.h, without inline assembly. */
#ifndef _ATOMIC_H
#define _ATOMIC_H

#include <stdint.h>

static inline int a_ctz_l(unsigned long x)
{
	return __builtin_ctzl(x);
}

#endif
