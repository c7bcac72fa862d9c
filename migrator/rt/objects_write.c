/* The bytes that belong to kernel objects, copied into an image; the objects stay as they are. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "migrator/rt/capture_memory.h"
#include "migrator/rt/objects.h"

#define CHUNK 65536u

static unsigned char chunk[CHUNK];

/* A copy of what is in the pipe, which stays as it is. */
static int write_pipe(const struct drover_image_file *d, uint64_t offset)
{
	uint64_t left = d->size;
	int ends[2];
	long r = kernel(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK);

	if (r < 0)
		return (int)r;
	r = kernel(SYS_fcntl, ends[1], F_SETPIPE_SZ, d->value[0]);
	if (r >= 0)
		r = kernel(SYS_tee, d->fd, ends[1], left, 2 /* SPLICE_F_NONBLOCK */);
	if (r >= 0 && (uint64_t)r != left)
		r = -EIO;
	while (left && r >= 0) {
		r = kernel(SYS_read, ends[0], chunk, left < CHUNK ? left : CHUNK);
		if (r <= 0) {
			r = r ? r : -EIO;
			break;
		}
		left -= (uint64_t)r;
		r = capture_write_at(chunk, (uint64_t)r, offset + d->size - left - (uint64_t)r);
	}
	kernel(SYS_close, ends[0]);
	kernel(SYS_close, ends[1]);
	return r < 0 ? (int)r : 0;
}

static int write_pair(const struct drover_image_file *d, uint64_t offset)
{
	long r = kernel(SYS_recvfrom, d->fd, chunk, CHUNK, MSG_PEEK | MSG_DONTWAIT, 0, 0);

	return r == (long)d->size ? capture_write_at(chunk, d->size, offset)
	       : r < 0            ? (int)r
				  : -EIO;
}

static int write_socket(const struct drover_image_file *d, const struct drover_image_socket *s,
			uint64_t offset)
{
	uint64_t waits = d->size - sizeof *s;
	int r = capture_write_at(s, sizeof *s, offset);
	long n;

	if (r || !waits)
		return r;
	n = kernel(SYS_recvfrom, d->fd, chunk, waits, MSG_PEEK | MSG_DONTWAIT, 0, 0);
	return n == (long)waits ? capture_write_at(chunk, waits, offset + sizeof *s)
	       : n < 0          ? (int)n
				: -EIO;
}

static int write_watches(const struct drover_image_file *d, uint64_t offset)
{
	uint64_t left = d->size / sizeof(struct drover_image_watch), fd, events, data;
	struct fdinfo i;
	const char *l;
	int r = 0;

	fdinfo_open(&i, d->fd);
	while (!r && left && (l = fdinfo_next(&i))) {
		struct drover_image_watch w;

		if (!fdinfo_number(l, "tfd:", 10, &fd) ||
		    !fdinfo_number(l, "events:", 16, &events) ||
		    !fdinfo_number(l, "data:", 16, &data))
			continue;
		w = (struct drover_image_watch){(uint32_t)fd, (uint32_t)events, data};
		r = capture_write_at(&w, sizeof w, offset);
		offset += sizeof w;
		left--;
	}
	fdinfo_close(&i);
	return r ? r : left ? -EIO : 0;
}

static int write_contents(const struct drover_image_file *d, uint64_t offset)
{
	struct text t = {0};
	long fd;
	int r = 0;

	/* It may be open for writing only. */
	text_str(&t, "/proc/self/fd/");
	text_num(&t, d->fd);
	fd = kernel(SYS_openat, AT_FDCWD, t.b, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	for (uint64_t at = 0; at < d->size && !r;) {
		long n = kernel(SYS_pread64, fd, chunk, CHUNK, at);

		if (n == -EINTR)
			continue;
		r = n <= 0 ? (n ? (int)n : -EIO)
			   : capture_write_at(chunk, (uint64_t)n, offset + at);
		at += n > 0 ? (uint64_t)n : 0;
	}
	kernel(SYS_close, fd);
	return r;
}

int object_write(struct drover_image_file *d, const struct drover_image_socket *s, uint64_t offset)
{
	d->offset = d->size ? offset : 0;
	if (!d->size)
		return 0;
	switch (d->kind) {
	case DROVER_FILE_PIPE:
		return write_pipe(d, offset);
	case DROVER_FILE_PAIR:
		return write_pair(d, offset);
	case DROVER_FILE_SOCKET:
		return write_socket(d, s, offset);
	case DROVER_FILE_EPOLL:
		return write_watches(d, offset);
	case DROVER_FILE_CONTENTS:
		return write_contents(d, offset);
	default:
		return capture_write_at(chunk, 0, offset);
	}
}
