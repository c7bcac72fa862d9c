/*
 * A team on POSIX threads; see team.h.
 *
 * Members other than the caller sleep on a condition variable between two calls of npb_team_run().
 * `round` counts those calls: a member works when it has not yet seen the current one, so a wake-up
 * that comes early or twice does no harm.
 */
#include "workloads/npb/common/team.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/npb/common/npb.h"

struct member {
	struct npb_team *team;
	pthread_t thread;
	int number;
};

struct npb_team {
	pthread_mutex_t lock;
	pthread_cond_t begin;
	pthread_barrier_t barrier;
	npb_work *work;
	void *arg;
	unsigned long round;
	bool over;
	int members;
	struct member member[NPB_SLICES];
};

int npb_team_limit(void)
{
	return NPB_SLICES;
}

static void *member_main(void *arg)
{
	const struct member *m = arg;
	struct npb_team *t = m->team;
	unsigned long seen = 0;

	for (;;) {
		npb_work *work;
		void *what;

		pthread_mutex_lock(&t->lock);
		while (t->round == seen && !t->over)
			pthread_cond_wait(&t->begin, &t->lock);
		if (t->over) {
			pthread_mutex_unlock(&t->lock);
			return NULL;
		}
		seen = t->round;
		work = t->work;
		what = t->arg;
		pthread_mutex_unlock(&t->lock);
		work(what, m->number, t->members);
		npb_team_barrier(t);
	}
}

struct npb_team *npb_team_new(const char *kernel, int members)
{
	struct npb_team *t = npb_alloc(kernel, 1, sizeof(*t));

	memset(t, 0, sizeof(*t));
	t->members = members;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->begin, NULL);
	pthread_barrier_init(&t->barrier, NULL, (unsigned int)members);
	for (int i = 1; i < members; i++) {
		int r;

		t->member[i] = (struct member){.team = t, .number = i};
		r = pthread_create(&t->member[i].thread, NULL, member_main, &t->member[i]);
		if (r != 0) {
			fprintf(stderr,
				"drover-%s: cannot start thread %d of %d: %s; take fewer "
				"--threads or raise the limit (ulimit -u)\n",
				kernel, i + 1, members, strerror(r));
			exit(NPB_NO_MEMORY);
		}
	}
	return t;
}

void npb_team_run(struct npb_team *t, npb_work *work, void *arg)
{
	pthread_mutex_lock(&t->lock);
	t->work = work;
	t->arg = arg;
	t->round++;
	pthread_cond_broadcast(&t->begin);
	pthread_mutex_unlock(&t->lock);
	work(arg, 0, t->members);
	npb_team_barrier(t);
}

void npb_team_barrier(struct npb_team *t)
{
	if (t->members > 1)
		pthread_barrier_wait(&t->barrier);
}

void npb_team_free(struct npb_team *t)
{
	pthread_mutex_lock(&t->lock);
	t->over = true;
	pthread_cond_broadcast(&t->begin);
	pthread_mutex_unlock(&t->lock);
	for (int i = 1; i < t->members; i++)
		pthread_join(t->member[i].thread, NULL);
	pthread_barrier_destroy(&t->barrier);
	pthread_cond_destroy(&t->begin);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
