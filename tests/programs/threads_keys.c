/* What belongs to a thread: keys with destructors, _Thread_local, errno; pthread_once. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local unsigned long mine = 17, other;
static unsigned long made, destroyed, destroyed_sum;

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 2000; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void make(void)
{
	for (int i = 0; i < 20; i++)
		made += work((unsigned)i);
}

static void destroy(void *p)
{
	unsigned long v = *(unsigned long *)p;

	for (int i = 0; i < 10; i++)
		v = work(v);
	pthread_mutex_lock(&lock);
	destroyed++;
	destroyed_sum += v;
	pthread_mutex_unlock(&lock);
	free(p);
}

static void *run(void *arg)
{
	unsigned long *p = malloc(sizeof *p);

	pthread_once(&once, make);
	if (!p)
		return NULL;
	*p = (unsigned long)arg;
	pthread_setspecific(key, p);
	errno = (int)(unsigned long)arg;
	for (int i = 0; i < 50; i++) {
		mine = work(mine + *(unsigned long *)pthread_getspecific(key));
		other += mine;
	}
	return (void *)(mine ^ other ^ (unsigned long)errno ^ made);
}

int main(void)
{
	pthread_t t[THREADS];
	void *result;

	pthread_key_create(&key, destroy);
	for (unsigned long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, run, (void *)(i + 3));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &result);
		printf("%016lx\n", (unsigned long)result);
	}
	printf("%lu %016lx %016lx %lu\n", destroyed, destroyed_sum, made, mine);
	return 0;
}
