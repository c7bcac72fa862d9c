/* Asynchronous cancellation of a thread that never asks, and a child process of a program with
 * threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned long sink;
static volatile int begun;

static void work(int n)
{
	for (int i = 0; i < n * 1000; i++)
		sink = sink * 6364136223846793005ul + 1;
}

static void *spins(void *arg)
{
	int old;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	begun = 1;
	for (;;)
		work(1);
	return arg;
}

static void *forks(void *arg)
{
	int status = 0;
	pid_t child;

	work(50);
	child = fork();
	if (!child) {
		work(10);
		_exit(getpid() == gettid() ? 7 : 8);
	}
	waitpid(child, &status, 0);
	work(50);
	(void)arg;
	return (void *)(long)(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

int main(void)
{
	pthread_t a, b;
	void *result;

	pthread_create(&a, NULL, spins, NULL);
	pthread_create(&b, NULL, forks, NULL);
	while (!begun)
		;
	work(100);
	pthread_cancel(a);
	pthread_join(a, &result);
	printf("cancelled: %d\n", result == PTHREAD_CANCELED);
	pthread_join(b, &result);
	printf("child: %ld\n", (long)result);
	return 0;
}
