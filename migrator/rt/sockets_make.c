/* Sockets made again; see sockets.h. */
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { REUSEADDR = 0 }; /* its place among the options */

static unsigned char chunk[65536];

static long read_socket(const struct drover_image_file *d, int image_in,
			struct drover_image_socket *s)
{
	long r = kernel(SYS_pread64, image_in, s, sizeof *s, d->offset);

	if (r != sizeof *s)
		return r < 0 ? r : -EIO;
	return s->local_size > sizeof s->local || s->peer_size > sizeof s->peer ||
			       d->size - sizeof *s > sizeof chunk
		       ? -EBADMSG
		       : 0;
}

static long set_options(long fd, const struct drover_image_socket *s)
{
	long r = 0;

	for (uint32_t i = REUSEADDR + 1; i < DROVER_SOCKET_OPTIONS && !r; i++) {
		const struct socket_option *o = &socket_options[i];

		if (s->options_set >> i & 1)
			r = kernel(SYS_setsockopt, fd, o->level, o->name, s->options[i], o->size);
	}
	return r;
}

static long reuse_address(long fd, int on)
{
	return kernel(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

/* A new socket out of the way of the program's numbers. Sockets of one port are made one after the
 * other, so each lets others have its address; the program's own wish comes last. */
static long new_socket(const struct drover_image_socket *s, long above)
{
	long fd = kernel(SYS_socket, s->family, s->type | SOCK_CLOEXEC, s->protocol);
	long moved = fd < 0 ? fd : kernel(SYS_fcntl, fd, F_DUPFD_CLOEXEC, above);

	if (fd >= 0)
		kernel(SYS_close, fd);
	if (moved >= 0 && s->family != AF_UNIX)
		reuse_address(moved, 1);
	return moved;
}

static long bind_to(long fd, const struct drover_image_socket *s)
{
	return s->local_size ? kernel(SYS_bind, fd, s->local, s->local_size) : 0;
}

/* Gives what `fd` is the program's number. */
static long place(long fd, const struct drover_image_file *d)
{
	long r = kernel(SYS_fcntl, fd, F_SETFL, d->flags & O_NONBLOCK);

	if (r >= 0)
		r = kernel(SYS_dup3, fd, d->fd, d->fd_flags ? O_CLOEXEC : 0);
	kernel(SYS_close, fd);
	return r < 0 ? r : 0;
}

/* A client's end connected to a server's: ends[0] is that of `server`. */
static long connect_ends(const struct drover_image_socket *server,
			 const struct drover_image_socket *client, long above, long ends[2])
{
	long listener = new_socket(server, above), r = listener;

	ends[0] = ends[1] = -1;
	if (r >= 0)
		r = bind_to(listener, server);
	if (!r)
		r = kernel(SYS_listen, listener, 1);
	if (!r)
		r = ends[1] = new_socket(client, above);
	if (r >= 0)
		r = bind_to(ends[1], client);
	if (!r)
		r = kernel(SYS_connect, ends[1], client->peer, client->peer_size);
	if (!r)
		r = kernel(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
	if (r >= 0) {
		ends[0] = kernel(SYS_fcntl, r, F_DUPFD_CLOEXEC, above);
		kernel(SYS_close, r);
		r = ends[0] < 0 ? ends[0] : 0;
	}
	if (listener >= 0)
		kernel(SYS_close, listener);
	if (r && ends[1] >= 0)
		kernel(SYS_close, ends[1]);
	return r;
}

/* What waited at the end `d` is sent to it again. */
static long refill(const struct drover_image_file *d, int image_in, long other)
{
	uint64_t n = d->size - sizeof(struct drover_image_socket);
	long r = n ? kernel(SYS_pread64, image_in, chunk, n,
			    d->offset + sizeof(struct drover_image_socket))
		   : 0;

	if (r == (long)n && n)
		r = kernel(SYS_sendto, other, chunk, n, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
	return r < 0 ? r : r == (long)n ? 0 : -EIO;
}

static long shut(const struct drover_image_file *d, long fd)
{
	long r = 0;

	if (d->options & DROVER_SOCKET_SHUT_WR)
		r = kernel(SYS_shutdown, fd, SHUT_WR);
	if (!r && d->options & DROVER_SOCKET_SHUT_RD)
		r = kernel(SYS_shutdown, fd, SHUT_RD);
	return r;
}

long socket_make_connection(const struct drover_image_file *d, const struct drover_image_file *peer,
			    int image_in, long above)
{
	struct drover_image_socket a, b;
	long ends[2], r = read_socket(d, image_in, &a);

	if (!r)
		r = read_socket(peer, image_in, &b);
	/* An IPv6 socket also listens for IPv4, not the other way round. */
	if (!r && a.family >= b.family)
		r = connect_ends(&a, &b, above, ends);
	else if (!r && !(r = connect_ends(&b, &a, above, ends))) {
		long swap = ends[0];

		ends[0] = ends[1];
		ends[1] = swap;
	}
	if (r)
		return r;
	r = refill(d, image_in, ends[1]);
	if (!r)
		r = refill(peer, image_in, ends[0]);
	if (!r)
		r = set_options(ends[0], &a);
	if (!r)
		r = set_options(ends[1], &b);
	if (!r)
		r = shut(d, ends[0]);
	if (!r)
		r = shut(peer, ends[1]);
	if (!r)
		r = place(ends[0], d);
	return r ? r : place(ends[1], peer);
}

long socket_make(const struct drover_image_file *d, int image_in, long above)
{
	struct drover_image_socket s;
	long r = read_socket(d, image_in, &s), fd;

	if (r)
		return r;
	fd = new_socket(&s, above);
	if (fd < 0)
		return fd;
	r = set_options(fd, &s);
	if (!r)
		r = bind_to(fd, &s);
	if (!r && s.state == DROVER_SOCKET_LISTENS)
		r = kernel(SYS_listen, fd, s.backlog);
	if (r) {
		kernel(SYS_close, fd);
		return r;
	}
	return place(fd, d);
}

long socket_finish(const struct drover_image_file *d, int image_in)
{
	struct drover_image_socket s;
	long r = read_socket(d, image_in, &s);
	int reuse = 0;

	if (!r && s.state == DROVER_SOCKET_OPEN && s.peer_size)
		r = kernel(SYS_connect, d->fd, s.peer, s.peer_size);
	if (!r && s.state != DROVER_SOCKET_CONNECTED)
		r = shut(d, d->fd);
	if (s.options_set & 1u << REUSEADDR)
		memcpy(&reuse, s.options[REUSEADDR], sizeof reuse);
	return r || s.family == AF_UNIX ? r : reuse_address(d->fd, reuse);
}
