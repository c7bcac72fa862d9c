/* Pointers into the stacks of other threads: a list whose nodes are locals of the threads that
 * wait, and an array of main's that all write to. */
#include <pthread.h>
#include <stdio.h>

#define THREADS 4
#define ROUNDS  60

struct node {
	struct node *next;
	long value;
	int owner, done;
};
struct job {
	struct node **list;
	long *cells;
	int number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *run(void *arg)
{
	struct job *j = arg;
	long sum = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct node mine = {.value = i, .owner = j->number};

		pthread_mutex_lock(&lock);
		mine.next = *j->list;
		*j->list = &mine;
		pthread_cond_broadcast(&changed);
		while (!mine.done)
			pthread_cond_wait(&changed, &lock);
		sum += mine.value;
		pthread_mutex_unlock(&lock);
		j->cells[j->number] = sum;
	}
	return &j->cells[j->number];
}

int main(void)
{
	long cells[THREADS] = {0}, served = 0;
	struct node *list = NULL;
	struct job jobs[THREADS];
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){&list, cells, i};
		if (pthread_create(&t[i], NULL, run, &jobs[i]))
			return 1;
	}
	pthread_mutex_lock(&lock);
	while (served < THREADS * ROUNDS) {
		struct node *n = list;

		if (!n) {
			pthread_cond_wait(&changed, &lock);
			continue;
		}
		list = n->next; /* read before its owner goes on and its stack is used again */
		n->value = n->value * 3 + n->owner;
		n->done = 1;
		served++;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < THREADS; i++) {
		void *cell;

		pthread_join(t[i], &cell);
		printf("%d %ld %d\n", i, cells[i], cell == &cells[i]);
	}
	return 0;
}
