/* What sigsetjmp does beyond setjmp, for instrumented code, which calls the native setjmp itself
 * (binaries/plugin/jumps.cpp) and this behind it, each time it returns. */
#include <setjmp.h>

#include "features.h"

hidden int __sigsetjmp_tail(sigjmp_buf buffer, int result);
int __drover_jump_mask(sigjmp_buf buffer, int save, int result);

int __drover_jump_mask(sigjmp_buf buffer, int save, int result)
{
	return save ? __sigsetjmp_tail(buffer, result) : result;
}
