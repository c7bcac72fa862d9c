/* Readers see a writer's pair of values whole; a timed lock runs out while another holds it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 200

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned long left, right;

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 300; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void *writes(void *arg)
{
	for (unsigned long i = 1; i <= ROUNDS; i++) {
		pthread_rwlock_wrlock(&lock);
		left += work(i);
		right -= work(i);
		pthread_rwlock_unlock(&lock);
	}
	return arg;
}

static void *reads(void *arg)
{
	unsigned long torn = 0;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned long a, b;

		pthread_rwlock_rdlock(&lock);
		a = left;
		work(a);
		b = right;
		pthread_rwlock_unlock(&lock);
		torn += a + b != 0;
	}
	(void)arg;
	return (void *)torn;
}

static void *tries(void *arg)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec++;
	(void)arg;
	return (void *)(unsigned long)(pthread_rwlock_timedrdlock(&lock, &t) == ETIMEDOUT);
}

int main(void)
{
	pthread_t t[4];
	void *result;

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, i < 2 ? writes : reads, NULL);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		if (i >= 2)
			printf("torn: %lu\n", (unsigned long)result);
	}
	printf("%016lx %016lx\n", left, right);
	pthread_rwlock_wrlock(&lock);
	pthread_create(&t[0], NULL, tries, NULL);
	pthread_join(t[0], &result);
	pthread_rwlock_unlock(&lock);
	printf("timed out: %lu\n", (unsigned long)result);
	return 0;
}
