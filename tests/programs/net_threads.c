/* A server and its clients as threads of one program, over TCP, as a benchmark of a server is:
 * epoll, non-blocking connections that come and go, requests under way at every point, threads that
 * wait in accept, recv and epoll_wait. Usage: net_threads [ROUNDS [MICROSECONDS]] */
#define _GNU_SOURCE
#include "sum.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 3

static int rounds = 12, pause_us;
static struct sockaddr_in address;
static int listener;

static void must(long ok, const char *what)
{
	if (ok >= 0)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(3);
}

/* Answers each byte by the sum of what the connection has brought so far; one that says 0 is told
 * goodbye. */
static int serve(int s, uint32_t *state)
{
	unsigned char in[64];
	uint32_t out[64];
	long n = recv(s, in, sizeof in, 0);

	if (n < 0 && errno == EAGAIN)
		return 1;
	must(n, "server recv");
	for (long i = 0; i < n; i++) {
		*state = *state * 31 + in[i];
		out[i] = *state;
	}
	if (n)
		must(send(s, out, (size_t)n * 4, MSG_NOSIGNAL), "server send");
	return n > 0;
}

static void *server(void *unused)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, got[4];
	uint32_t states[64] = {0};
	int ep = epoll_create1(0), left = CLIENTS * rounds;

	(void)unused;
	must(ep, "epoll");
	must(epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e), "watch");
	while (left) {
		int n = epoll_wait(ep, got, 4, -1);

		must(n, "epoll_wait");
		for (int i = 0; i < n; i++) {
			int s = got[i].data.fd;

			if (s == listener) {
				s = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
				must(s, "accept");
				states[s % 64] = 1;
				e = (struct epoll_event){.events = EPOLLIN, .data.fd = s};
				must(epoll_ctl(ep, EPOLL_CTL_ADD, s, &e), "watch one");
			} else if (!serve(s, &states[s % 64])) {
				close(s);
				left--;
			}
		}
	}
	close(ep);
	return NULL;
}

static void exchange(int s, const char *what, uint64_t *h)
{
	uint32_t answer[64];
	size_t n = strlen(what), have = 0;

	must(send(s, what, n, MSG_NOSIGNAL), "send");
	while (have < n * 4) {
		long r = recv(s, (char *)answer + have, n * 4 - have, 0);

		must(r > 0 ? r : -1, "recv");
		have += (size_t)r;
	}
	for (size_t i = 0; i < n; i++)
		*h = mix(*h, answer[i]);
}

static void *client(void *arg)
{
	uint64_t *h = arg;

	for (int i = 0; i < rounds; i++) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		must(s, "socket");
		must(connect(s, (struct sockaddr *)&address, sizeof address), "connect");
		for (int k = 0; k < 3; k++)
			exchange(s, k % 2 ? "a longer request" : "short", h);
		close(s);
		__atomic_fetch_add(&h[1], 1, __ATOMIC_SEQ_CST);
		if (pause_us)
			usleep((useconds_t)pause_us);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t, c[CLIENTS];
	static uint64_t sums[CLIENTS][2];
	socklen_t len = sizeof address;
	int on = 1;

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (argc > 2)
		pause_us = atoi(argv[2]);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(listener, "socket");
	must(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse");
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
	must(getsockname(listener, (struct sockaddr *)&address, &len), "name");
	must(listen(listener, 16), "listen");
	pthread_create(&t, NULL, server, NULL);
	for (int i = 0; i < CLIENTS; i++) {
		sums[i][0] = SUM_START;
		pthread_create(&c[i], NULL, client, sums[i]);
	}
	/* The first one's progress, for whoever looks on. */
	for (int done = 0; done < rounds && pause_us; usleep(1000))
		while (done < (int)__atomic_load_n(&sums[0][1], __ATOMIC_SEQ_CST)) {
			printf("connection %d is through\n", ++done);
			fflush(stdout);
		}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(c[i], NULL);
	pthread_join(t, NULL);
	for (int i = 0; i < CLIENTS; i++)
		show("client", sums[i][0]);
	return 0;
}
