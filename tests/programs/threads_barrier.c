/* Threads go round in step; at each barrier exactly one of them is told apart. */
#include <pthread.h>
#include <stdio.h>

#define THREADS 4
#define ROUNDS  60

static pthread_barrier_t barrier;
static unsigned long cell[2][THREADS];
static int serial[ROUNDS];

static unsigned long work(unsigned long x)
{
	for (int i = 0; i < 800; i++)
		x = x * 6364136223846793005ul + 1442695040888963407ul;
	return x;
}

static void *run(void *arg)
{
	unsigned long me = (unsigned long)arg;

	for (int r = 0; r < ROUNDS; r++) {
		const unsigned long *old = cell[r % 2];

		cell[(r + 1) % 2][me] = work(old[me] + old[(me + 1) % THREADS] + (unsigned)r);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial[r]++;
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	int alone = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (unsigned long i = 1; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, run, (void *)i))
			return 1;
	run(NULL);
	for (int i = 1; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int r = 0; r < ROUNDS; r++)
		alone += serial[r] == 1;
	for (int i = 0; i < THREADS; i++)
		printf("%016lx\n", cell[ROUNDS % 2][i]);
	printf("one of each round: %d\n", alone == ROUNDS);
	pthread_barrier_destroy(&barrier);
	return 0;
}
