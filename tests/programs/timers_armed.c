/* Timers that run while the program moves: an alarm, an interval timer, a POSIX timer, one far
 * away; and the limits it set. */
#define _GNU_SOURCE
#include "sum.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t rang, ticked;

static void ring(int s)
{
	rang += s == SIGALRM;
	ticked += s != SIGALRM;
}

int main(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec t = {{0, 20000000}, {0, 20000000}}, day = {{0, 0}, {86400, 0}}, left;
	struct itimerval soon = {{0, 0}, {0, 30000}};
	struct rlimit limit = {100, 100}, now;
	timer_t near, far;
	uint64_t h = SUM_START;

	signal(SIGALRM, ring);
	signal(SIGUSR1, ring);
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) || getrlimit(RLIMIT_NOFILE, &now))
		return 2;
	limit.rlim_max = now.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	e.sigev_signo = SIGUSR2;
	timer_create(CLOCK_REALTIME, &e, &far);
	e.sigev_signo = SIGUSR1;
	timer_create(CLOCK_MONOTONIC, &e, &near);
	timer_settime(far, 0, &day, NULL);
	timer_settime(near, 0, &t, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (int i = 0; i < some(30); i++) {
		h = mix(h, (uint64_t)i * 77);
		timer_gettime(far, &left);
		getrlimit(RLIMIT_NOFILE, &now);
		if (left.it_value.tv_sec < 86000 || left.it_value.tv_sec > 86400 ||
		    now.rlim_cur != 100)
			printf("%d: %ld s left, limit %d\n", i, (long)left.it_value.tv_sec,
			       (int)now.rlim_cur);
	}
	while (!rang || ticked < 3)
		usleep(1000);
	timer_settime(near, 0, &(struct itimerspec){{0, 0}, {0, 0}}, NULL);
	alarm(86400);
	for (int i = 0; i < some(10); i++)
		h = mix(h, (uint64_t)i);
	printf("rang %d, a day to go %d\n", (int)rang, alarm(0) > 86000);
	timer_delete(near);
	timer_delete(far);
	getrlimit(RLIMIT_CORE, &limit);
	printf("limits %d %d\n", (int)limit.rlim_cur, (int)limit.rlim_max);
	show("timers", h);
	return 0;
}
