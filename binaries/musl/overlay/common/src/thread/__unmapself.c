/* The end of a detached thread. Its native stack is the runtime's, so what musl mapped for it can go
 * first; nothing may be on the common stack by then. */
#include <stddef.h>

#include "pthread_impl.h"

_Noreturn void __drover_thread_end(void *base, size_t size);

void __unmapself(void *base, size_t size)
{
	__drover_thread_end(base, size);
}
