/* A thread blocked in each call that can block one, while the program is moved; then each is let
 * go. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define KINDS 11

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, recursive,
		       with = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_t sleeper;
static mtx_t mutex11;
static sem_t sem, inside;
static atomic_int go, began;
static int pipes[2], results[KINDS];

static void first(void)
{
	sem_wait(&inside);
}

static struct timespec far(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 600;
	return t;
}

static int wait_cond(int timed)
{
	struct timespec t = far();
	int r = 0;

	pthread_mutex_lock(&with);
	while (!go && !r)
		r = timed ? pthread_cond_timedwait(&cond, &with, &t)
			  : pthread_cond_wait(&cond, &with);
	pthread_mutex_unlock(&with);
	return r;
}

static int block(int kind)
{
	struct timespec t = far();
	char c = 0;

	switch (kind) {
	case 0:
		return pthread_mutex_lock(&mutex) + pthread_mutex_unlock(&mutex);
	case 1:
		return pthread_mutex_timedlock(&recursive, &t) + pthread_mutex_unlock(&recursive);
	case 2:
	case 3:
		return wait_cond(kind == 3);
	case 4:
		return pthread_rwlock_rdlock(&lock) + pthread_rwlock_unlock(&lock);
	case 5:
		return pthread_rwlock_wrlock(&lock) + pthread_rwlock_unlock(&lock);
	case 6:
		return pthread_barrier_wait(&barrier) > 0;
	case 7:
		return sem_wait(&sem);
	case 8:
		return pthread_once(&once, first);
	case 9:
		return mtx_lock(&mutex11) + mtx_unlock(&mutex11);
	default:
		return read(pipes[0], &c, 1) == 1 ? c : -1;
	}
}

static void *run(void *arg)
{
	int *result = arg;

	began++;
	*result = block((int)(result - results));
	return result;
}

static void *joins(void *arg)
{
	void *r;

	pthread_join(sleeper, &r);
	return *(int *)r == 0 ? arg : NULL;
}

int main(void)
{
	pthread_mutexattr_t a;
	pthread_t t[KINDS], joiner;
	unsigned long x = 1;
	void *r;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &a);
	pthread_barrier_init(&barrier, NULL, 2);
	mtx_init(&mutex11, mtx_plain);
	sem_init(&sem, 0, 0);
	sem_init(&inside, 0, 0);
	if (pipe(pipes))
		return 1;
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&recursive);
	pthread_rwlock_wrlock(&lock);
	mtx_lock(&mutex11);
	for (int i = 0; i < KINDS; i++)
		pthread_create(&t[i], NULL, run, &results[i]);
	sleeper = t[7];
	pthread_create(&joiner, NULL, joins, &x);
	while (began < KINDS)
		usleep(1000);
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 100; k++)
			x = x * 6364136223846793005ul + 1442695040888963407ul;
		printf("%d %016lx\n", i, x);
	}
	pthread_mutex_unlock(&mutex);
	pthread_mutex_unlock(&recursive);
	pthread_rwlock_unlock(&lock);
	mtx_unlock(&mutex11);
	pthread_mutex_lock(&with);
	go = 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&with);
	pthread_barrier_wait(&barrier);
	sem_post(&sem);
	sem_post(&inside);
	if (write(pipes[1], "*", 1) != 1)
		return 1;
	pthread_join(joiner, &r);
	printf("joined: %d\n", r == &x);
	for (int i = 0; i < KINDS; i++) {
		if (i != 7)
			pthread_join(t[i], NULL);
		printf("kind %d: %d\n", i, results[i]);
	}
	return 0;
}
