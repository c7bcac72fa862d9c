/* Waits with a limit last as long as they should, wherever they are spent: never shorter by the
 * limit's own clock, and what ends them is the limit. Meanwhile others compute. The monotonic clock
 * stands still while the program moves, the calendar does not. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

static sem_t nothing;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, taken = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never;
static volatile int over;
static unsigned long rounds[2];
static const long long ns = 150000000;

static long long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static struct timespec later(clockid_t clock, long long ns)
{
	long long t = now(clock) + ns;

	return (struct timespec){.tv_sec = (time_t)(t / 1000000000),
				 .tv_nsec = (long)(t % 1000000000)};
}

static void *spends(void *arg)
{
	unsigned long *mine = arg, x = 1;

	while (!over)
		for (int i = 0; i < 10000; i++)
			*mine = x = x * 6364136223846793005ul + 1;
	return NULL;
}

static void report(const char *what, int timed_out, clockid_t clock, long long began)
{
	printf("%s: %d %d\n", what, timed_out, now(clock) - began >= ns);
}

int main(void)
{
	pthread_condattr_t attr;
	pthread_t t[2];
	struct timespec at;
	long long began;

	sem_init(&nothing, 0, 0);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&never, &attr);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, spends, &rounds[i]);
	began = now(CLOCK_MONOTONIC);
	at = later(CLOCK_MONOTONIC, ns);
	pthread_mutex_lock(&lock);
	report("condition", pthread_cond_timedwait(&never, &lock, &at) == ETIMEDOUT,
	       CLOCK_MONOTONIC, began);
	pthread_mutex_unlock(&lock);
	began = now(CLOCK_REALTIME);
	at = later(CLOCK_REALTIME, ns);
	report("semaphore", sem_timedwait(&nothing, &at) == -1 && errno == ETIMEDOUT,
	       CLOCK_REALTIME, began);
	pthread_mutex_lock(&taken);
	began = now(CLOCK_REALTIME);
	at = later(CLOCK_REALTIME, ns);
	report("mutex", pthread_mutex_timedlock(&taken, &at) == ETIMEDOUT, CLOCK_REALTIME, began);
	began = now(CLOCK_MONOTONIC);
	report("sleep", thrd_sleep(&(struct timespec){.tv_nsec = (long)ns}, NULL) == 0,
	       CLOCK_MONOTONIC, began);
	over = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	return 0;
}
