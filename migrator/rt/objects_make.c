/* The kernel objects of an image made again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "migrator/rt/objects.h"

#define CHUNK     65536u
#define SECOND    1000000000u
#define SET_TICKS 0x40085400ul /* TFD_IOC_SET_TICKS of linux/timerfd.h */
#define ADD_SEALS 1033         /* F_ADD_SEALS of linux/fcntl.h */

static unsigned char chunk[CHUNK];

/* Gives what `fd` is the number `want`; the file status flags that can be set are. */
static long place(long fd, uint32_t want, const struct drover_image_file *d)
{
	long r = kernel(SYS_fcntl, fd, F_SETFL, d->flags & (O_APPEND | O_NONBLOCK | O_NOATIME));

	if (r >= 0)
		r = kernel(SYS_dup3, fd, want, d->fd_flags ? O_CLOEXEC : 0);
	kernel(SYS_close, fd);
	return r;
}

/* Moves a new descriptor out of the way of the program's numbers. */
static long aside(long fd, long above)
{
	long r = fd < 0 ? fd : kernel(SYS_fcntl, fd, F_DUPFD_CLOEXEC, above);

	if (fd >= 0)
		kernel(SYS_close, fd);
	return r;
}

static long copy(const struct drover_image_file *d, int image_in, long to)
{
	for (uint64_t at = 0; at < d->size;) {
		uint64_t n = d->size - at < CHUNK ? d->size - at : CHUNK;
		long r = kernel(SYS_pread64, image_in, chunk, n, d->offset + at);

		if (r <= 0)
			return r ? r : -EIO;
		n = (uint64_t)r;
		for (uint64_t k = 0; k < n; k += (uint64_t)r) {
			r = kernel(SYS_write, to, chunk + k, n - k);
			if (r <= 0)
				return r ? r : -EIO;
		}
		at += n;
	}
	return 0;
}

/* Both ends at once, the lower number's record leading; peer's flags are set when its turn comes.
 */
static long make_two(const struct drover_image_file *d, const struct drover_image_file *peer,
		     int image_in, long above)
{
	bool pipe = d->kind == DROVER_FILE_PIPE, reads = (d->flags & O_ACCMODE) == O_RDONLY;
	int ends[2];
	long r = pipe ? kernel(SYS_pipe2, ends, O_CLOEXEC)
		      : kernel(SYS_socketpair, AF_UNIX, (int)d->value[0] | SOCK_CLOEXEC, 0, ends);
	long own, other;

	if (r < 0)
		return r;
	own = aside(ends[pipe && !reads], above);
	other = aside(ends[!(pipe && !reads)], above);
	if (own < 0 || other < 0)
		return own < 0 ? own : other;
	if (pipe)
		kernel(SYS_fcntl, own, F_SETPIPE_SZ, d->value[0]);
	r = copy(d, image_in, pipe && !reads ? own : other);
	if (!r && peer)
		r = copy(peer, image_in, own);
	for (int how = SHUT_RD; how <= SHUT_WR && !r; how++) {
		uint32_t bit = how == SHUT_RD ? DROVER_SOCKET_SHUT_RD : DROVER_SOCKET_SHUT_WR;

		if (d->options & bit)
			r = kernel(SYS_shutdown, own, how);
		if (!r && peer && (peer->options & bit))
			r = kernel(SYS_shutdown, other, how);
	}
	if (r >= 0)
		r = place(own, d->fd, d);
	if (r >= 0 && peer)
		return place(other, peer->fd, peer);
	kernel(SYS_close, other);
	return r;
}

static long make_contents(const struct drover_image_file *d, int image_in, long above)
{
	long w = aside(kernel(SYS_memfd_create, "drover-file", MFD_CLOEXEC | MFD_ALLOW_SEALING),
		       above);
	struct text t = {0};
	long fd, r;

	if (w < 0)
		return w;
	r = kernel(SYS_ftruncate, w, d->size);
	if (!r)
		r = copy(d, image_in, w);
	if (!r)
		r = kernel(SYS_fchmod, w, d->mode & 07777);
	text_str(&t, "/proc/self/fd/");
	text_num(&t, (uint64_t)w);
	/* The name is a link of the kernel's, whatever the program thought of links. */
	fd = r < 0 ? r
		   : kernel(SYS_openat, AT_FDCWD, t.b,
			    d->flags & ~(uint32_t)(O_TMPFILE | O_NOFOLLOW), 0);
	fd = fd < 0 ? fd : aside(fd, above);
	if (fd >= 0 && d->value[0] && !(d->value[0] & 1))
		kernel(SYS_fcntl, w, ADD_SEALS, d->value[0]);
	kernel(SYS_close, w);
	if (fd < 0)
		return fd;
	kernel(SYS_lseek, fd, d->position, SEEK_SET);
	return place(fd, d->fd, d);
}

static long make_timer(const struct drover_image_file *d, long above)
{
	long fd = aside(kernel(SYS_timerfd_create, d->value[0], 0), above), r;
	uint64_t first = d->value[1], ticks = d->position;
	int64_t t[4] = {(int64_t)(d->value[2] / SECOND), (int64_t)(d->value[2] % SECOND), 0, 0};

	if (fd < 0)
		return fd;
	t[2] = (int64_t)(first / SECOND);
	t[3] = (int64_t)(first % SECOND);
	r = first ? kernel(SYS_timerfd_settime, fd, 0, t, 0) : 0;
	/* A kernel that cannot set the count lets the timer run out once more. */
	if (!r && ticks && kernel(SYS_ioctl, fd, SET_TICKS, &ticks) < 0) {
		t[2] = 0;
		t[3] = 1;
		r = kernel(SYS_timerfd_settime, fd, 0, t, 0);
	}
	return r < 0 ? r : place(fd, d->fd, d);
}

long object_watch(const struct drover_image_file *d, int image_in)
{
	struct drover_image_watch w;

	for (uint64_t at = 0; at < d->size; at += sizeof w) {
		struct epoll_event e;
		long r = kernel(SYS_pread64, image_in, &w, sizeof w, d->offset + at);

		if (r != sizeof w)
			return r < 0 ? r : -EIO;
		e = (struct epoll_event){.events = w.events, .data.u64 = w.data};
		r = kernel(SYS_epoll_ctl, d->fd, EPOLL_CTL_ADD, w.fd, &e);
		if (r < 0)
			return r;
	}
	return 0;
}

long object_make(const struct drover_image_file *d, const struct drover_image_file *peer,
		 int image_in, long above)
{
	uint64_t set = d->value[1];
	long fd;

	switch (d->kind) {
	case DROVER_FILE_PIPE:
	case DROVER_FILE_PAIR:
		return d->peer < d->fd ? 0 : make_two(d, peer, image_in, above);
	case DROVER_FILE_CONTENTS:
		return make_contents(d, image_in, above);
	case DROVER_FILE_EVENT:
		fd = kernel(SYS_eventfd2, 0, d->value[1] ? 1 : 0);
		if (fd >= 0 && d->value[0])
			kernel(SYS_write, fd, &d->value[0], 8);
		return fd < 0 ? fd : place(aside(fd, above), d->fd, d);
	case DROVER_FILE_TIMER:
		return make_timer(d, above);
	case DROVER_FILE_SIGNAL:
		fd = kernel(SYS_signalfd4, -1, &set, 8, 0);
		return fd < 0 ? fd : place(aside(fd, above), d->fd, d);
	case DROVER_FILE_EPOLL:
		fd = kernel(SYS_epoll_create1, 0);
		return fd < 0 ? fd : place(aside(fd, above), d->fd, d);
	default:
		return -EINVAL;
	}
}
