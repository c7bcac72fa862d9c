/* Event counters, a timer descriptor, a signal descriptor, and an epoll set over them and a pipe.
 */
#include "sum.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static uint64_t take(int fd)
{
	uint64_t v = 0;

	return read(fd, &v, sizeof(v)) == sizeof(v) ? v : ~0ull;
}

int main(void)
{
	int count = eventfd(5, EFD_NONBLOCK), sem = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK),
	    far = timerfd_create(CLOCK_REALTIME, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC), p[2], sig;
	struct itimerspec t = {{0, 0}, {0, 1000}}, day = {{7, 0}, {86400, 0}};
	struct epoll_event e = {.events = EPOLLIN}, got[8];
	struct signalfd_siginfo info;
	sigset_t set;
	uint64_t h = SUM_START;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sig = signalfd(-1, &set, SFD_NONBLOCK);
	if (pipe(p) || sig < 0 || ep < 0 || timerfd_settime(timer, 0, &t, NULL) ||
	    timerfd_settime(far, 0, &day, NULL))
		return 2;
	const int watched[] = {count, timer, sig, p[0]};

	for (int i = 0; i < some(4); i++) {
		e.data.u64 = 0x1234567800000000u + (unsigned)i;
		epoll_ctl(ep, EPOLL_CTL_ADD, watched[i], &e);
	}
	for (int i = 0; i < some(25); i++) {
		uint64_t one = (uint64_t)i + 1;
		unsigned seen = 0;

		if (write(count, &one, 8) != 8)
			printf("write failed\n");
		if (i % 5 == 4)
			h = mix(h, take(count));
		if (i % 3 == 0)
			h = mix(h, take(sem));
		if (i == 10 && write(p[1], "x", 1) != 1)
			printf("write failed\n");
		if (i == 15 && kill(getpid(), SIGUSR1))
			printf("kill failed\n");
		if (i == 18)
			printf("signal %d\n", read(sig, &info, sizeof(info)) == sizeof(info)
						      ? (int)info.ssi_signo
						      : -1);
		for (int n = epoll_wait(ep, got, 8, 1000), k = 0; k < n; k++)
			seen |= 1u << (unsigned)(got[k].data.u64 - 0x1234567800000000u);
		/* The timer ran out long ago, or in a moment. */
		printf("%d: ready %x\n", i, seen & ~2u);
	}
	timerfd_gettime(far, &day);
	printf("timer: %d, a day later: %d, every %ld s\n", take(timer) == 1,
	       day.it_value.tv_sec > 86000 && day.it_value.tv_sec <= 86400,
	       (long)day.it_interval.tv_sec);
	show("events", h);
	return 0;
}
