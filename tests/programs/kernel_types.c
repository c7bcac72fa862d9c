/* Types and constants of the kernel's interface, kept across points and used again on the other
 * side. */
#define _GNU_SOURCE
#include "sum.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(void)
{
	char name[] = "/tmp/drover-kernel-types-XXXXXX";
	int fd = mkstemp(name), ep = epoll_create1(EPOLL_CLOEXEC), pipes[2];
	struct epoll_event want[2] = {{EPOLLIN, {.u64 = 0x1234567890abcdef}},
				      {EPOLLOUT | EPOLLONESHOT, {.fd = 77}}};
	struct stat before, now;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct rlimit limit;
	sigset_t set;
	uint64_t h = SUM_START;

	if (fd < 0 || write(fd, "kernel", 6) != 6 || pipe2(pipes, O_NONBLOCK | O_CLOEXEC))
		return 1;
	unlink(name);
	fstat(fd, &before);
	epoll_ctl(ep, EPOLL_CTL_ADD, pipes[0], &want[0]);
	sigemptyset(&set);
	for (int i = 0; i < some(6); i++) {
		struct epoll_event got[2] = {{0}};
		struct pollfd p = {pipes[0], POLLIN, 0};
		uint64_t all = 0;
		int n;

		if (i == 3)
			epoll_ctl(ep, EPOLL_CTL_ADD, pipes[1], &want[1]);
		if (i % 2 && write(pipes[1], "x", 1) != 1)
			return 1;
		n = epoll_wait(ep, got, 2, 0);
		for (int k = 0; k < n; k++)
			all += got[k].events * UINT64_C(65537) + (got[k].data.u64 & 0xffff);
		h = mix(h, all); /* in whatever order the set reports them */
		h = mix(h, (uint64_t)(poll(&p, 1, 0) + p.revents));
		printf("%d: %d events, flags %x\n", i, n,
		       (unsigned)fcntl(pipes[0], F_GETFL) & (O_NONBLOCK | O_APPEND | O_DIRECT));
		sigaddset(&set, 30 + i);
		h = mix(h, (uint64_t)sigismember(&set, 28 + i));
		fstat(fd, &now);
		h = mix(h, (uint64_t)(now.st_size == before.st_size && S_ISREG(now.st_mode)));
		h = mix(h, (uint64_t)(now.st_uid == before.st_uid && now.st_gid == before.st_gid));
		h = mix(h, (uint64_t)(fcntl(fd, F_GETLK, &lock) + lock.l_type == F_UNLCK));
		getrlimit(RLIMIT_NOFILE, &limit);
		h = mix(h, limit.rlim_cur <= limit.rlim_max);
	}
	show("kernel", h);
	return 0;
}
