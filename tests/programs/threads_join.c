/* Threads compute, each on its own, main waits for them: recursion, locals whose address is taken,
 * memory, the identity of each. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 3

struct job {
	pthread_t thread, seen;
	unsigned long in, out;
	char text[64];
};

static void mix(unsigned long *x, const unsigned long *y)
{
	*x = (*x ^ *y) * 0x9e3779b97f4a7c15ul;
	*x ^= *x >> 29;
}

static unsigned long tree(unsigned long seed, int depth)
{
	unsigned long v = seed, w = (unsigned long)depth;

	mix(&v, &w);
	if (!depth)
		return v;
	w = tree(v, depth - 1);
	mix(&v, &w);
	w = tree(v + 1, depth - 1);
	mix(&v, &w);
	return v;
}

static void *run(void *arg)
{
	struct job *j = arg;
	char local[64];

	j->seen = pthread_self();
	snprintf(local, sizeof local, "seed %lu", j->in);
	j->out = tree(j->in, 11);
	strcpy(j->text, local);
	return &j->out;
}

int main(void)
{
	struct job *jobs = calloc(THREADS, sizeof *jobs);
	void *result;

	if (!jobs)
		return 1;
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < THREADS; i++) {
			jobs[i].in = i * 77 + (unsigned)round;
			if (pthread_create(&jobs[i].thread, NULL, run, &jobs[i]))
				return 1;
		}
		for (unsigned i = 0; i < THREADS; i++) {
			pthread_join(jobs[i].thread, &result);
			printf("%s: %016lx %d %d\n", jobs[i].text, *(unsigned long *)result,
			       result == &jobs[i].out,
			       pthread_equal(jobs[i].thread, jobs[i].seen) != 0);
		}
	}
	free(jobs);
	return 0;
}
