/*
 * EASY backfill (Lifka, The ANL/IBM SP Scheduling System, JSSPP 1995): the first
 * job that has to wait gets a reservation, here of the node where it is
 * expected to start first; others may go ahead if that does not delay it.
 *
 * When jobs end is known from their time limits and from what is believed of
 * their programs. Only nodes that are likely to have room first are looked at:
 * those with the most free cpus, and those of the jobs that end first.
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
		const struct job *o = list_entry(l, struct job, at);

		if (k == JOBS_MAX)
			return false;
		v[k].end_ms = !o->expected_end_ms           ? UINT64_MAX
			      : o->expected_end_ms > now_ms ? o->expected_end_ms
							    : now_ms;
		v[k].cpus = o->spec.cpus;
		v[k++].memory = o->spec.memory_bytes;
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

bool backfill_allows(const struct cluster *c, uint64_t now_ms, const struct job *j)
{
	const struct reservation *r = &c->reserved;
	double s = core_estimate(j, r->node->machine).seconds;
	uint64_t end_ms = s > 0 ? now_ms + (uint64_t)(s * 1000) : UINT64_MAX;

	if (j->spec.time_limit_s && now_ms + j->spec.time_limit_s * 1000 < end_ms)
		end_ms = now_ms + j->spec.time_limit_s * 1000;
	if (end_ms != UINT64_MAX && end_ms <= r->at_ms)
		return true;
	return j->spec.cpus <= r->extra && j->spec.memory_bytes <= r->extra_memory;
}
