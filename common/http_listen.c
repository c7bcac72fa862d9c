#include "common/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return (ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >>
			24) == 127;
	return sa->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
}

/* Resolves "host:port" to one address. */
static int parse_listen(const char *text, struct sockaddr_storage *out, socklen_t *len,
			struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *ai = NULL;
	char host[256];
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	int r;

	if (!n || n >= sizeof(host) || !colon[1]) {
		err_set(e, -EINVAL, "\"%.100s\" is not HOST:PORT", text);
		return err_hint(e, "for example 127.0.0.1:7700");
	}
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}
	r = getaddrinfo(host, colon + 1, &hints, &ai);
	if (r)
		return err_set(e, -EINVAL, "can't resolve \"%.100s\": %s", text, gai_strerror(r));
	memcpy(out, ai->ai_addr, ai->ai_addrlen);
	*len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return 0;
}

int http_listen_is_local(const char *text, bool *local, struct err *e)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int r = parse_listen(text, &ss, &len, e);

	*local = !r && is_loopback((const struct sockaddr *)&ss);
	return r;
}

int http_listen(const char *text, bool anywhere, uint16_t *port, struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_storage ss;
	socklen_t len = 0;
	int one = 1, r;

	r = parse_listen(text, &ss, &len, e);
	if (r)
		return r;
	if (!anywhere && !is_loopback((const struct sockaddr *)&ss)) {
		err_set(e, -EACCES, "refusing to listen on %.100s: the connection is not encrypted",
			text);
		return err_hint(e, "listen on 127.0.0.1 or [::1], or give --tls-cert and --tls-key "
				   "(see drover cert)");
	}
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, -errno, "can't create a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len) || listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)&ss, &len)) {
		r = err_sys(e, -errno, "can't listen on %.100s", text);
		if (r == -EADDRINUSE)
			err_hint(e, "another program listens there; choose another port");
		return r;
	}
	*port = ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port
					      : ((struct sockaddr_in6 *)&ss)->sin6_port);
	return take_fd(&fd);
}
