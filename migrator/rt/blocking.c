/*
 * System calls that may block, other than futex(2): how each is made so that a stop breaks it off
 * and it is made again with what is left of its time. docs/runtime.md, "Calls that wait".
 *
 * The kernel makes most of them again by itself after a signal, so that to break them off before
 * they have had an effect and to begin anew is nothing a program can tell. poll, epoll_wait, sleeps
 * and waits for signals are not made again by it; their time is kept in `wait`.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "migrator/rt/locks.h"

#define SECOND 1000000000ll

/* The program's mask for the time of the call, which must not keep the request away. */
static long mask_for_kernel(long mask, uint64_t *room)
{
	if (!mask)
		return 0;
	*room = signals_kernel_mask(*(const uint64_t *)mask);
	return (long)room;
}

static long block_poll(struct drover_wait *w, const long *a)
{
	int64_t left[2];
	uint64_t mask;

	return wait_call(SYS_ppoll, a[0], a[1], (long)wait_left(w, (const int64_t *)a[2], left),
			 mask_for_kernel(a[3], &mask), a[4], 0);
}

static long block_select(struct drover_wait *w, const long *a)
{
	const long *given = (const long *)a[5];
	long data[2] = {0, 8};
	int64_t left[2];
	uint64_t mask;

	if (given)
		data[0] = mask_for_kernel(given[0], &mask);
	return wait_call(SYS_pselect6, a[0], a[1], a[2], a[3],
			 (long)wait_left(w, (const int64_t *)a[4], left), given ? (long)data : 0);
}

static long block_epoll(struct drover_wait *w, const long *a)
{
	const int64_t timeout[2] = {a[3] / 1000, a[3] % 1000 * 1000000};
	const int64_t *l;
	int64_t left[2];
	uint64_t mask;
	long ms = a[3], r;

	if (ms > 0) {
		l = wait_left(w, timeout, left);
		ms = l[0] * 1000 + (l[1] + 999999) / 1000000;
	}
	r = wait_call(SYS_epoll_pwait, a[0], a[1], a[2], ms, mask_for_kernel(a[4], &mask), a[5]);
	return arch_epoll_events(r, (void *)a[1]);
}

static long block_sigtimedwait(struct drover_wait *w, const long *a)
{
	int64_t left[2];

	return wait_call(SYS_rt_sigtimedwait, a[0], a[1],
			 (long)wait_left(w, (const int64_t *)a[2], left), a[3], 0, 0);
}

static long block_sleep(struct drover_wait *w, long id, long flags, const int64_t *request,
			int64_t *remaining)
{
	int64_t left[2];
	const int64_t *t;
	long r;

	if (!request)
		return -EFAULT;
	/* Time that a processor spends passes with the program. */
	if (id != CLOCK_MONOTONIC && id != CLOCK_REALTIME && id != CLOCK_BOOTTIME)
		return clocks_nanosleep((int)id, (int)flags, request, remaining);
	if (flags & TIMER_ABSTIME) {
		int64_t ns;

		if (request[0] < 0 || request[1] < 0 || request[1] >= SECOND ||
		    request[0] > INT64_MAX / SECOND / 4)
			return wait_call(SYS_clock_nanosleep, id, flags, (long)request, 0, 0, 0);
		ns = request[0] * SECOND + request[1] - clocks_offset((int)id);
		ns = ns > 0 ? ns : 0;
		left[0] = ns / SECOND;
		left[1] = ns % SECOND;
		return wait_call(SYS_clock_nanosleep, id, flags, (long)left, 0, 0, 0);
	}
	t = wait_left(w, request, left);
	r = wait_call(SYS_clock_nanosleep, id, 0, (long)t, 0, 0, 0);
	if (r == -EINTR && remaining) {
		t = wait_left(w, request, left);
		remaining[0] = t[0];
		remaining[1] = t[1];
	}
	return r;
}

/* What is a descriptor afterwards. */
static long block_accept(long n, const long *a)
{
	long r = wait_call(n, a[0], a[1], a[2], a[3], 0, 0);

	if (r >= 0)
		files_accepted(a[0], r);
	return r;
}

static long block_recvmsg(long n, const long *a)
{
	long r = wait_call(n, a[0], a[1], a[2], 0, 0, 0);

	if (r >= 0)
		files_received((const void *)a[1]);
	return r;
}

/* What was broken off goes on being made. */
static long block_connect(long n, const long *a)
{
	long r = wait_call(n, a[0], a[1], a[2], 0, 0, 0);

	if (!r || r == -EINPROGRESS || r == -EINTR || r == DROVER_AGAIN)
		files_connected(a[0]);
	return r;
}

long blocking_call(struct drover_wait *w, bool *known, long n, const long *a)
{
	uint64_t mask;

	*known = true;
	switch (n) {
	case SYS_read:
	case SYS_write:
	case SYS_readv:
	case SYS_writev:
	case SYS_pread64:
	case SYS_pwrite64:
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_sendto:
	case SYS_recvfrom:
	case SYS_sendmsg:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_flock:
		return wait_call(n, a[0], a[1], a[2], a[3], a[4], a[5]);
	case SYS_fcntl:
		if (a[1] == F_SETLKW)
			return locks_fcntl(a[0], a[1], a[2], wait_call);
		if (a[1] == F_OFD_SETLKW)
			return wait_call(n, a[0], a[1], a[2], 0, 0, 0);
		break;
	case SYS_recvmsg:
		return block_recvmsg(n, a);
	case SYS_connect:
		return block_connect(n, a);
	case SYS_accept:
	case SYS_accept4:
		return block_accept(n, a);
	case SYS_ppoll:
		return block_poll(w, a);
	case SYS_pselect6:
		return block_select(w, a);
	case SYS_epoll_pwait:
		return block_epoll(w, a);
	case SYS_rt_sigsuspend:
		return wait_call(n, mask_for_kernel(a[0], &mask), a[1], 0, 0, 0, 0);
	case SYS_rt_sigtimedwait:
		return block_sigtimedwait(w, a);
	case SYS_nanosleep:
		return block_sleep(w, CLOCK_MONOTONIC, 0, (const int64_t *)a[0], (int64_t *)a[1]);
	case SYS_clock_nanosleep:
		return block_sleep(w, a[0], a[1], (const int64_t *)a[2], (int64_t *)a[3]);
	default:
		break;
	}
	*known = false;
	return 0;
}
