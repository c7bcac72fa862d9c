/* Nodes, jobs and migrations that come into the cluster, new ones and those of a store. */
#include "scheduler/core/internal.h"

#include <errno.h>

static int job_hash_grow(struct cluster *c)
{
	uint32_t buckets = c->job_buckets * 2;
	struct job **hash = calloc(buckets, sizeof(struct job *));

	if (!hash)
		return -ENOMEM;
	for (uint32_t b = 0; b < c->job_buckets; b++) {
		for (struct job *j = c->job_hash[b], *next; j; j = next) {
			next = j->hash_next;
			j->hash_next = hash[j->id % buckets];
			hash[j->id % buckets] = j;
		}
	}
	free(c->job_hash);
	c->job_hash = hash;
	c->job_buckets = buckets;
	return 0;
}

/* What is adopted has happened, whatever the clock says now. */
static void not_before(struct cluster *c, const uint64_t *times, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)core_time(c, times[i]);
}

/* A node from a store: whatever it was, it has yet to be heard of by this scheduler. */
static int node_load(struct cluster *c, struct node *n)
{
	n->sleep_capable = n->sleep_capable && c->opt.can_sleep;
	n->alive = ALIVE_UNKNOWN;
	if (node_join(c, n))
		return -ENOMEM;
	n->shown = n->state;
	return n->power == POWER_ON
		       ? timer_set(&c->timers, &n->silence, n->seen_ms + c->opt.node_down_ms)
		       : 0;
}

int cluster_adopt_node(struct cluster *c, struct node *n)
{
	const uint64_t times[] = {n->seen_ms, n->changed_ms, n->power_ms};
	uint32_t b = cluster_name_bucket(c, n->name);

	if (cluster_node(c, n->name))
		return -EINVAL;
	if (c->nnodes == c->nodes_cap) {
		uint32_t cap = c->nodes_cap ? c->nodes_cap * 2 : 16;
		struct node **v = realloc(c->nodes, cap * sizeof(struct node *));

		if (!v)
			return -ENOMEM;
		c->nodes = v;
		c->nodes_cap = cap;
	}
	not_before(c, times, ARRAY_SIZE(times));
	n->key = slab_get(&c->node_keys);
	if (!n->key)
		return -ENOMEM;
	n->key->node = n;
	list_init(&n->jobs);
	list_init(&n->incoming);
	list_init(&n->outgoing);
	list_init(&n->idle);
	list_init(&n->drain);
	n->woken_to_move = false;
	n->used_cpus = n->leaving_cpus = 0;
	n->used_memory_bytes = 0;
	n->machine = NULL;
	n->tree = NULL;
	n->busy = n->reserved = n->counted_awake = false;
	n->mw = n->counted_idle_mw = 0;
	n->silence = (struct timer){.kind = TIMER_NODE};
	n->power_timer = (struct timer){.kind = TIMER_POWER};
	n->index = c->nnodes;
	n->revision = c->next_revision++;
	c->nodes[c->nnodes++] = n;
	n->hash_next = c->node_hash[b];
	c->node_hash[b] = n;
	if (n->draining)
		list_push(&c->drains, &n->drain);
	/* One that introduces itself for the first time has its fields filled afterwards. */
	return n->cpus ? node_load(c, n) : 0;
}

int cluster_adopt_job(struct cluster *c, struct job *j, struct node *owner)
{
	const uint64_t times[] = {j->submitted_ms, j->started_ms, j->present_ms, j->settled_ms,
				  j->segment_ms};
	bool owned = j->state == JOB_RUNNING || j->state == JOB_MIGRATING;

	if (cluster_job(c, j->id) || job_is_over(j) || owned != (owner != NULL))
		return -EINVAL;
	if (c->njobs >= c->job_buckets && job_hash_grow(c))
		return -ENOMEM;
	not_before(c, times, ARRAY_SIZE(times));
	j->key = slab_get(&c->job_keys);
	if (!j->key)
		return -ENOMEM;
	j->key->job = j;
	j->key->timer.kind = TIMER_JOB;
	list_init(&j->at);
	j->node = NULL;
	j->migration = NULL;
	j->class = NULL;
	j->where = QUEUE_NONE;
	j->program = core_program(c, &j->spec);
	if (links_make(c, j) || queue_adopt(c, j)) {
		links_drop(j);
		slab_put(&c->job_keys, j->key);
		return -ENOMEM;
	}
	j->hash_next = c->job_hash[j->id % c->job_buckets];
	c->job_hash[j->id % c->job_buckets] = j;
	c->njobs++;
	if (j->id >= c->next_job)
		c->next_job = j->id + 1;
	if (owner) {
		job_attach(c, j, owner);
		ends_set(c, j, j->expected_end_ms);
		return queue_adopt_running(c, j);
	}
	c->npending++;
	return queue_add(c, c->now_ms, j);
}

int cluster_adopt_migration(struct cluster *c, struct migration *m)
{
	struct job *j = cluster_job(c, m->job);
	const uint64_t times[] = {m->requested_ms, m->phase_ms, m->committed_ms};
	bool committed = m->state == MIG_COMMITTED;

	if (!j || migration_is_over(m) || j->migration || j->attempt != m->attempt || !m->from ||
	    !m->to || m->from == m->to || j->node != (committed ? m->to : m->from) ||
	    j->epoch != (committed ? m->next_epoch : m->next_epoch - 1))
		return -EINVAL;
	not_before(c, times, ARRAY_SIZE(times));
	list_init(&m->active);
	list_init(&m->at);
	m->live = j;
	j->migration = m;
	list_push(&c->active, &m->active);
	c->nactive++;
	if (committed) {
		list_push(&m->from->outgoing, &m->at);
	} else {
		list_push(&m->to->incoming, &m->at);
		node_claim(c, m->to, j);
		m->from->leaving_cpus += j->spec.cpus;
	}
	if (m->id >= c->next_migration)
		c->next_migration = m->id + 1;
	return 0;
}
