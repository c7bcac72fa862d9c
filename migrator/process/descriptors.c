/* See descriptors.h. */
#include "migrator/process/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union beside {
	char bytes[CMSG_SPACE(DROVER_CONTROL_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

void descriptors_drop(struct descriptors *d)
{
	for (unsigned int i = 0; i < d->n; i++)
		close(d->fds[i]);
	free(d->fds);
	*d = (struct descriptors){0};
}

int descriptors_send(int sock, const void *record, size_t len, const int *fds, unsigned int n,
		     int flags)
{
	union beside beside = {.bytes = ""};
	struct iovec v = {(void *)(uintptr_t)record, len};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
	struct cmsghdr *c;
	ssize_t r;

	if (n > DROVER_CONTROL_FDS_MAX)
		return -EINVAL;
	if (n) {
		h.msg_control = beside.bytes;
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	do
		r = sendmsg(sock, &h, flags | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int append(struct descriptors *d, const int *fds, unsigned int n)
{
	int *all = d->n + n > DESCRIPTORS_MAX ? NULL : realloc(d->fds, (d->n + n) * sizeof(*all));

	if (!all) {
		for (unsigned int i = 0; i < n; i++)
			close(fds[i]);
		return -EMFILE;
	}
	memcpy(all + d->n, fds, n * sizeof(*fds));
	d->fds = all;
	d->n += n;
	return 0;
}

ssize_t descriptors_recv(int sock, void *record, size_t len, struct descriptors *d, int flags)
{
	union beside beside;
	struct iovec v = {record, len};
	struct msghdr h = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};
	int fds[DROVER_CONTROL_FDS_MAX], bad = 0;
	ssize_t r;

	do
		r = recvmsg(sock, &h, flags | MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || !n)
			continue;
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		bad |= append(d, fds, (unsigned int)n) < 0;
	}
	return bad || h.msg_flags & MSG_CTRUNC ? -EMFILE : r;
}
