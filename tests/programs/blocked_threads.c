/* Threads that wait in system calls (read, poll, epoll, receive, accept a byte, sleep) while the
 * main one computes and moves: none wakes early, none sees EINTR, no byte is lost. */
#define _GNU_SOURCE
#include "sum.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = 5, ROUNDS = 6 };

static int ends[KINDS][2];
static uint64_t sums[KINDS];
static int wrong[KINDS];

static void *waiter(void *argument)
{
	int k = (int)(long)argument, ep = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN};
	struct pollfd p = {.fd = ends[k][0], .events = POLLIN};
	struct timespec t = {0, 5000000};
	unsigned char c;
	uint64_t h = SUM_START;

	epoll_ctl(ep, EPOLL_CTL_ADD, ends[k][0], &e);
	for (int i = 0; i < ROUNDS; i++) {
		if (k == 1 && poll(&p, 1, -1) != 1)
			wrong[k]++;
		if (k == 2 && epoll_wait(ep, &e, 1, 60000) != 1)
			wrong[k]++;
		if (k == 4 && nanosleep(&t, NULL))
			wrong[k]++;
		if ((k == 3 ? recv(ends[k][0], &c, 1, 0) : read(ends[k][0], &c, 1)) != 1)
			wrong[k]++;
		h = mix(h, c);
	}
	close(ep);
	sums[k] = h;
	return NULL;
}

int main(void)
{
	pthread_t t[KINDS];
	uint64_t h = SUM_START;

	for (int k = 0; k < KINDS; k++)
		if (k == 3 ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends[k]) : pipe(ends[k]))
			return 2;
	for (long k = 0; k < KINDS; k++)
		pthread_create(&t[k], NULL, waiter, (void *)k);
	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < some(4); k++)
			h = mix(h, (uint64_t)(i * 10 + k));
		for (int k = 0; k < KINDS; k++) {
			unsigned char c = (unsigned char)(i * 16 + k);

			if (write(ends[k][1], &c, 1) != 1)
				printf("write failed\n");
		}
	}
	for (int k = 0; k < KINDS; k++) {
		pthread_join(t[k], NULL);
		printf("%d: %d wrong, sum %016llx\n", k, wrong[k], (unsigned long long)sums[k]);
	}
	show("main", h);
	return 0;
}
