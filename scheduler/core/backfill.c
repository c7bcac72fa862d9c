/*
 * EASY backfill (Lifka, The ANL/IBM SP Scheduling System, JSSPP 1995): the first
 * job that has to wait gets a reservation, here of one node and the time when it
 * has room; others may go ahead if that does not delay it.
 *
 * What is promised: while running jobs end when they are expected to or sooner,
 * the job starts at that time at the latest, and the time never gets later
 * (but a person may move a job there, and the node may fail). So a job may start
 * on the kept node, or be moved there, only if its time limit ends it by then, or
 * in the cpus and memory that the first job leaves: what is believed of its
 * program is no promise. The kept node need not be the one that will have room
 * first of all: only nodes that are likely to are looked at, those with the most
 * free cpus and those of the jobs that end first.
 */
#include "scheduler/core/internal.h"

#include <stdlib.h>

#define ENDS_LOOK 24  /* of the jobs that end first */
#define FREE_LOOK 4   /* of each machine's emptiest nodes */
#define JOBS_MAX  256 /* of one node; a node with more is taken to be never free */

struct release {
	uint64_t end_ms;
	uint32_t cpus;
	uint64_t memory;
};

static int by_release(const void *a, const void *b)
{
	const struct release *x = a, *y = b;

	return x->end_ms < y->end_ms ? -1 : x->end_ms > y->end_ms;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static struct release release_of(const struct job *j, uint64_t now_ms)
{
	return (struct release){.end_ms = !j->expected_end_ms           ? UINT64_MAX
					  : j->expected_end_ms > now_ms ? j->expected_end_ms
									: now_ms,
				.cpus = j->spec.cpus,
				.memory = j->spec.memory_bytes};
}

/* When the job can start on n, and what will be left there then. */
static bool when_free(const struct node *n, uint64_t now_ms, const struct job *j,
		      struct reservation *out)
{
	struct release v[JOBS_MAX];
	uint32_t cpus = n->cpus > n->used_cpus ? n->cpus - n->used_cpus : 0, k = 0, i = 0;
	uint64_t memory = !n->memory_bytes ? UINT64_MAX
			  : n->memory_bytes > n->used_memory_bytes
				  ? n->memory_bytes - n->used_memory_bytes
				  : 0;
	uint64_t at_ms = now_ms;

	list_each(l, &n->jobs)
	{
		if (k == JOBS_MAX)
			return false;
		v[k++] = release_of(list_entry(l, struct job, at), now_ms);
	}
	list_each(l, &n->incoming)
	{
		if (k == JOBS_MAX)
			return false;
		v[k++] = release_of(list_entry(l, struct migration, at)->live, now_ms);
	}
	qsort(v, k, sizeof(v[0]), by_release);
	while (cpus < j->spec.cpus || memory < j->spec.memory_bytes) {
		if (i == k)
			return false;
		at_ms = v[i].end_ms;
		cpus += v[i].cpus;
		memory = add(memory, v[i++].memory);
	}
	/* What ends at the same time is free then, too. */
	for (; i < k && v[i].end_ms <= at_ms && at_ms != UINT64_MAX; i++) {
		cpus += v[i].cpus;
		memory = add(memory, v[i].memory);
	}
	out->at_ms = at_ms;
	out->extra = cpus - j->spec.cpus;
	out->extra_memory = memory == UINT64_MAX ? memory : memory - j->spec.memory_bytes;
	return true;
}

static void consider(struct cluster *c, uint64_t now_ms, const struct job *j, struct node *n)
{
	struct reservation r = {.job = j->id, .node = n};

	if (n->state != NODE_UP || n->cordoned || n->cpus < j->spec.cpus ||
	    !(j->spec.isas & (1u << n->isa)) ||
	    (n->memory_bytes && n->memory_bytes < j->spec.memory_bytes))
		return;
	if (n == c->reserved.node || !when_free(n, now_ms, j, &r))
		return;
	if (!c->reserved.node || r.at_ms < c->reserved.at_ms)
		c->reserved = r;
}

void backfill_reserve(struct cluster *c, uint64_t now_ms, const struct job *j)
{
	struct node *kept = c->reserved.job == j->id ? c->reserved.node : NULL;
	struct tree_node *t = tree_first(&c->ends);

	c->reserved = (struct reservation){0};
	if (kept)
		consider(c, now_ms, j, kept);
	/* It stays where it is while that is known to come free. */
	if (c->reserved.node && c->reserved.at_ms != UINT64_MAX)
		return;
	for (int k = 0; t && k < ENDS_LOOK; k++, t = tree_after(&c->ends, t->key, t->tie))
		consider(c, now_ms, j, job_of(t)->node);
	for (uint32_t i = 0; i < c->nmachines; i++) {
		t = tree_last(&c->machines[i]->up);
		for (int k = 0; t && k < FREE_LOOK;
		     k++, t = tree_before(&c->machines[i]->up, t->key, t->tie))
			consider(c, now_ms, j, node_of(t));
	}
}

/* When it will have ended at the latest, wherever it runs; UINT64_MAX: nobody knows. */
static uint64_t ends_by(const struct job *j, uint64_t now_ms)
{
	uint64_t from_ms = j->node ? j->started_ms : now_ms;

	return j->spec.time_limit_s ? from_ms + j->spec.time_limit_s * 1000 : UINT64_MAX;
}

bool backfill_take(struct cluster *c, uint64_t now_ms, const struct node *n, const struct job *j)
{
	struct reservation *r = &c->reserved;

	if (r->node != n || r->job == j->id)
		return true;
	if (r->at_ms != UINT64_MAX && ends_by(j, now_ms) <= r->at_ms)
		return true;
	if (j->spec.cpus > r->extra || j->spec.memory_bytes > r->extra_memory)
		return false;
	r->extra -= j->spec.cpus;
	r->extra_memory -= r->extra_memory == UINT64_MAX ? 0 : j->spec.memory_bytes;
	return true;
}
