/*
 * System calls that are cancellation points. A request to cancel is looked for before the call and
 * after it was interrupted; the signal that comes with the request ends a call that blocks, and a
 * call that has not begun yet (the runtime sees to that), so no request is slept over.
 */
#include "pthread_impl.h"
#include "syscall.h"

/* Set by the first pthread_cancel; programs without one do not carry it. */
long (*__drover_cancel)(void);

long (__syscall_cp)(syscall_arg_t nr, syscall_arg_t u, syscall_arg_t v, syscall_arg_t w,
		    syscall_arg_t x, syscall_arg_t y, syscall_arg_t z)
{
	pthread_t self = __pthread_self();
	int state = self->canceldisable;
	long r;

	if (state == PTHREAD_CANCEL_DISABLE || (state && nr == SYS_close))
		return __syscall(nr, u, v, w, x, y, z);
	if (self->cancel && __drover_cancel)
		return __drover_cancel();
	r = __syscall(nr, u, v, w, x, y, z);
	if (r == -EINTR && nr != SYS_close && self->cancel && __drover_cancel)
		r = __drover_cancel();
	return r;
}
