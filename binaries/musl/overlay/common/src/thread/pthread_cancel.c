/*
 * Cancellation; see __syscall_cp.c. The signal's handler does nothing for a thread with deferred
 * cancellation: that it came is enough. An asynchronous one ends the thread out of the handler.
 */
#define _GNU_SOURCE
#include <string.h>

#include "pthread_impl.h"
#include "syscall.h"

extern long (*__drover_cancel)(void);

static long cancel(void)
{
	pthread_t self = __pthread_self();

	if (self->canceldisable == PTHREAD_CANCEL_ENABLE || self->cancelasync)
		__pthread_exit(PTHREAD_CANCELED);
	self->canceldisable = PTHREAD_CANCEL_DISABLE;
	return -ECANCELED;
}

static void cancel_handler(int sig)
{
	pthread_t self = __pthread_self();

	a_barrier();
	if (self->cancel && self->cancelasync && self->canceldisable == PTHREAD_CANCEL_ENABLE)
		__pthread_exit(PTHREAD_CANCELED);
}

static void init_cancellation(void)
{
	struct sigaction sa = {.sa_handler = cancel_handler};

	memset(&sa.sa_mask, -1, _NSIG / 8);
	__libc_sigaction(SIGCANCEL, &sa, 0);
	__drover_cancel = cancel;
}

int pthread_cancel(pthread_t t)
{
	if (!__drover_cancel)
		init_cancellation();
	a_store(&t->cancel, 1);
	if (t == __pthread_self()) {
		if (t->canceldisable == PTHREAD_CANCEL_ENABLE && t->cancelasync)
			__pthread_exit(PTHREAD_CANCELED);
		return 0;
	}
	return pthread_kill(t, SIGCANCEL);
}
