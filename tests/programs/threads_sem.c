/* Two threads hand a ball to each other through semaphores; spin locks guard a count. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 150

static sem_t here[2];
static pthread_spinlock_t spin;
static unsigned long ball = 1, count;

static void *play(void *arg)
{
	unsigned long me = (unsigned long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		while (sem_wait(&here[me]))
			;
		for (int k = 0; k < 400; k++)
			ball = ball * 6364136223846793005ul + me + 1;
		sem_post(&here[!me]);
		for (int k = 0; k < 20; k++) {
			pthread_spin_lock(&spin);
			for (int n = 0; n < 30; n++)
				count = count + 1;
			pthread_spin_unlock(&spin);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2];
	struct timespec soon;

	sem_init(&here[0], 0, 1);
	sem_init(&here[1], 0, 0);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	for (unsigned long i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, play, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	printf("ball %016lx, count %lu\n", ball, count);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	sem_wait(&here[0]);
	printf("timed out: %d\n", sem_timedwait(&here[0], &soon) == -1 && errno == ETIMEDOUT);
	return 0;
}
