/* A bounded queue between two producers and three consumers; a broadcast ends it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define ITEMS 300
#define ROOM  4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static unsigned long queue[ROOM];
static unsigned first, used, producers = 2;
static unsigned long sum, taken;

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 500; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void *produce(void *arg)
{
	for (unsigned long i = 0; i < ITEMS; i++) {
		unsigned long v = work((unsigned long)arg * ITEMS + i);

		pthread_mutex_lock(&lock);
		while (used == ROOM)
			pthread_cond_wait(&emptied, &lock);
		queue[(first + used++) % ROOM] = v;
		pthread_cond_signal(&filled);
		pthread_mutex_unlock(&lock);
	}
	pthread_mutex_lock(&lock);
	producers--;
	pthread_cond_broadcast(&filled);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* A consumer with an argument waits with a limit that never ends. */
static int wait_filled(void *limited)
{
	struct timespec t;

	if (!limited)
		return pthread_cond_wait(&filled, &lock);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 1000;
	return pthread_cond_timedwait(&filled, &lock, &t);
}

static void *consume(void *arg)
{
	unsigned long mine = 0;

	for (;;) {
		unsigned long v;

		pthread_mutex_lock(&lock);
		while (!used && producers)
			if (wait_filled(arg))
				printf("a wait failed\n");
		if (!used) {
			sum += mine;
			pthread_mutex_unlock(&lock);
			return NULL;
		}
		v = queue[first];
		first = (first + 1) % ROOM;
		used--;
		taken++;
		pthread_cond_signal(&emptied);
		pthread_mutex_unlock(&lock);
		mine += work(v);
	}
}

int main(void)
{
	pthread_t t[5];
	struct timespec now;
	int r;

	for (unsigned long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, consume, i == 2 ? &t[0] : NULL);
	for (unsigned long i = 3; i < 5; i++)
		pthread_create(&t[i], NULL, produce, (void *)i);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	printf("%lu items, sum %016lx\n", taken, sum);
	clock_gettime(CLOCK_REALTIME, &now);
	pthread_mutex_lock(&lock);
	now.tv_nsec += 30000000;
	if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	}
	r = pthread_cond_timedwait(&filled, &lock, &now);
	pthread_mutex_unlock(&lock);
	printf("timed out: %d\n", r == ETIMEDOUT);
	return 0;
}
