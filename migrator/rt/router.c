/*
 * All system calls of the C library and the program come here, with canonical numbers. What touches
 * memory layout, descriptors, signals, identity or time is answered by the runtime; the rest goes
 * to the kernel.
 */
#include "migrator/rt/locks.h"
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

/* ---- calls whose result is a descriptor or two ---------------------------- */

static long opened(long r)
{
	if (r >= 0)
		files_opened(r);
	return r;
}

static long opened_two(long r, const int *fds)
{
	if (r >= 0) {
		files_opened(fds[0]);
		files_opened(fds[1]);
	}
	return r;
}

/* A process or thread id as the program knows it, for the kernel; negative ones name groups. */
static long own_id(long id)
{
	return id == (long)rt.pid ? kernel(SYS_getpid, 0) : id;
}

static bool hidden(long fd)
{
	return control_hidden(fd) || locks_hidden(fd);
}

/* A child of posix_spawn, before its exec, has our memory but descriptors of its own: what it does
 * about them is not to be noted. */
static bool in_borrowed_memory(void)
{
	return kernel(SYS_getpid, 0) != (long)rt.kernel_pid;
}

static long route_dup(long n, long a, long b, long c)
{
	long r;

	if (hidden(a) || (n == SYS_dup3 && hidden(b)))
		return -EBADF;
	if (in_borrowed_memory())
		return kernel(n, a, b, c);
	if (n == SYS_dup3 && a != b)
		locks_closing(b);
	r = kernel(n, a, b, c);
	if (r >= 0)
		files_duplicated(a, r);
	return r;
}

static long route_fcntl(long fd, long cmd, long arg)
{
	long r;

	if (hidden(fd))
		return -EBADF;
	if (cmd == F_SETLK || cmd == F_SETLKW || cmd == F_GETLK)
		return locks_fcntl(fd, cmd, arg, arch_kernel);
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) {
		r = kernel(SYS_fcntl, fd, cmd, arg);
		if (r >= 0)
			files_duplicated(fd, r);
		return r;
	}
	if (cmd == F_SETOWN)
		arg = own_id(arg);
	r = kernel(SYS_fcntl, fd, cmd, arg);
	if (cmd == F_GETFL && r >= 0)
		r &= ~O_LARGEFILE; /* said by some kernels and meant by all */
	return r;
}

static long route_close(long fd)
{
	if (hidden(fd))
		return -EBADF;
	if (fd >= 0 && !in_borrowed_memory()) {
		locks_closing(fd);
		files_closed((uint64_t)fd, (uint64_t)fd);
	}
	return kernel(SYS_close, fd);
}

/* Leaves the runtime's own descriptors open: they are above all others. */
static long route_close_range(uint64_t first, uint64_t last, long flags)
{
	const int own[] = {rt.ctl, rt.image_out, rt.image_in};

	for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
		if (own[i] >= 0 && first <= (uint64_t)own[i] && (uint64_t)own[i] <= last)
			last = (uint64_t)own[i] - 1;
	if (last < first)
		return 0;
	for (uint64_t fd = first; !flags && fd <= last && fd < RT_FDS; fd++)
		locks_closing((long)fd);
	if (!flags)
		files_closed(first, last);
	return kernel(SYS_close_range, first, last, flags);
}

static long route_files(long n, long a, long b, long c, long d, long e, long f)
{
	long r;

	switch (n) {
	case SYS_dup:
	case SYS_dup3:
		return route_dup(n, a, b, c);
	case SYS_fcntl:
		return route_fcntl(a, b, c);
	case SYS_close:
		return route_close(a);
	case SYS_close_range:
		return route_close_range((uint64_t)a, (uint64_t)b, c);
	case SYS_eventfd2:
		r = opened(kernel(n, a, b));
		files_made(r, DROVER_FILE_EVENT, b & 1); /* EFD_SEMAPHORE */
		return r;
	case SYS_signalfd4:
		r = kernel(n, a, b, c, d);
		if (r >= 0 && a < 0)
			files_opened(r);
		if (r >= 0)
			files_made(r, DROVER_FILE_SIGNAL, *(const uint64_t *)b);
		return r;
	case SYS_shutdown:
		r = kernel(n, a, b);
		if (!r)
			files_shut(a, b);
		return r;
	case SYS_socket:
		r = opened(kernel(n, a, b, c));
		files_made(r, DROVER_FILE_SOCKET, SOCKET_MADE(a, b, c));
		return r;
	case SYS_accept:
	case SYS_accept4:
		r = kernel(n, a, b, c, d);
		if (r >= 0)
			files_accepted(a, r);
		return r;
	case SYS_connect:
		r = kernel(n, a, b, c);
		if (!r || r == -EINPROGRESS || r == -EINTR)
			files_connected(a);
		return r;
	case SYS_listen:
		r = kernel(n, a, b);
		if (!r)
			files_listens(a, b);
		return r;
	case SYS_setsockopt:
		r = kernel(n, a, b, c, d, e);
		if (!r)
			files_option(a, b, c);
		return r;
	case SYS_recvmsg:
		r = kernel(n, a, b, c);
		if (r >= 0)
			files_received((const void *)b);
		return r;
	case SYS_recvmmsg:
		r = kernel(n, a, b, c, d, e);
		for (long i = 0; i < r; i++)
			files_received(&((const struct mmsghdr *)b)[i].msg_hdr);
		return r;
	case SYS_ioctl:
		r = kernel(n, a, b, c);
		return b == TIOCGPTPEER ? opened(r) : r;
	case SYS_pidfd_open:
		return opened(kernel(n, own_id(a), b));
	case SYS_timerfd_create:
		r = opened(kernel(n, a, b));
		files_made(r, DROVER_FILE_TIMER, (uint64_t)a);
		return r;
	case SYS_pipe2:
		return opened_two(kernel(n, a, b), (const int *)a);
	case SYS_socketpair:
		r = opened_two(kernel(n, a, b, c, d), (const int *)d);
		if (!r && a == AF_UNIX) {
			files_made(((const int *)d)[0], DROVER_FILE_PAIR, b & 15);
			files_made(((const int *)d)[1], DROVER_FILE_PAIR, b & 15);
			files_paired(((const int *)d)[0], ((const int *)d)[1]);
		}
		return r;
	case SYS_openat:
		r = arch_kernel(n, a, b, c, d, e, f);
		return in_borrowed_memory() ? r : opened(r);
	default:
		return opened(arch_kernel(n, a, b, c, d, e, f));
	}
}

/* ---- identity ------------------------------------------------------------- */

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
		return kernel(n, own_id(a), own_thread(b), c, d);
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
		return kernel(n, own_id(a), b, c, d);
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

/* ---- the whole ------------------------------------------------------------ */

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

/* State that stays in one kernel, or structures and calls this C library does not make. */
static bool bound_to_kernel(long n)
{
	switch (n) {
	case SYS_shmget:
	case SYS_shmat:
	case SYS_shmdt:
	case SYS_shmctl:
	case SYS_semget:
	case SYS_semop:
	case SYS_semctl:
	case SYS_semtimedop:
	case SYS_msgget:
	case SYS_msgsnd:
	case SYS_msgrcv:
	case SYS_msgctl:
	case SYS_clone3:
	case SYS_openat2:
	case SYS_open_by_handle_at:
	case SYS_io_uring_setup:
	case SYS_remap_file_pages:
	case SYS_epoll_pwait2:
		return true;
	default:
		return false;
	}
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

long __drover_syscall(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n) {
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mremap:
	case SYS_mprotect:
	case SYS_brk:
		return route_memory(n, a, b, c, d, e, f);
	case SYS_dup:
	case SYS_dup3:
	case SYS_fcntl:
	case SYS_close:
	case SYS_close_range:
	case SYS_shutdown:
	case SYS_connect:
	case SYS_listen:
	case SYS_setsockopt:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_ioctl:
	case SYS_pipe2:
	case SYS_socketpair:
	case SYS_openat:
	case SYS_memfd_create:
	case SYS_eventfd2:
	case SYS_epoll_create1:
	case SYS_signalfd4:
	case SYS_timerfd_create:
	case SYS_inotify_init1:
	case SYS_fanotify_init:
	case SYS_socket:
	case SYS_accept:
	case SYS_accept4:
	case SYS_pidfd_open:
	case SYS_pidfd_getfd:
	case SYS_perf_event_open:
	case SYS_userfaultfd:
	case SYS_bpf:
	case SYS_open_tree:
	case SYS_fsopen:
	case SYS_fsmount:
	case SYS_fspick:
	case SYS_landlock_create_ruleset:
	case SYS_mq_open:
		return route_files(n, a, b, c, d, e, f);
	case SYS_rt_sigaction:
		return signals_action((int)a, (const void *)b, (void *)c, (size_t)d);
	case SYS_rt_sigprocmask:
		return signals_mask((int)a, (const uint64_t *)b, (uint64_t *)c, (size_t)d);
	case SYS_getpid:
	case SYS_gettid:
	case SYS_set_tid_address:
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_getpgid:
	case SYS_setpgid:
	case SYS_getsid:
	case SYS_prlimit64:
	case SYS_sched_getaffinity:
	case SYS_sched_setaffinity:
	case SYS_sched_setscheduler:
	case SYS_sched_getscheduler:
	case SYS_sched_setparam:
	case SYS_sched_getparam:
		return route_identity(n, a, b, c, d);
	case SYS_futex:
		return wait_futex(NULL, a, b, c, d, e, f);
	case SYS_set_robust_list:
	case SYS_get_robust_list:
		return route_robust_list(n, a, b, c);
	case SYS_exit:
		thread_end(NULL, 0);
	case SYS_clone:
		return route_clone(a, b, c, d, e);
	case SYS_clock_gettime:
	case SYS_clock_nanosleep:
	case SYS_nanosleep:
	case SYS_gettimeofday:
	case SYS_timer_create:
	case SYS_timer_delete:
	case SYS_timer_settime:
	case SYS_timer_gettime:
	case SYS_timer_getoverrun:
	case SYS_timerfd_settime:
	case SYS_getrusage:
	case SYS_times:
		return route_clocks(n, a, b, c, d);
	case SYS_ppoll:
	case SYS_pselect6:
		return route_poll(n, a, b, c, d, e, f);
	case SYS_rt_sigsuspend:
		return route_suspend(a, b);
	case SYS_epoll_pwait:
		return route_epoll_wait(a, b, c, d, e, f);
	case SYS_exit_group:
		route_exit(a);
	default:
		return bound_to_kernel(n) ? -ENOSYS : arch_kernel(n, a, b, c, d, e, f);
	}
}
