/*
 * System calls that make, end or change descriptors: the table of what is open (files.c) follows
 * them.
 */
#include "migrator/rt/locks.h"
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* ---- results that are a descriptor or two --------------------------------- */

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

/* ---- calls ---------------------------------------------------------------- */

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
		arg = route_own_id(arg);
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

long route_files(long n, long a, long b, long c, long d, long e, long f)
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
		return opened(kernel(n, route_own_id(a), b));
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
