/*
 * The invariants of types.h, checked by walking everything. For tests.
 */
#include "scheduler/core/internal.h"

static const char *check_job(const struct job *j)
{
	const struct migration *m = j->migration;

	if (job_is_over(j))
		return "a job that is over is among the live ones";
	if ((j->state == JOB_PENDING) != (j->node == NULL))
		return "a job has an owner exactly unless it waits";
	if (j->state == JOB_PENDING && (m || j->aborting))
		return "a waiting job has a migration";
	if (!m && j->state == JOB_MIGRATING)
		return "a job is MIGRATING without a migration";
	if (!m)
		return NULL;
	if (m->live != j || migration_is_over(m) || m->attempt != j->attempt || m->from == m->to)
		return "a job and its migration contradict each other";
	if (m->state < MIG_COMMITTED && (j->node != m->from || j->epoch + 1 != m->next_epoch))
		return "before commit the source owns the job";
	if (m->state >= MIG_COMMITTED && (j->node != m->to || j->epoch != m->next_epoch))
		return "after commit the destination owns the job";
	return NULL;
}

/* Every waiting job is where its reason says, and each class is found by its first job. */
static const char *check_queue(const struct cluster *c)
{
	const struct job *before = NULL;
	uint32_t queued = 0, in_classes = 0;
	uint64_t cpus = 0;

	cluster_each_job(c, j)
	{
		if (j->state != JOB_PENDING)
			continue;
		if (j->spec.held && (j->where != QUEUE_NONE || j->why != WHY_HELD))
			return "a held job may start";
		if (j->where == QUEUE_CLASS) {
			queued++;
			cpus += j->spec.cpus;
		}
		for (uint32_t k = 0; k < j->spec.ndependencies; k++)
			if (j->spec.dependencies[k].state != DEP_MET && j->where != QUEUE_NONE)
				return "a job may start before what it depends on";
	}
	for (struct tree_node *t = tree_first(&c->heads); t;
	     t = tree_after(&c->heads, t->key, t->tie)) {
		const struct job_class *cls = tree_entry(t, struct job_class, head);

		if (tree_first(&cls->jobs) != &cls->first->key->order)
			return "a class is not known by its first job";
		if (before && (before->spec.priority < cls->first->spec.priority ||
			       (before->spec.priority == cls->first->spec.priority &&
				before->id > cls->first->id)))
			return "the classes are out of order";
		before = cls->first;
		in_classes += cls->jobs.n;
	}
	if (queued != in_classes || cpus != c->waiting_cpus)
		return "the waiting jobs are not those of the classes";
	for (size_t k = 0; k < ARRAY_SIZE(c->array_hash); k++)
		for (const struct job_array *a = c->array_hash[k]; a; a = a->hash_next)
			if (a->limit &&
			    (a->admitted > a->limit || (a->admitted < a->limit && a->waiting.n)))
				return "more elements of an array are under way than may be, or "
				       "fewer";
			else if (a->live > a->members || a->admitted > a->live)
				return "an array has another number of elements than it counts";
	return NULL;
}

static const char *check_node(const struct cluster *c, const struct node *n)
{
	bool takes = n->state == NODE_UP && !n->cordoned;

	if (n->power != POWER_ON && n->used_cpus)
		return "a node that sleeps or wakes has jobs";
	if (n->mw != node_mw(n, n->used_cpus))
		return "a node's predicted power is out of date";
	if (n->machine && takes != (n->tree == &n->machine->up))
		return "the index of nodes that take jobs is wrong";
	if (n->tree && n->key->order.key != n->cpus - n->used_cpus)
		return "the index has another number of free cpus than the node";
	if (n->reserved)
		return "a node stays hidden behind a reservation";
	if ((n->idle.next != &n->idle) && (n->used_cpus || n->state != NODE_UP))
		return "a node that is busy is among the idle ones";
	(void)c;
	return NULL;
}

const char *cluster_check(const struct cluster *c)
{
	uint32_t live = 0, over = 0, pending = 0, owned = 0, active = 0;
	uint64_t mw = 0, running = 0;
	const char *bad;

	cluster_each_job(c, j)
	{
		live++;
		pending += j->state == JOB_PENDING;
		bad = check_job(j);
		if (bad)
			return bad;
	}
	bad = check_queue(c);
	if (bad)
		return bad;
	for (uint32_t k = 0; k < c->nnodes; k++) {
		const struct node *n = c->nodes[k];
		uint32_t used = 0, leaving = 0;
		uint64_t memory = 0;

		list_each(i, &n->jobs)
		{
			const struct job *j = list_entry(i, struct job, at);

			if (j->node != n)
				return "a job is in the list of a node that doesn't own it";
			used += j->spec.cpus;
			memory += j->spec.memory_bytes;
			leaving += j->migration && j->migration->state < MIG_COMMITTED
					   ? j->spec.cpus
					   : 0;
			running += j->spec.cpus;
			owned++;
		}
		list_each(i, &n->incoming)
		{
			const struct migration *m = list_entry(i, struct migration, at);

			if (m->to != n || m->state >= MIG_COMMITTED)
				return "a node expects a migration that doesn't come";
			used += m->live->spec.cpus;
			memory += m->live->spec.memory_bytes;
		}
		if (used != n->used_cpus || memory != n->used_memory_bytes)
			return "a node's used cpus and memory are not the sum of its claims";
		if (leaving != n->leaving_cpus)
			return "a node's leaving cpus are not those of the migrations from it";
		if (used > n->cpus)
			return "a node has more jobs than cpus";
		bad = check_node(c, n);
		if (bad)
			return bad;
		mw += n->mw;
	}
	list_each(i, &c->active) active++;
	list_each(i, &c->over) over++;
	if (mw != c->mw || running != c->running_cpus)
		return "the cluster's power or running cpus are not the sum of its nodes'";
	if (live + over != c->njobs || pending != c->npending || pending + owned != live ||
	    active != c->nactive)
		return "a count is wrong";
	return NULL;
}
