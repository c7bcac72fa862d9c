/* Detached threads come and go by the dozen, some from threads, one with a stack of its own; main
 * ends before the last. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#define CHAINS 4
#define LENGTH 12

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t done;
static unsigned long sum;
static char stack[256 << 10] __attribute__((aligned(4096)));

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 5000; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void begin(unsigned long left);

static void *link_of_chain(void *arg)
{
	unsigned long left = (unsigned long)arg, v = work(left);

	pthread_mutex_lock(&lock);
	sum += v;
	pthread_mutex_unlock(&lock);
	if (left % LENGTH)
		begin(left - 1);
	else
		sem_post(&done);
	return NULL;
}

static void begin(unsigned long left)
{
	pthread_t t;
	pthread_attr_t a;

	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, left % 2 ? &a : NULL, link_of_chain, (void *)left))
		printf("no thread\n");
	else if (left % 2 == 0)
		pthread_detach(t);
	pthread_attr_destroy(&a);
}

static void *last(void *arg)
{
	work(1);
	for (int i = 0; i < 40; i++)
		sum += work((unsigned)i);
	printf("last: %016lx\n", sum);
	return arg;
}

int main(void)
{
	pthread_t t;
	pthread_attr_t a;

	sem_init(&done, 0, 0);
	for (unsigned long i = 1; i <= CHAINS; i++)
		begin(i * LENGTH + LENGTH - 1);
	for (int i = 0; i < CHAINS; i++)
		sem_wait(&done);
	pthread_mutex_lock(&lock);
	printf("%016lx\n", sum);
	pthread_mutex_unlock(&lock);
	pthread_attr_init(&a);
	pthread_attr_setstack(&a, stack, sizeof stack);
	if (pthread_create(&t, &a, last, NULL))
		return 1;
	pthread_detach(t);
	pthread_exit(NULL);
}
