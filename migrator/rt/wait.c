/*
 * System calls that may block, and how a stop or a cancellation breaks them off: docs/runtime.md,
 * "Calls that wait". __drover_block (binaries/musl/overlay/calls) calls __drover_try in a loop with
 * a migration point.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>

#define SECOND 1000000000

/* Whether handlers that have run since the count was `before` end a call: some calls go on after
 * one with SA_RESTART, signal(7). */
static bool ended_by_handler(long n, uint32_t before, uint32_t now)
{
	switch (n) {
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_epoll_pwait:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
		return now != before;
	default:
		return now >> 16 != before >> 16;
	}
}

long wait_call(long n, long a, long b, long c, long d, long e, long f)
{
	struct rt_thread *self = thread_self();
	uint32_t before = self->delivered;
	long number = arch_number(n), r;

	if (number < 0)
		return -ENOSYS;
	r = arch_wait(&self->interrupt, number, a, b, c, d, e, f);
	if (r != DROVER_AGAIN)
		return r;
	/* A handler of the program that ran meanwhile has ended the call, as it would have. */
	if (ended_by_handler(n, before, self->delivered))
		return -EINTR;
	if (self->interrupt & INTERRUPT_CANCEL) {
		__atomic_fetch_and(&self->interrupt, ~INTERRUPT_CANCEL, __ATOMIC_SEQ_CST);
		if (__drover_libc_cancelled())
			return -EINTR;
	}
	/* What was asked for may have been met by others meanwhile, and the poll be clear again.
	 * The mark in `interrupt` goes where the thread passes a point, so the next one is taken;
	 * else it would try for ever. */
	if (self->interrupt & INTERRUPT_STOP)
		__drover_poll = 1;
	return DROVER_AGAIN;
}

const int64_t *wait_left(struct drover_wait *w, const int64_t *timeout, int64_t *left)
{
	int64_t now[2];

	if (!timeout || timeout[0] < 0 || timeout[1] < 0 || timeout[1] >= SECOND)
		return timeout; /* for ever, or for the kernel to refuse */
	clocks_get(CLOCK_MONOTONIC, now);
	if (!(w->begun & DROVER_WAIT_DEADLINE)) {
		w->begun |= DROVER_WAIT_DEADLINE;
		w->deadline_ns =
			timeout[0] > INT64_MAX / SECOND / 4
				? INT64_MAX
				: timeout[0] * SECOND + timeout[1] + now[0] * SECOND + now[1];
	}
	left[0] = w->deadline_ns - now[0] * SECOND - now[1];
	left[0] = left[0] < 0 ? 0 : left[0];
	left[1] = left[0] % SECOND;
	left[0] /= SECOND;
	return left;
}

/* ---- futex(2) ------------------------------------------------------------- */

enum { FUTEX_WAIT = 0, FUTEX_LOCK_PI = 6, FUTEX_UNLOCK_PI = 7, FUTEX_TRYLOCK_PI = 8 };
enum { FUTEX_WAIT_BITSET = 9, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_CMP_REQUEUE_PI = 12 };
enum { FUTEX_LOCK_PI2 = 13, FUTEX_OPERATION = 127, FUTEX_REALTIME = 256 };

/* Priority inheritance keeps the kernel's thread ids in the program's memory. */
static bool inherits_priority(long op)
{
	op &= FUTEX_OPERATION;
	return (op >= FUTEX_LOCK_PI && op <= FUTEX_TRYLOCK_PI) || op == FUTEX_LOCK_PI2 ||
	       op == FUTEX_WAIT_REQUEUE_PI || op == FUTEX_CMP_REQUEUE_PI;
}

long wait_futex(struct drover_wait *w, long a, long op, long c, long d, long e, long f)
{
	int64_t left[2];
	const int64_t *t = (const int64_t *)d;

	if (inherits_priority(op))
		return -ENOSYS;
	switch (op & FUTEX_OPERATION) {
	case FUTEX_WAIT:
		if (w)
			t = wait_left(w, t, left);
		break;
	case FUTEX_WAIT_BITSET:
		if (t && t[0] < INT64_MAX / SECOND / 4) { /* absolute, on the program's clock */
			int64_t ns = t[0] * SECOND + t[1] -
				     clocks_offset(op & FUTEX_REALTIME ? CLOCK_REALTIME
								       : CLOCK_MONOTONIC);

			left[0] = ns / SECOND;
			left[1] = ns % SECOND;
			t = ns < 0 ? (left[0] = left[1] = 0, left) : left;
		}
		break;
	default:
		return kernel(SYS_futex, a, op, c, d, e, f);
	}
	return w ? wait_call(SYS_futex, a, op, c, (long)t, e, f)
		 : kernel(SYS_futex, a, op, c, t, e, f);
}

/* ---- what compiled code calls --------------------------------------------- */

long __drover_try(struct drover_wait *w, long n, long a, long b, long c, long d, long e, long f)
{
	uint32_t delivered = thread_self()->delivered;
	const long args[] = {a, b, c, d, e, f};
	bool known;
	long r;

	if (!(w->begun & DROVER_WAIT_DELIVERED)) {
		w->begun |= DROVER_WAIT_DELIVERED;
		w->delivered = delivered;
	} else if (ended_by_handler(n, w->delivered, delivered)) {
		return -EINTR; /* at the migration point; the call would have ended */
	}
	if (n == SYS_futex)
		return wait_futex(w, a, b, c, d, e, f);
	/* Nothing is to be broken off where nobody asks for a migration, but for a cancellation. */
	r = blocking_call(w, &known, n, args);
	return known ? r : __drover_syscall(n, a, b, c, d, e, f);
}

/* One round of a loop that waits without sleeping. */
void __drover_spin(void);

void __drover_spin(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
