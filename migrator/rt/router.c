/*
 * All system calls of the C library and the program come here, with canonical numbers. What touches
 * memory layout, descriptors, signals, identity or time is answered by the runtime; the rest goes
 * to the kernel.
 */
#include "migrator/rt/kept.h"
#include "migrator/rt/locks.h"
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- identity ------------------------------------------------------------- */

long route_own_id(long id)
{
	return id == (long)rt.pid ? kernel(SYS_getpid, 0) : id;
}

static long own_thread(long id)
{
	long known = id > 0 ? threads_kernel_id((uint32_t)id) : 0;

	return known ? known : id;
}

/* A child of fork is its own process, without a supervisor. */
static long route_clone(long a, long b, long c, long d, long e)
{
	bool forks = !(a & CLONE_VM);
	long r;

	/* What the lock guards must be whole in the child. */
	if (forks)
		stop_lock();
	r = kernel(SYS_clone, a, b, c, d, e);
	if (r && forks)
		stop_unlock();
	if (!r && forks) {
		rt.pid = rt.kernel_pid = (uint32_t)kernel(SYS_getpid, 0);
		locks_forked();
		threads_forked(rt.pid);
		stop_forked();
		timers_forked();
		kept_forked();
		if (rt.ctl >= 0) {
			kernel(SYS_close, rt.ctl);
			kernel(SYS_close, rt.image_out);
			kernel(SYS_close, rt.image_in);
		}
		rt.ctl = rt.image_out = rt.image_in = -1;
		rt.planned = rt.wanted = false;
		/* A request that came just before was the parent's. */
		rt.request = 0;
		__atomic_fetch_and(&thread_self()->interrupt, ~INTERRUPT_STOP, __ATOMIC_SEQ_CST);
		__drover_poll = 0;
	}
	return r;
}

static long route_identity(long n, long a, long b, long c, long d)
{
	switch (n) {
	case SYS_getpid:
		return rt.pid ? (long)rt.pid : kernel(n, 0);
	case SYS_gettid:
		return rt.pid ? (long)thread_self()->tid : kernel(n, 0);
	case SYS_set_tid_address:
		thread_self()->clear = (volatile int *)a;
		return rt.pid ? (long)thread_self()->tid : kernel(SYS_gettid, 0);
	case SYS_tgkill:
	case SYS_rt_tgsigqueueinfo:
		return kernel(n, route_own_id(a), own_thread(b), c, d);
	case SYS_tkill:
	case SYS_sched_getaffinity:
	case SYS_sched_setaffinity:
	case SYS_sched_setscheduler:
	case SYS_sched_getscheduler:
	case SYS_sched_setparam:
	case SYS_sched_getparam:
		return kernel(n, own_thread(a), b, c, d);
	case SYS_prlimit64:
		if (!a || a == (long)rt.pid)
			return timers_limit(b, (const uint64_t *)c, (uint64_t *)d);
		return kernel(n, a, b, c, d);
	default: /* kill, rt_sigqueueinfo, getpgid, ...: the id comes first */
		return kernel(n, route_own_id(a), b, c, d);
	}
}

/* ---- blocking calls ------------------------------------------------------- */

/* A call that a migration request, and nothing of the program's, interrupted is made again. */
static bool interrupted_by_request(long r, uint32_t delivered_before)
{
	return r == -EINTR && thread_self()->delivered == delivered_before && rt.ctl >= 0;
}

/* ppoll and pselect6 with the time that remains; what the kernel leaves in the argument is not the
 * same everywhere. */
static long route_poll(long n, long a, long b, long c, long d, long e, long f)
{
	const int64_t *timeout = (const int64_t *)(n == SYS_ppoll ? c : e);
	int64_t left[2] = {0, 0};
	uint64_t end = 0;

	if (timeout) {
		left[0] = timeout[0];
		left[1] = timeout[1];
		end = rt_now() + (uint64_t)left[0] * 1000000000u + (uint64_t)left[1];
	}
	for (;;) {
		uint32_t before = thread_self()->delivered;
		long t = timeout ? (long)left : 0;
		long r = n == SYS_ppoll ? arch_kernel(n, a, b, t, d, e, f)
					: arch_kernel(n, a, b, c, d, t, f);
		uint64_t now;

		if (!interrupted_by_request(r, before))
			return r;
		now = rt_now();
		now = now < end ? end - now : 0;
		left[0] = (int64_t)(now / 1000000000u);
		left[1] = (int64_t)(now % 1000000000u);
	}
}

static long route_suspend(long mask, long size)
{
	for (;;) {
		uint32_t before = thread_self()->delivered;
		long r = kernel(SYS_rt_sigsuspend, mask, size);

		if (!interrupted_by_request(r, before))
			return r;
	}
}

/* Milliseconds have to be counted here. */
static long route_epoll_wait(long a, long b, long c, long d, long e, long f)
{
	uint64_t end = rt_now() + (d > 0 ? (uint64_t)d * 1000000u : 0);

	for (;;) {
		uint32_t before = thread_self()->delivered;
		long r = arch_kernel(SYS_epoll_pwait, a, b, c, d, e, f);
		uint64_t now;

		if (!interrupted_by_request(r, before))
			return r;
		now = rt_now();
		if (d > 0)
			d = now < end ? (long)((end - now + 999999) / 1000000) : 0;
	}
}

/* ---- the rest ------------------------------------------------------------- */

static _Noreturn void route_exit(long status)
{
	if (rt.ctl >= 0) {
		uint64_t a[] = {rt.points, rt.captures};

		control_send(DROVER_MSG_POINTS, (int32_t)status, a, 2, NULL);
	}
	rt_exit((int)status);
}

static long route_time(long n, long a, long b, long c, long d)
{
	switch (n) {
	case SYS_clock_gettime:
		return clocks_get((int)a, (int64_t *)b);
	case SYS_clock_nanosleep:
		return clocks_nanosleep((int)a, (int)b, (const int64_t *)c, (int64_t *)d);
	case SYS_nanosleep:
		return clocks_nanosleep(CLOCK_MONOTONIC, 0, (const int64_t *)a, (int64_t *)b);
	default: { /* gettimeofday */
		int64_t ts[2], *tv = (int64_t *)a;
		long r = clocks_get(CLOCK_REALTIME, ts);

		if (!r && tv) {
			tv[0] = ts[0];
			tv[1] = ts[1] / 1000;
		}
		return r;
	}
	}
}

static long change_memory(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n) {
	case SYS_mmap:
		return memory_mmap((uint64_t)a, (uint64_t)b, (int)c, (int)d, (int)e, f);
	case SYS_munmap:
		return memory_munmap((uint64_t)a, (uint64_t)b);
	case SYS_mremap:
		return memory_mremap((uint64_t)a, (uint64_t)b, (uint64_t)c, (int)d, (uint64_t)e);
	case SYS_madvise:
		return memory_madvise((uint64_t)a, (uint64_t)b, (int)c);
	default:
		return memory_mprotect((uint64_t)a, (uint64_t)b, (int)c);
	}
}

/* One change at a time; with threads a handler must not come in between either. */
static long route_memory(long n, long a, long b, long c, long d, long e, long f)
{
	uint64_t mask;
	long r;

	if (n == SYS_brk) /* there is none, so that malloc maps */
		return 0;
	if (threads_end == 1)
		return change_memory(n, a, b, c, d, e, f);
	signals_block_all(&mask);
	stop_lock();
	r = change_memory(n, a, b, c, d, e, f);
	stop_unlock();
	signals_set_mask(mask);
	return r;
}

/* The C library sees to mutexes of threads that end; the kernel only to processes that die. An
 * emulator does not, and says so, which must not change a program's mutexes. */
static long route_robust_list(long n, long a, long b, long c)
{
	long r = arch_kernel(n, a, b, c, 0, 0, 0);

	return r == -ENOSYS ? 0 : r;
}

static long route_clocks(long n, long a, long b, long c, long d)
{
	switch (n) {
	case SYS_timerfd_settime:
		return timers_timerfd(a, b, (const int64_t *)c, (int64_t *)d, files_timer_clock(a));
	case SYS_getrusage:
		return timers_rusage(a, (int64_t *)b);
	case SYS_times:
		return timers_times((int64_t *)a);
	case SYS_timer_create:
	case SYS_timer_delete:
	case SYS_timer_settime:
	case SYS_timer_gettime:
	case SYS_timer_getoverrun:
		return timers_call(n, a, b, c, d);
	default:
		return route_time(n, a, b, c, d);
	}
}

static long route_threads(long n, long a, long b, long c, long d, long e)
{
	switch (n) {
	case SYS_clone:
		return route_clone(a, b, c, d, e);
	case SYS_exit:
		thread_end(NULL, 0);
	case SYS_exit_group:
		route_exit(a);
	default:
		return route_robust_list(n, a, b, c);
	}
}

static long route_waits(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n) {
	case SYS_futex:
		return wait_futex(NULL, a, b, c, d, e, f);
	case SYS_rt_sigsuspend:
		return route_suspend(a, b);
	case SYS_epoll_pwait:
		return route_epoll_wait(a, b, c, d, e, f);
	default:
		return route_poll(n, a, b, c, d, e, f);
	}
}

/* ---- the whole ------------------------------------------------------------ */

/* Who answers a system call. */
enum answers {
	KERNEL, /* as it is */
	NOBODY, /* state that stays in one kernel, and what this C library does not call */
	MEMORY,
	DESCRIPTORS,
	SIGNALS,
	IDENTITY,
	THREADS,
	CLOCKS,
	WAITS,
};

static const uint8_t answers[] = {
	[SYS_mmap] = MEMORY,
	[SYS_munmap] = MEMORY,
	[SYS_mremap] = MEMORY,
	[SYS_mprotect] = MEMORY,
	[SYS_madvise] = MEMORY,
	[SYS_brk] = MEMORY,
	[SYS_dup] = DESCRIPTORS,
	[SYS_dup3] = DESCRIPTORS,
	[SYS_fcntl] = DESCRIPTORS,
	[SYS_close] = DESCRIPTORS,
	[SYS_close_range] = DESCRIPTORS,
	[SYS_shutdown] = DESCRIPTORS,
	[SYS_connect] = DESCRIPTORS,
	[SYS_listen] = DESCRIPTORS,
	[SYS_setsockopt] = DESCRIPTORS,
	[SYS_recvmsg] = DESCRIPTORS,
	[SYS_recvmmsg] = DESCRIPTORS,
	[SYS_ioctl] = DESCRIPTORS,
	[SYS_pipe2] = DESCRIPTORS,
	[SYS_socketpair] = DESCRIPTORS,
	[SYS_openat] = DESCRIPTORS,
	[SYS_memfd_create] = DESCRIPTORS,
	[SYS_eventfd2] = DESCRIPTORS,
	[SYS_epoll_create1] = DESCRIPTORS,
	[SYS_signalfd4] = DESCRIPTORS,
	[SYS_timerfd_create] = DESCRIPTORS,
	[SYS_inotify_init1] = DESCRIPTORS,
	[SYS_fanotify_init] = DESCRIPTORS,
	[SYS_socket] = DESCRIPTORS,
	[SYS_accept] = DESCRIPTORS,
	[SYS_accept4] = DESCRIPTORS,
	[SYS_pidfd_open] = DESCRIPTORS,
	[SYS_pidfd_getfd] = DESCRIPTORS,
	[SYS_perf_event_open] = DESCRIPTORS,
	[SYS_userfaultfd] = DESCRIPTORS,
	[SYS_bpf] = DESCRIPTORS,
	[SYS_open_tree] = DESCRIPTORS,
	[SYS_fsopen] = DESCRIPTORS,
	[SYS_fsmount] = DESCRIPTORS,
	[SYS_fspick] = DESCRIPTORS,
	[SYS_landlock_create_ruleset] = DESCRIPTORS,
	[SYS_mq_open] = DESCRIPTORS,
	[SYS_rt_sigaction] = SIGNALS,
	[SYS_rt_sigprocmask] = SIGNALS,
	[SYS_getpid] = IDENTITY,
	[SYS_gettid] = IDENTITY,
	[SYS_set_tid_address] = IDENTITY,
	[SYS_kill] = IDENTITY,
	[SYS_tkill] = IDENTITY,
	[SYS_tgkill] = IDENTITY,
	[SYS_rt_sigqueueinfo] = IDENTITY,
	[SYS_rt_tgsigqueueinfo] = IDENTITY,
	[SYS_getpgid] = IDENTITY,
	[SYS_setpgid] = IDENTITY,
	[SYS_getsid] = IDENTITY,
	[SYS_prlimit64] = IDENTITY,
	[SYS_sched_getaffinity] = IDENTITY,
	[SYS_sched_setaffinity] = IDENTITY,
	[SYS_sched_setscheduler] = IDENTITY,
	[SYS_sched_getscheduler] = IDENTITY,
	[SYS_sched_setparam] = IDENTITY,
	[SYS_sched_getparam] = IDENTITY,
	[SYS_clone] = THREADS,
	[SYS_exit] = THREADS,
	[SYS_exit_group] = THREADS,
	[SYS_set_robust_list] = THREADS,
	[SYS_get_robust_list] = THREADS,
	[SYS_clock_gettime] = CLOCKS,
	[SYS_clock_nanosleep] = CLOCKS,
	[SYS_nanosleep] = CLOCKS,
	[SYS_gettimeofday] = CLOCKS,
	[SYS_timer_create] = CLOCKS,
	[SYS_timer_delete] = CLOCKS,
	[SYS_timer_settime] = CLOCKS,
	[SYS_timer_gettime] = CLOCKS,
	[SYS_timer_getoverrun] = CLOCKS,
	[SYS_timerfd_settime] = CLOCKS,
	[SYS_getrusage] = CLOCKS,
	[SYS_times] = CLOCKS,
	[SYS_futex] = WAITS,
	[SYS_ppoll] = WAITS,
	[SYS_pselect6] = WAITS,
	[SYS_rt_sigsuspend] = WAITS,
	[SYS_epoll_pwait] = WAITS,
	[SYS_shmget] = NOBODY,
	[SYS_shmat] = NOBODY,
	[SYS_shmdt] = NOBODY,
	[SYS_shmctl] = NOBODY,
	[SYS_semget] = NOBODY,
	[SYS_semop] = NOBODY,
	[SYS_semctl] = NOBODY,
	[SYS_semtimedop] = NOBODY,
	[SYS_msgget] = NOBODY,
	[SYS_msgsnd] = NOBODY,
	[SYS_msgrcv] = NOBODY,
	[SYS_msgctl] = NOBODY,
	[SYS_clone3] = NOBODY,
	[SYS_openat2] = NOBODY,
	[SYS_open_by_handle_at] = NOBODY,
	[SYS_io_uring_setup] = NOBODY,
	[SYS_remap_file_pages] = NOBODY,
	[SYS_epoll_pwait2] = NOBODY,
};

long __drover_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n >= 0 && (size_t)n < sizeof(answers) ? answers[n] : KERNEL) {
	case NOBODY:
		return -ENOSYS;
	case MEMORY:
		return route_memory(n, a, b, c, d, e, f);
	case DESCRIPTORS:
		return route_files(n, a, b, c, d, e, f);
	case SIGNALS:
		return n == SYS_rt_sigaction
			       ? signals_action((int)a, (const void *)b, (void *)c, (size_t)d)
			       : signals_mask((int)a, (const uint64_t *)b, (uint64_t *)c,
					      (size_t)d);
	case IDENTITY:
		return route_identity(n, a, b, c, d);
	case THREADS:
		return route_threads(n, a, b, c, d, e);
	case CLOCKS:
		return route_clocks(n, a, b, c, d);
	case WAITS:
		return route_waits(n, a, b, c, d, e, f);
	default:
		return arch_kernel(n, a, b, c, d, e, f);
	}
}
