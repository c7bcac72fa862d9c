/* Sockets described; see sockets.h. */
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define QUEUE_MAX 65536

/* Their order is the image's. */
const struct socket_option socket_options[DROVER_SOCKET_OPTIONS] = {
	{SOL_SOCKET, SO_REUSEADDR, 4},
	{SOL_SOCKET, SO_REUSEPORT, 4},
	{SOL_SOCKET, SO_KEEPALIVE, 4},
	{SOL_SOCKET, SO_BROADCAST, 4},
	{SOL_SOCKET, SO_OOBINLINE, 4},
	{SOL_SOCKET, SO_PRIORITY, 4},
	{SOL_SOCKET, SO_PASSCRED, 4},
	{SOL_SOCKET, SO_RCVLOWAT, 4},
	{SOL_SOCKET, SO_SNDBUF, 4},
	{SOL_SOCKET, SO_RCVBUF, 4},
	{SOL_SOCKET, SO_LINGER, sizeof(struct linger)},
	{SOL_SOCKET, SO_RCVTIMEO, sizeof(struct timeval)},
	{SOL_SOCKET, SO_SNDTIMEO, sizeof(struct timeval)},
	{IPPROTO_IP, IP_TOS, 4},
	{IPPROTO_IP, IP_TTL, 4},
	{IPPROTO_IP, IP_MTU_DISCOVER, 4},
	{IPPROTO_IP, IP_RECVERR, 4},
	{IPPROTO_IP, IP_PKTINFO, 4},
	{IPPROTO_IPV6, IPV6_V6ONLY, 4},
	{IPPROTO_IPV6, IPV6_TCLASS, 4},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4},
	{IPPROTO_IPV6, IPV6_RECVPKTINFO, 4},
	{IPPROTO_TCP, TCP_NODELAY, 4},
	{IPPROTO_TCP, TCP_CORK, 4},
	{IPPROTO_TCP, TCP_KEEPIDLE, 4},
	{IPPROTO_TCP, TCP_KEEPINTVL, 4},
	{IPPROTO_TCP, TCP_KEEPCNT, 4},
	{IPPROTO_TCP, TCP_LINGER2, 4},
	{IPPROTO_TCP, TCP_DEFER_ACCEPT, 4},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, 4},
	{IPPROTO_TCP, TCP_SYNCNT, 4},
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4},
};

int socket_option_place(int level, int name)
{
	if (level == IPPROTO_TCP && name == TCP_QUICKACK)
		return -2;
	for (int i = 0; i < (int)DROVER_SOCKET_OPTIONS; i++)
		if (socket_options[i].level == level && socket_options[i].name == name)
			return i;
	return -1;
}

void socket_settle(long fd)
{
	int on = 1;

	kernel(SYS_setsockopt, fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static enum capture_verdict say(enum capture_verdict v, struct text *why, long fd, const char *what)
{
	text_str(why, "descriptor ");
	text_num(why, (uint64_t)fd);
	text_str(why, what);
	return v;
}

/* ---- addresses ------------------------------------------------------------- */

/* An IP address in one form: IPv4 as IPv6 has it. */
struct place {
	uint8_t address[16];
	uint16_t port;
};

static struct place place_of(const uint8_t *raw)
{
	struct place p = {0};

	if (((const struct sockaddr *)raw)->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)raw;

		p.address[10] = p.address[11] = 0xff;
		memcpy(p.address + 12, &v4->sin_addr, 4);
		p.port = v4->sin_port;
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)raw;

		memcpy(p.address, &v6->sin6_addr, 16);
		p.port = v6->sin6_port;
	}
	return p;
}

/* Of the loopback network, or of no machine in particular. */
static bool within_machine(const struct place *p)
{
	static const uint8_t none[16], mapped[12] = {[10] = 0xff, [11] = 0xff},
				       one[16] = {[15] = 1};

	if (!memcmp(p->address, mapped, sizeof mapped))
		return p->address[12] == 127 || !memcmp(p->address + 12, none, 4);
	return !memcmp(p->address, none, 16) || !memcmp(p->address, one, 16);
}

static bool same_place(const uint8_t *a, const uint8_t *b)
{
	struct place x = place_of(a), y = place_of(b);

	return x.port == y.port && !memcmp(x.address, y.address, sizeof x.address);
}

bool socket_ends(const struct drover_image_socket *a, const struct drover_image_socket *b)
{
	return a->state == DROVER_SOCKET_CONNECTED && b->state == DROVER_SOCKET_CONNECTED &&
	       same_place(a->local, b->peer) && same_place(a->peer, b->local);
}

enum capture_verdict socket_alone(long fd, const struct drover_image_socket *s, struct text *why)
{
	struct place p = place_of(s->peer);

	say(CAPTURE_DEFER, why, fd, " is connected to somebody outside the program, port ");
	text_num(why, (uint64_t)(p.port >> 8 | (p.port & 255) << 8));
	return CAPTURE_DEFER;
}

static uint32_t address_of(long n, long fd, uint8_t *out)
{
	uint32_t size = DROVER_SOCKET_ADDRESS;

	memset(out, 0, DROVER_SOCKET_ADDRESS);
	return kernel(n, fd, out, &size) < 0 ? 0 : size;
}

/* Fills in both addresses; what no other machine has is refused. */
static enum capture_verdict describe_addresses(long fd, struct drover_image_socket *s,
					       struct text *why)
{
	struct place p;

	s->local_size = address_of(SYS_getsockname, fd, s->local);
	s->peer_size = address_of(SYS_getpeername, fd, s->peer);
	if (s->family == AF_UNIX) {
		if (s->local_size <= 2)
			s->local_size = 0;
		if (s->peer_size <= 2)
			s->peer_size = 0;
		if ((s->local_size && s->local[2]) || (s->peer_size && s->peer[2]))
			return say(CAPTURE_REFUSE, why, fd,
				   " is a Unix socket with a name in the file system, which leads "
				   "to this machine");
		return CAPTURE_OK;
	}
	p = place_of(s->local);
	if (!p.port)
		s->local_size = 0;
	if (s->local_size && !within_machine(&p))
		return say(CAPTURE_REFUSE, why, fd, " is bound to an address of this machine");
	p = place_of(s->peer);
	if (s->peer_size && !within_machine(&p))
		return say(CAPTURE_REFUSE, why, fd, " is connected to another machine");
	return CAPTURE_OK;
}

/* ---- states ---------------------------------------------------------------- */

static short events_of(long fd)
{
	struct pollfd p = {.fd = (int)fd, .events = POLLIN | POLLPRI};
	const int64_t now[2] = {0, 0};

	return kernel(SYS_ppoll, &p, 1, now, 0, 8) > 0 ? p.revents : 0;
}

enum { TCP_LIVES = 1 << 1 | 1 << 5 | 1 << 8 }; /* ESTABLISHED, FIN_WAIT2, CLOSE_WAIT */

static enum capture_verdict describe_connection(long fd, struct drover_image_file *d,
						struct drover_image_socket *s, struct text *why)
{
	uint8_t state = 0;
	uint32_t size = 1;
	int out = 0, in = 0;

	if (s->family == AF_UNIX)
		return say(CAPTURE_REFUSE, why, fd,
			   " is a Unix connection, which stays with this kernel");
	/* struct tcp_info begins with the state. */
	if (kernel(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &state, &size) < 0 ||
	    !(1 << state & TCP_LIVES))
		return say(CAPTURE_DEFER, why, fd, " is a connection that begins or ends");
	if (kernel(SYS_ioctl, fd, TIOCOUTQ, &out) < 0 || kernel(SYS_ioctl, fd, FIONREAD, &in) < 0)
		return say(CAPTURE_REFUSE, why, fd, " cannot be asked for what waits in it");
	if (out)
		return say(CAPTURE_DEFER, why, fd, " is a connection with bytes on their way");
	if (in > QUEUE_MAX)
		return say(CAPTURE_DEFER, why, fd, " has more than 64 KiB waiting to be received");
	if (events_of(fd) & (POLLERR | POLLPRI))
		return say(CAPTURE_DEFER, why, fd, " has an error or urgent data waiting");
	s->state = DROVER_SOCKET_CONNECTED;
	d->size += (uint64_t)in;
	return CAPTURE_OK;
}

static enum capture_verdict describe_state(long fd, const struct object_origin *o,
					   struct drover_image_file *d,
					   struct drover_image_socket *s, struct text *why)
{
	int listens = 0;
	uint32_t size = sizeof listens;

	kernel(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
	if (s->type == SOCK_DGRAM)
		return events_of(fd) ? say(CAPTURE_DEFER, why, fd,
					   " is a socket with messages that wait to be received")
				     : CAPTURE_OK;
	if (listens) {
		s->state = DROVER_SOCKET_LISTENS;
		s->backlog = o->backlog;
		return events_of(fd) ? say(CAPTURE_DEFER, why, fd,
					   " has a connection that waits to be accepted")
				     : CAPTURE_OK;
	}
	if (o->connected)
		return describe_connection(fd, d, s, why);
	return CAPTURE_OK;
}

static bool describe_options(long fd, const struct object_origin *o, struct drover_image_socket *s)
{
	for (uint32_t i = 0; i < DROVER_SOCKET_OPTIONS; i++) {
		const struct socket_option *t = &socket_options[i];
		uint32_t size = t->size;
		int half;

		if (!(o->options >> i & 1))
			continue;
		if (kernel(SYS_getsockopt, fd, t->level, t->name, s->options[i], &size) < 0)
			return false;
		s->options_set |= 1u << i;
		if (t->level != SOL_SOCKET || (t->name != SO_SNDBUF && t->name != SO_RCVBUF))
			continue;
		/* The kernel has doubled it, socket(7). */
		memcpy(&half, s->options[i], sizeof half);
		half /= 2;
		memcpy(s->options[i], &half, sizeof half);
	}
	return true;
}

enum capture_verdict socket_describe(long fd, const struct object_origin *o,
				     struct drover_image_file *d, struct drover_image_socket *s,
				     struct text *why)
{
	enum capture_verdict v;

	*s = (struct drover_image_socket){.family = (uint32_t)SOCKET_FAMILY(o->made),
					  .type = (uint32_t)SOCKET_TYPE(o->made),
					  .protocol = (uint32_t)SOCKET_PROTOCOL(o->made)};
	d->kind = DROVER_FILE_SOCKET;
	d->size = sizeof *s;
	if (s->family != AF_UNIX && s->family != AF_INET && s->family != AF_INET6)
		return say(CAPTURE_REFUSE, why, fd, " is a socket of neither IP nor Unix");
	if (s->type != SOCK_STREAM && s->type != SOCK_DGRAM &&
	    (s->family != AF_UNIX || s->type != SOCK_SEQPACKET))
		return say(CAPTURE_REFUSE, why, fd, " is a raw socket");
	if (s->protocol && s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_UDP)
		return say(CAPTURE_REFUSE, why, fd, " is a socket of neither TCP nor UDP");
	if (o->foreign) {
		say(CAPTURE_REFUSE, why, fd, " is a socket with an option that stays, level ");
		text_num(why, o->foreign >> 16);
		text_str(why, " name ");
		text_num(why, o->foreign & 0xffff);
		return CAPTURE_REFUSE;
	}
	v = describe_addresses(fd, s, why);
	if (v == CAPTURE_OK)
		v = describe_state(fd, o, d, s, why);
	if (v == CAPTURE_OK && !describe_options(fd, o, s))
		v = say(CAPTURE_REFUSE, why, fd, " cannot be asked for its options");
	return v;
}
