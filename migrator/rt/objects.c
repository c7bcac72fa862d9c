/* Pipes, socket pairs, event, timer and signal descriptors, epoll sets, and files without a path.
 */
#include "migrator/rt/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define CHUNK        65536u
#define SECOND       1000000000
#define MQUEUE_MAGIC 0x19800202 /* of linux/magic.h */
#define GET_SEALS    1034       /* F_GET_SEALS of linux/fcntl.h */

static unsigned char chunk[CHUNK];

/* ---- /proc/self/fdinfo ----------------------------------------------------- */

void fdinfo_open(struct fdinfo *i, long fd)
{
	struct text t = {0};

	text_str(&t, "/proc/self/fdinfo/");
	text_num(&t, (uint64_t)fd);
	i->fd = kernel(SYS_openat, AT_FDCWD, t.b, O_RDONLY | O_CLOEXEC, 0);
	i->at = i->n = 0;
}

const char *fdinfo_next(struct fdinfo *i)
{
	size_t n = 0;

	for (;;) {
		if (i->at == i->n) {
			long r = i->fd < 0 ? 0 : kernel(SYS_read, i->fd, i->buf, sizeof i->buf);

			i->at = 0;
			i->n = r > 0 ? (size_t)r : 0;
			if (!i->n && !n)
				return NULL;
			if (!i->n)
				break;
		}
		if (i->buf[i->at] == '\n') {
			i->at++;
			break;
		}
		if (n + 1 < sizeof i->line)
			i->line[n++] = i->buf[i->at];
		i->at++;
	}
	i->line[n] = '\0';
	return i->line;
}

void fdinfo_close(struct fdinfo *i)
{
	if (i->fd >= 0)
		kernel(SYS_close, i->fd);
}

enum fdinfo_locks fdinfo_locks(long fd)
{
	unsigned held = 0;
	struct fdinfo i;
	const char *l;

	fdinfo_open(&i, fd);
	while ((l = fdinfo_next(&i))) {
		if (strncmp(l, "lock:", 5))
			continue;
		held |= strstr(l, "POSIX")   ? FDINFO_LOCKED_PROCESS
			: strstr(l, "LEASE") ? FDINFO_LEASED
					     : FDINFO_LOCKED;
	}
	fdinfo_close(&i);
	return (enum fdinfo_locks)held;
}

bool fdinfo_number(const char *line, const char *key, unsigned base, uint64_t *out)
{
	const char *p = strstr(line, key);
	uint64_t v = 0;

	if (!p)
		return false;
	for (p += strlen(key); *p == ' ' || *p == '\t'; p++)
		;
	for (;; p++) {
		unsigned d = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
			     : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
						      : 99;

		if (d >= base)
			break;
		v = v * base + d;
	}
	*out = v;
	return true;
}

static bool info_number(long fd, const char *key, unsigned base, uint64_t *out)
{
	struct fdinfo i;
	const char *l;
	bool found = false;

	fdinfo_open(&i, fd);
	while (!found && (l = fdinfo_next(&i)))
		found = fdinfo_number(l, key, base, out);
	fdinfo_close(&i);
	return found;
}

/* ---- describing ------------------------------------------------------------ */

static enum capture_verdict cannot(struct text *why, long fd, const char *what)
{
	text_str(why, "descriptor ");
	text_num(why, (uint64_t)fd);
	text_str(why, what);
	return CAPTURE_REFUSE;
}

/* What the program will have dealt with some time. */
static enum capture_verdict not_yet(struct text *why, long fd, const char *what)
{
	cannot(why, fd, what);
	return CAPTURE_DEFER;
}

static enum capture_verdict describe_timer(long fd, struct drover_image_file *d, struct text *why)
{
	int64_t t[4];

	d->kind = DROVER_FILE_TIMER;
	if (!info_number(fd, "clockid:", 10, &d->value[0]) ||
	    kernel(SYS_timerfd_gettime, fd, t) < 0)
		return cannot(why, fd, " is a timer that cannot be examined");
	d->value[1] = (uint64_t)(t[2] * SECOND + t[3]);
	d->value[2] = (uint64_t)(t[0] * SECOND + t[1]);
	/* Expirations that were not read yet. */
	if (!info_number(fd, "ticks:", 10, &d->position))
		d->position = 0;
	return CAPTURE_OK;
}

static enum capture_verdict describe_epoll(long fd, struct drover_image_file *d)
{
	struct fdinfo i;
	const char *l;
	uint64_t v;

	d->kind = DROVER_FILE_EPOLL;
	fdinfo_open(&i, fd);
	while ((l = fdinfo_next(&i)))
		if (fdinfo_number(l, "tfd:", 10, &v))
			d->size += sizeof(struct drover_image_watch);
	fdinfo_close(&i);
	return CAPTURE_OK;
}

/* Bytes that wait to be read from a pipe's or pair's end. */
static enum capture_verdict describe_queue(long fd, struct drover_image_file *d, struct text *why)
{
	int n = 0;

	if (kernel(SYS_ioctl, fd, FIONREAD, &n) < 0)
		return cannot(why, fd, " cannot be asked for what waits in it");
	d->size = (uint64_t)(n > 0 ? n : 0);
	return CAPTURE_OK;
}

static enum capture_verdict describe_pipe(long fd, struct drover_image_file *d, struct text *why)
{
	long capacity = kernel(SYS_fcntl, fd, F_GETPIPE_SZ);
	struct stat st;

	d->kind = DROVER_FILE_PIPE;
	if (kernel(SYS_fstat, fd, &st) < 0)
		return cannot(why, fd, " cannot be examined");
	d->value[1] = st.st_ino;
	d->value[0] = capacity > 0 ? (uint64_t)capacity : 65536;
	if (d->flags & O_DIRECT)
		return cannot(why, fd, " is a pipe of packets, which stays with this kernel");
	return (d->flags & O_ACCMODE) == O_WRONLY ? CAPTURE_OK : describe_queue(fd, d, why);
}

static enum capture_verdict describe_pair(long fd, const struct object_origin *o,
					  struct drover_image_file *d, struct text *why)
{
	struct iovec v = {chunk, sizeof chunk};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	d->kind = DROVER_FILE_PAIR;
	d->value[0] = o->made;
	if (describe_queue(fd, d, why) != CAPTURE_OK)
		return CAPTURE_REFUSE;
	if (o->made != SOCK_STREAM && d->size)
		return not_yet(why, fd, " is a socket with messages that wait to be received");
	if (d->size > CHUNK)
		return not_yet(why, fd,
			       " is a socket with more than 64 KiB waiting to be received");
	if (d->size && kernel(SYS_recvmsg, fd, &m, MSG_PEEK | MSG_DONTWAIT) != (long)d->size)
		return cannot(why, fd, " is a socket whose waiting bytes cannot be looked at");
	if (m.msg_flags & MSG_CTRUNC)
		return not_yet(why, fd, " is a socket with descriptors on their way");
	return CAPTURE_OK;
}

static enum capture_verdict describe_contents(long fd, const char *name,
					      struct drover_image_file *d, struct text *why)
{
	struct statfs fs;
	struct stat st;
	long at = kernel(SYS_lseek, fd, 0, SEEK_CUR), seals = kernel(SYS_fcntl, fd, GET_SEALS);

	if (kernel(SYS_fstat, fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		cannot(why, fd, " stays with this kernel: ");
		text_str(why, name);
		return CAPTURE_REFUSE;
	}
	if (!kernel(SYS_fstatfs, fd, &fs) && fs.f_type == MQUEUE_MAGIC)
		return cannot(why, fd, " is a message queue, which stays with this kernel");
	if (st.st_nlink)
		return cannot(why, fd, " is a file whose own path is gone while others lead to it");
	d->kind = DROVER_FILE_CONTENTS;
	d->value[1] = st.st_ino;
	d->value[2] = st.st_dev;
	d->mode = st.st_mode;
	d->size = (uint64_t)st.st_size;
	d->position = at > 0 ? (uint64_t)at : 0;
	d->value[0] = seals > 0 ? (uint64_t)seals : 0;
	return CAPTURE_OK;
}

enum capture_verdict object_describe(long fd, const char *name, const struct object_origin *o,
				     struct drover_image_file *d, struct text *why)
{
	if (o->kind == DROVER_FILE_PAIR)
		return describe_pair(fd, o, d, why);
	if (o->kind == DROVER_FILE_EVENT || o->kind == DROVER_FILE_SIGNAL) {
		d->kind = o->kind;
		d->value[1] = o->made;
		if (o->kind == DROVER_FILE_EVENT &&
		    !info_number(fd, "eventfd-count:", 16, &d->value[0]))
			return cannot(why, fd, " is an event counter that cannot be examined");
		return CAPTURE_OK;
	}
	if (!strncmp(name, "pipe:", 5))
		return describe_pipe(fd, d, why);
	if (!strcmp(name, "anon_inode:[timerfd]"))
		return describe_timer(fd, d, why);
	if (!strcmp(name, "anon_inode:[eventpoll]"))
		return describe_epoll(fd, d);
	if (name[0] == '/')
		return describe_contents(fd, name, d, why);
	cannot(why, fd, " stays with this kernel: ");
	text_str(why, name);
	return CAPTURE_REFUSE;
}
