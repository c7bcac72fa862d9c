/* Threads are cancelled where they wait and where they ask; their cleanup handlers run. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t started, nobody;
static unsigned long cleaned;
static volatile unsigned long sink;

static void work(int n)
{
	for (int i = 0; i < n * 1000; i++)
		sink = sink * 6364136223846793005ul + 1;
}

static void clean(void *arg)
{
	work(20);
	cleaned += (unsigned long)arg;
	pthread_mutex_unlock(&lock);
}

static void *waits(void *arg)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(clean, arg);
	sem_post(&started);
	for (;;)
		pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *waits_at_semaphore(void *arg)
{
	sem_post(&started);
	sem_wait(&nobody);
	return arg;
}

static void *asks(void *arg)
{
	sem_post(&started);
	for (;;) {
		work(5);
		pthread_testcancel();
	}
	return arg;
}

static void *refuses(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	sem_post(&started);
	work(300);
	return arg;
}

int main(void)
{
	void *(*const kinds[])(void *) = {waits, waits_at_semaphore, asks, refuses};
	pthread_t t[4];
	void *result;

	sem_init(&started, 0, 0);
	sem_init(&nobody, 0, 0);
	for (unsigned long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, kinds[i], (void *)(i + 7));
	for (int i = 0; i < 4; i++)
		sem_wait(&started);
	work(200);
	for (int i = 0; i < 4; i++)
		pthread_cancel(t[i]);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		printf("%d: %s\n", i, result == PTHREAD_CANCELED ? "cancelled" : "returned");
	}
	printf("cleaned %lu\n", cleaned);
	return 0;
}
