/* See __syscall_cp.c. */
#include "pthread_impl.h"

extern long (*__drover_cancel)(void);

void __pthread_testcancel()
{
	pthread_t self = __pthread_self();

	if (self->cancel && !self->canceldisable && __drover_cancel)
		__drover_cancel();
}

weak_alias(__pthread_testcancel, pthread_testcancel);
