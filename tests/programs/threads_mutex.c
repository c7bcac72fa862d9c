/* Four threads add under mutexes of every type; the totals do not depend on who comes first. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define THREADS 4
#define ROUNDS  400

static pthread_mutex_t normal = PTHREAD_MUTEX_INITIALIZER, recursive, checking, robust, timed;
static unsigned long total[5];

static void make(pthread_mutex_t *m, int type, int sturdy)
{
	pthread_mutexattr_t a;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	if (sturdy)
		pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
}

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 300; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void twice(unsigned long v)
{
	pthread_mutex_lock(&recursive);
	pthread_mutex_lock(&recursive);
	total[1] += work(v);
	pthread_mutex_unlock(&recursive);
	pthread_mutex_unlock(&recursive);
}

static void *run(void *arg)
{
	unsigned long me = (unsigned long)arg, errors = 0;

	for (unsigned long i = 0; i < ROUNDS; i++) {
		struct timespec later;

		pthread_mutex_lock(&normal);
		total[0] += work(me * 1000 + i);
		pthread_mutex_unlock(&normal);
		twice(me + i);
		pthread_mutex_lock(&checking);
		errors += pthread_mutex_lock(&checking) == EDEADLK;
		total[2] += work(i);
		pthread_mutex_unlock(&checking);
		errors += pthread_mutex_unlock(&checking) == EPERM;
		pthread_mutex_lock(&robust);
		total[3] += work(me);
		pthread_mutex_unlock(&robust);
		clock_gettime(CLOCK_REALTIME, &later);
		later.tv_sec += 600;
		if (pthread_mutex_timedlock(&timed, &later))
			return NULL;
		total[4] += work(i ^ me);
		pthread_mutex_unlock(&timed);
	}
	return (void *)errors;
}

static void *dies(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

int main(void)
{
	pthread_t t[THREADS], victim;
	pthread_mutexattr_t a;
	void *result;
	int r;

	make(&recursive, PTHREAD_MUTEX_RECURSIVE, 0);
	make(&checking, PTHREAD_MUTEX_ERRORCHECK, 0);
	make(&robust, PTHREAD_MUTEX_NORMAL, 1);
	make(&timed, PTHREAD_MUTEX_NORMAL, 0);
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, run, (void *)(i + 1)))
			return 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &result);
		printf("thread %d: %lu\n", i, (unsigned long)result);
	}
	for (int i = 0; i < 5; i++)
		printf("total %d: %016lx\n", i, total[i]);
	pthread_create(&victim, NULL, dies, NULL);
	pthread_join(victim, NULL);
	r = pthread_mutex_lock(&robust);
	printf("owner dead: %d, consistent: %d\n", r == EOWNERDEAD,
	       pthread_mutex_consistent(&robust));
	pthread_mutex_unlock(&robust);
	/* Priority inheritance is there or is refused; it never only seems to be there. */
	pthread_mutexattr_init(&a);
	r = pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	if (r == 0 && pthread_mutex_init(&timed, &a) == 0)
		r = pthread_mutex_lock(&timed);
	printf("inheritance: %d\n", r == 0 || r == ENOTSUP || r == ENOSYS);
	return 0;
}
