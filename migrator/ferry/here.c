/* See here.h. */
#include "migrator/ferry/here.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/digest.h"
#include "common/file.h"

#define SECRET_MAX 64
#define SLICE_MS   100
#define SILENCE_MS 30000

struct record {
	char secret[SECRET_MAX + 1];
};

/* Whoever reads the name in /proc/net/unix does not learn the secret from it. */
static int address(const char *secret, struct sockaddr_un *sa, socklen_t *len)
{
	static const char prefix[] = "drover-ferry-";
	uint8_t sum[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];
	int r = digest_buf(secret, strlen(secret), sum);

	if (r)
		return r;
	digest_hex(sum, hex);
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path + 1, prefix, sizeof(prefix) - 1);
	memcpy(sa->sun_path + sizeof(prefix), hex, DIGEST_HEX_SIZE - 1);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(prefix) +
			   DIGEST_HEX_SIZE - 1);
	return 0;
}

/* A socket with the address, bound or connected to it. */
static int open_at(const char *secret, int (*attach)(int, const struct sockaddr *, socklen_t))
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	socklen_t len;
	int r = address(secret, &sa, &len);

	if (!r && (fd < 0 || attach(fd, (struct sockaddr *)&sa, len)))
		r = -errno;
	return r ? r : take_fd(&fd);
}

int here_listen(const char *secret)
{
	int fd = open_at(secret, bind);

	if (fd >= 0 && listen(fd, 4) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

/* A user of this machine may have taken the name: what it would get is the job's own. */
static bool same_user(int fd)
{
	struct ucred u;
	socklen_t len = sizeof(u);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) &&
	       (u.uid == geteuid() || u.uid == 0);
}

int here_connect(const char *secret)
{
	int fd = open_at(secret, connect);

	if (fd >= 0 && !same_user(fd)) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

int here_send(int fd, const char *secret, const struct descriptors *d, struct err *e)
{
	struct record r = {.secret = ""};
	int rc = 0;

	(void)snprintf(r.secret, sizeof(r.secret), "%s", secret);
	for (unsigned int at = 0, n; at < d->n && !rc; at += n) {
		n = d->n - at < DROVER_CONTROL_FDS_MAX ? d->n - at : DROVER_CONTROL_FDS_MAX;
		rc = descriptors_send(fd, &r, sizeof(r), d->fds + at, n, MSG_DONTWAIT);
	}
	return rc ? err_sys(e, rc, "cannot hand %u descriptors over", d->n) : 0;
}

static int await(int fd, uint64_t deadline, const atomic_bool *stop)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (poll(&p, 1, SLICE_MS) <= 0) {
		if (atomic_load(stop))
			return -ECANCELED;
		if (clock_monotonic_ns() > deadline)
			return -ETIMEDOUT;
	}
	return 0;
}

/* Everything a peer that says the secret sends. */
static int receive_all(int fd, const char *secret, unsigned int n, uint64_t deadline,
		       const atomic_bool *stop, struct descriptors *out)
{
	while (out->n < n) {
		struct record r, want = {.secret = ""};
		ssize_t got;
		int rc = await(fd, deadline, stop);

		if (rc)
			return rc;
		got = descriptors_recv(fd, &r, sizeof(r), out, MSG_DONTWAIT);
		if (got == -EAGAIN)
			continue;
		(void)snprintf(want.secret, sizeof(want.secret), "%s", secret);
		if (got != sizeof(r) || !digest_equal(r.secret, want.secret, sizeof(r.secret)))
			return got < 0 ? (int)got : -EACCES;
	}
	return out->n == n ? 0 : -EPROTO;
}

int here_receive(int listener, const char *secret, unsigned int n, const atomic_bool *stop,
		 struct descriptors *out, struct err *e)
{
	uint64_t deadline = clock_monotonic_ns() + SILENCE_MS * NS_PER_MS;

	for (;;) {
		_cleanup_close_ int fd = -1;
		int r = await(listener, deadline, stop);

		if (r)
			return err_sys(e, r, "the job's %u open descriptors have not come", n);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 || !same_user(fd))
			continue;
		r = receive_all(fd, secret, n, deadline, stop, out);
		if (!r)
			return 0;
		descriptors_drop(out);
		if (r == -ECANCELED || r == -ETIMEDOUT)
			return err_sys(e, r, "the job's %u open descriptors have not come", n);
	}
}
