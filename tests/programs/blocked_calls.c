/* Calls that wait, one after the other, each for less than a tenth of a second or for itself: none
 * may end early, twice, or with EINTR. */
#define _GNU_SOURCE
#include "sum.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long elapsed(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

static int wait_for(int what, int quiet)
{
	struct timespec t = {0, 30000000}, end;
	struct pollfd p = {.fd = quiet, .events = POLLIN};
	struct epoll_event e = {.events = EPOLLIN};
	struct timeval tv = {0, 30000};
	sigset_t set;
	fd_set r;
	int ep, n;

	FD_ZERO(&r);
	FD_SET(quiet, &r);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	switch (what) {
	case 0:
		return nanosleep(&t, &t);
	case 1:
		return poll(&p, 1, 30);
	case 2:
		return select(quiet + 1, &r, NULL, NULL, &tv);
	case 3:
		ep = epoll_create1(0);
		epoll_ctl(ep, EPOLL_CTL_ADD, quiet, &e);
		n = epoll_wait(ep, &e, 1, 30);
		close(ep);
		return n;
	case 4:
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_nsec += 30000000;
		end.tv_sec += end.tv_nsec / 1000000000;
		end.tv_nsec %= 1000000000;
		return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
	case 5:
		return sigtimedwait(&set, NULL, &t) == -1 && errno == EAGAIN ? 0 : 1;
	default:
		return ppoll(&p, 1, &t, &set);
	}
}

int main(void)
{
	uint64_t h = SUM_START;
	struct timespec from;
	int p[2];

	if (pipe(p))
		return 2;
	for (int i = 0; i < some(14); i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		int r = wait_for(i % 7, p[0]);
		long ms = elapsed(&from);

		printf("%d: %d, %s\n", i, r, ms >= 29 ? "waited" : "early");
		h = mix(h, (uint64_t)r);
	}
	show("calls", h);
	return 0;
}
