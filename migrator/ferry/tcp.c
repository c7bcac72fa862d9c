/* TCP: endpoints are "ADDRESS:PORT" with a numeric IPv4 address. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/file.h"
#include "migrator/ferry/transport.h"

#define SLICE_MS 100

static int parse_address(const char *text, struct sockaddr_in *sa, struct err *e)
{
	const char *colon = strrchr(text, ':');
	char host[64], *end = NULL;
	unsigned long port = 0;

	memset(sa, 0, sizeof(*sa));
	sa->sin_family = AF_INET;
	if (colon && (size_t)(colon - text) < sizeof(host)) {
		memcpy(host, text, (size_t)(colon - text));
		host[colon - text] = '\0';
		port = strtoul(colon + 1, &end, 10);
	}
	if (!end || *end || end == colon + 1 || port > 65535 ||
	    inet_pton(AF_INET, host, &sa->sin_addr) != 1)
		return err_set(e, -EINVAL, "\"%.80s\" is not ADDRESS:PORT", text);
	sa->sin_port = htons((uint16_t)port);
	return 0;
}

/* Waits for events on fd. 0: there are some. */
static int await(int fd, short events, int silence_ms, const atomic_bool *stop)
{
	uint64_t until =
		silence_ms < 0 ? 0 : clock_monotonic_ns() + (uint64_t)silence_ms * NS_PER_MS;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int r;

		if (stop && atomic_load(stop))
			return -ECANCELED;
		r = poll(&p, 1, SLICE_MS);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (until && clock_monotonic_ns() >= until)
			return -ETIMEDOUT;
	}
}

static struct transport_conn *new_conn(int fd)
{
	struct transport_conn *c = malloc(sizeof(*c));
	int one = 1;

	if (!c)
		return NULL;
	/* The records are small and each is waited for. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*c = (struct transport_conn){&transport_tcp, fd};
	return c;
}

static int tcp_listen(const char *where, struct transport_listener **out, char *endpoint,
		      size_t size, struct err *e)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in sa;
	socklen_t len = sizeof(sa);
	char host[INET_ADDRSTRLEN];
	int r = parse_address(where, &sa, e);

	if (r)
		return r;
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 8) ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) ||
	    !inet_ntop(AF_INET, &sa.sin_addr, host, sizeof(host)))
		return err_sys(e, -errno, "cannot listen on %s", where);
	*out = malloc(sizeof(**out));
	if (!*out)
		return err_sys(e, -ENOMEM, "cannot listen on %s", where);
	(void)snprintf(endpoint, size, "%s:%u", host, ntohs(sa.sin_port));
	**out = (struct transport_listener){&transport_tcp, take_fd(&fd)};
	return 0;
}

static int tcp_accept(struct transport_listener *l, const atomic_bool *stop,
		      struct transport_conn **out, struct err *e)
{
	for (;;) {
		int fd, r = await(l->fd, POLLIN, -1, stop);

		if (r)
			return err_sys(e, r, "waiting for a sender");
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			continue; /* it left again */
		*out = new_conn(fd);
		if (*out)
			return 0;
		close(fd);
		return err_sys(e, -ENOMEM, "accepting a sender");
	}
}

static void tcp_unlisten(struct transport_listener *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}

static int tcp_connect(const char *endpoint, int silence_ms, const atomic_bool *stop,
		       struct transport_conn **out, struct err *e)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in sa;
	socklen_t len = sizeof(int);
	int code = 0, r = parse_address(endpoint, &sa, e);

	if (r)
		return r;
	if (fd < 0)
		return err_sys(e, -errno, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		if (errno != EINPROGRESS)
			return err_sys(e, -errno, "cannot connect to %s", endpoint);
		r = await(fd, POLLOUT, silence_ms, stop);
		if (!r && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0)
			r = -code;
		if (r)
			return err_sys(e, r, "cannot connect to %s", endpoint);
	}
	*out = new_conn(fd);
	if (!*out)
		return err_sys(e, -ENOMEM, "cannot connect to %s", endpoint);
	(void)take_fd(&fd);
	return 0;
}

static int tcp_send(struct transport_conn *c, const void *data, size_t len, int silence_ms,
		    const atomic_bool *stop, struct err *e)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
		int r = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			r = await(c->fd, POLLOUT, silence_ms, stop);
		else if (n < 0)
			r = -errno;
		if (r)
			return err_sys(e, r, "sending to the other ferry");
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int tcp_recv(struct transport_conn *c, void *data, size_t len, int silence_ms,
		    const atomic_bool *stop, struct err *e)
{
	char *p = data;

	while (len) {
		ssize_t n = recv(c->fd, p, len, 0);
		int r = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			r = -ECONNRESET;
		else if (n < 0 && errno == EAGAIN)
			r = await(c->fd, POLLIN, silence_ms, stop);
		else if (n < 0)
			r = -errno;
		if (r)
			return err_sys(e, r, "receiving from the other ferry");
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static void tcp_close(struct transport_conn *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c);
}

const struct transport transport_tcp = {
	.name = "tcp",
	.listen = tcp_listen,
	.accept = tcp_accept,
	.unlisten = tcp_unlisten,
	.connect = tcp_connect,
	.send = tcp_send,
	.recv = tcp_recv,
	.close = tcp_close,
};

const struct transport *transport_find(const char *endpoint)
{
	(void)endpoint;
	return &transport_tcp;
}
