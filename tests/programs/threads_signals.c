/* Signals sent to single threads: each has its own mask, a handler runs in the thread it is for,
 * and ends a wait as it would without a move. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define ROUNDS 25

static sem_t ready, answered, nothing;
static _Thread_local volatile int hits;
static volatile unsigned long sink;
static volatile int over;

static void work(int n)
{
	for (int i = 0; i < n * 1000; i++)
		sink = sink * 6364136223846793005ul + 1;
}

static void handler(int signal)
{
	hits += signal == SIGUSR1;
}

static void *waits(void *arg)
{
	long interrupted = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	sem_post(&ready);
	while (!over)
		if (sem_wait(&nothing) == -1 && errno == EINTR) {
			interrupted++;
			sem_post(&answered);
		}
	(void)arg;
	return (void *)(interrupted <= hits ? interrupted : -1);
}

static void *blocks(void *arg)
{
	sigset_t set, now;

	(void)arg;
	sem_post(&ready);
	while (!over)
		work(3);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return (void *)(long)(sigismember(&now, SIGUSR1) && !hits);
}

int main(void)
{
	struct sigaction a = {.sa_handler = handler};
	pthread_t waiter, blocker;
	void *result;
	sigset_t set;

	sem_init(&ready, 0, 0);
	sem_init(&answered, 0, 0);
	sem_init(&nothing, 0, 0);
	sigaction(SIGUSR1, &a, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&waiter, NULL, waits, NULL);
	pthread_create(&blocker, NULL, blocks, NULL);
	sem_wait(&ready);
	sem_wait(&ready);
	for (int i = 0; i < ROUNDS; i++) {
		work(3);
		/* Until it has waited: a signal that comes before ends nothing. */
		do
			pthread_kill(waiter, i % 5 ? SIGUSR1 : 0);
		while (i % 5 && (usleep(2000), sem_trywait(&answered)));
	}
	over = 1;
	pthread_join(blocker, &result);
	printf("blocked: %ld\n", (long)result);
	do
		pthread_kill(waiter, SIGUSR1);
	while (usleep(2000), pthread_tryjoin_np(waiter, &result));
	printf("handlers ended waits: %d\n", (long)result > 0);
	return 0;
}
