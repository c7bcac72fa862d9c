/*
 * Canonical system calls on an x86-64 kernel. Only what the two kernels' user interfaces disagree
 * on is here (asm/fcntl.h, asm/stat.h, linux/eventpoll.h, clone(2)); everything else differs by
 * number alone.
 */
#include "migrator/rt/arch/arch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "image.h"

const uint32_t arch_isa = DROVER_ISA_X86_64;

long arch_raw(long n, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ __volatile__("syscall"
			     : "=a"(ret)
			     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			     : "rcx", "r11", "memory");
	return ret;
}

/* ---- open flags: the four bits that changed places ------------------------ */

static const struct {
	long canonical, native;
} open_bits[] = {
	{O_DIRECTORY, 0200000},
	{O_NOFOLLOW, 0400000},
	{O_DIRECT, 040000},
	{O_LARGEFILE, 0100000},
};

static long open_flags(long flags, int to_native)
{
	long from = 0, to = 0;

	for (unsigned i = 0; i < sizeof open_bits / sizeof *open_bits; i++) {
		long in = to_native ? open_bits[i].canonical : open_bits[i].native;

		from |= in;
		if (flags & in)
			to |= to_native ? open_bits[i].native : open_bits[i].canonical;
	}
	return (flags & ~from) | to;
}

static long kernel_fcntl(long fd, long cmd, long arg)
{
	long r;

	if (cmd == F_SETFL)
		arg = open_flags(arg, 1);
	r = arch_raw(72, fd, cmd, arg, 0, 0, 0);
	return cmd == F_GETFL && r >= 0 ? open_flags(r, 0) : r;
}

/* ---- struct stat ---------------------------------------------------------- */

struct stat_native {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad0;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	int64_t times[6];
	int64_t unused[3];
};

struct stat_canonical {
	uint64_t dev, ino;
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, pad;
	int64_t size;
	int32_t blksize, pad2;
	int64_t blocks;
	int64_t times[6];
	uint32_t unused[2];
};

static long stat_out(long r, const struct stat_native *s, struct stat_canonical *d)
{
	if (r < 0)
		return r;
	d->dev = s->dev;
	d->ino = s->ino;
	d->mode = s->mode;
	d->nlink = (uint32_t)s->nlink;
	d->uid = s->uid;
	d->gid = s->gid;
	d->rdev = s->rdev;
	d->pad = 0;
	d->size = s->size;
	d->blksize = (int32_t)s->blksize;
	d->pad2 = 0;
	d->blocks = s->blocks;
	for (int i = 0; i < 6; i++)
		d->times[i] = s->times[i];
	d->unused[0] = d->unused[1] = 0;
	return r;
}

/* ---- epoll: packed here, naturally aligned there -------------------------- */

struct event_native {
	uint32_t events;
	uint64_t data;
} __attribute__((__packed__));

struct event_canonical {
	uint32_t events, pad;
	uint64_t data;
};

static long kernel_epoll_ctl(long ep, long op, long fd, const struct event_canonical *e)
{
	struct event_native n = {0};

	if (e) {
		n.events = e->events;
		n.data = e->data;
	}
	return arch_raw(233, ep, op, fd, e ? (long)&n : 0, 0, 0);
}

/* The kernel's records are shorter: they fit in the caller's array and are widened from the last.
 */
long arch_epoll_events(long r, void *buf)
{
	for (long i = r - 1; i >= 0; i--) {
		struct event_native n = ((struct event_native *)buf)[i];
		struct event_canonical c = {n.events, 0, n.data};

		((struct event_canonical *)buf)[i] = c;
	}
	return r;
}

long arch_kernel(long n, long a, long b, long c, long d, long e, long f)
{
	struct stat_native st;

	switch (n) {
	case SYS_openat:
		return arch_raw(257, a, b, open_flags(c, 1), d, 0, 0);
	case SYS_pipe2:
		return arch_raw(293, a, open_flags(b, 1), 0, 0, 0, 0);
	case SYS_fcntl:
		return kernel_fcntl(a, b, c);
	case SYS_fstat:
		return stat_out(arch_raw(5, a, b ? (long)&st : 0, 0, 0, 0, 0), &st, (void *)b);
	case SYS_newfstatat:
		return stat_out(arch_raw(262, a, b, c ? (long)&st : 0, d, 0, 0), &st, (void *)c);
	case SYS_epoll_ctl:
		return kernel_epoll_ctl(a, b, c, (const void *)d);
	case SYS_epoll_pwait:
		return arch_epoll_events(arch_raw(281, a, b, c, d, e, f), (void *)b);
	case SYS_clone:
		return arch_raw(56, a, b, c, e, d, 0);
	default:
		n = arch_number(n);
		return n < 0 ? -ENOSYS : arch_raw(n, a, b, c, d, e, f);
	}
}
