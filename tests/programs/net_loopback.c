/* Sockets of every kind on loopback, both ends in the program: listening, connected, with bytes or
 * messages in them at every point, half closed, with options. */
#include "sum.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static uint64_t sum = SUM_START;

static void must(long ok, const char *what)
{
	if (ok >= 0)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(3);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static socklen_t loopback(union address *a, int family, const char *name)
{
	memset(a, 0, sizeof *a);
	a->any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof a->v4;
	}
	if (family == AF_INET6) {
		a->v6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
		return sizeof a->v6;
	}
	/* An abstract name: no two runs have the same. */
	snprintf(a->un.sun_path + 1, sizeof a->un.sun_path - 1, "drover-test-%ld-%s",
		 (long)getpid(), name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->un.sun_path + 1));
}

/* A socket bound to a free port or name of its own. */
static int bound(int family, int type, const char *name, union address *a, socklen_t *len)
{
	int s = socket(family, type, 0), on = 1;

	must(s, "socket");
	if (type == SOCK_STREAM && family != AF_UNIX)
		must(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse");
	*len = loopback(a, family, name);
	must(bind(s, &a->any, *len), "bind");
	*len = sizeof *a;
	must(getsockname(s, &a->any, len), "name");
	return s;
}

static void take(int s, int most)
{
	char buf[64];
	long n = recv(s, buf, (size_t)most, 0);

	must(n, "recv");
	sum = mix(sum, (uint64_t)n);
	for (long i = 0; i < n; i++)
		sum = mix(sum, (unsigned char)buf[i]);
}

static void say(int s, const char *what, int n)
{
	char buf[64];
	int len = snprintf(buf, sizeof buf, "%s %d,", what, n);

	must(send(s, buf, (size_t)len, 0), "send");
}

/* A listener and a connection to it: bytes wait in both directions between the rounds. */
static void connected(int family, int type, const char *name)
{
	union address a, peer;
	socklen_t len, peer_len = sizeof peer;
	int l = bound(family, type, name, &a, &len), c = socket(family, type, 0), s, on = 1;

	must(c, "socket");
	must(listen(l, 5), "listen");
	must(connect(c, &a.any, len), "connect");
	s = accept(l, NULL, NULL);
	must(s, "accept");
	if (family != AF_UNIX)
		must(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "nodelay");
	for (int i = 0; i < some(6); i++) {
		say(c, "to the server", i);
		say(s, "back", i);
		take(s, i % 2 ? 5 : 30);
		take(c, 11);
	}
	/* The same ports after all the moves. */
	must(getpeername(c, &peer.any, &peer_len), "peer");
	printf("%s: its peer is %s\n", name,
	       peer_len == len && !memcmp(&peer, &a, len) ? "the listener" : "another one");
	if (family != AF_UNIX) {
		len = sizeof on;
		on = 0;
		must(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, &len), "nodelay");
		sum = mix(sum, (uint64_t)!!on);
	}
	shutdown(c, SHUT_WR);
	for (int i = 0; i < some(4); i++)
		take(s, 20);
	close(s);
	for (int i = 0; i < some(4); i++)
		take(c, 20);
	close(c);
	/* The listener is one still. */
	c = socket(family, type, 0);
	len = sizeof a;
	must(getsockname(l, &a.any, &len), "name");
	must(connect(c, &a.any, len), "connect again");
	s = accept(l, NULL, NULL);
	must(s, "accept again");
	say(c, "again", 1);
	take(s, 9);
	close(c);
	close(s);
	close(l);
	show(name, sum);
}

/* Two sockets with messages between them; `wait`: some are on their way at the points. */
static void messages(int family, const char *name)
{
	union address a, b;
	socklen_t alen, blen;
	int x = bound(family, SOCK_DGRAM, name, &a, &alen), y;
	char other[32];

	snprintf(other, sizeof other, "%s-2", name);
	y = bound(family, SOCK_DGRAM, other, &b, &blen);
	must(connect(x, &b.any, blen), "connect");
	for (int i = 0; i < some(5); i++) {
		char buf[64];
		union address from;
		socklen_t flen = sizeof from;
		long n;

		say(x, "message", i);
		say(x, "another", i);
		n = recvfrom(y, buf, sizeof buf, 0, &from.any, &flen);
		must(n, "recvfrom");
		sum = mix(sum, (uint64_t)n);
		if (flen != alen || memcmp(&from, &a, alen))
			printf("%s: from somewhere else\n", name);
		take(y, 60);
		must(sendto(y, "answer", 6, 0, &from.any, flen), "sendto");
		take(x, 60);
	}
	close(x);
	close(y);
	show(name, sum);
}

int main(void)
{
	connected(AF_INET, SOCK_STREAM, "tcp");
	connected(AF_INET6, SOCK_STREAM, "tcp6");
	messages(AF_INET, "udp");
	messages(AF_INET6, "udp6");
	connected(AF_UNIX, SOCK_STREAM, "unix");
	connected(AF_UNIX, SOCK_SEQPACKET, "unix-seqpacket");
	messages(AF_UNIX, "unix-dgram");
	return 0;
}
