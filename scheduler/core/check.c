/*
 * The invariants of types.h, checked by walking everything. For tests.
 */
#include "scheduler/core/core.h"

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

const char *cluster_check(const struct cluster *c)
{
	uint32_t live = 0, pending = 0, owned = 0, active = 0;
	const char *bad;

	list_each(i, &c->jobs)
	{
		const struct job *j = list_entry(i, struct job, all);

		live++;
		pending += j->state == JOB_PENDING;
		bad = check_job(j);
		if (bad)
			return bad;
	}
	for (uint32_t k = 0; k < c->nnodes; k++) {
		const struct node *n = c->nodes[k];
		uint32_t used = 0;

		list_each(i, &n->jobs)
		{
			const struct job *j = list_entry(i, struct job, queue);

			if (j->node != n)
				return "a job is in the list of a node that doesn't own it";
			used += j->spec.cpus;
			owned++;
		}
		list_each(i, &n->incoming)
		{
			const struct migration *m = list_entry(i, struct migration, at);

			if (m->to != n || m->state >= MIG_COMMITTED)
				return "a node expects a migration that doesn't come";
			used += m->live->spec.cpus;
		}
		if (used != n->used_cpus)
			return "a node's used cpus are not the sum of its claims";
	}
	list_each(i, &c->active) active++;
	if (pending != c->npending || pending + owned != live || active != c->nactive)
		return "a count is wrong";
	return NULL;
}
