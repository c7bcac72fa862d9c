/*
 * The cluster's containers. Jobs are found by id in a hash that grows with
 * them, nodes by name; the queue, a node's jobs and the migrations towards it
 * are intrusive lists, so that every transition costs the same at any size.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define MOVE_S 0.25 /* what a migration is taken to cost before the first one */

void list_init(struct list *l)
{
	l->prev = l->next = l;
}

void list_push(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/* ---- effects ------------------------------------------------------------ */

struct effect *fx_add(struct effects *fx, enum effect_kind kind)
{
	static _Thread_local struct effect spill;

	if (fx->n == fx->cap) {
		size_t cap = fx->cap ? fx->cap * 2 : 16;
		struct effect *v = realloc(fx->v, cap * sizeof(*v));

		if (!v) {
			/* The caller must not use this step; until it sees that, write elsewhere.
			 */
			fx->failed = true;
			memset(&spill, 0, sizeof(spill));
			return &spill;
		}
		fx->v = v;
		fx->cap = cap;
	}
	memset(&fx->v[fx->n], 0, sizeof(fx->v[0]));
	fx->v[fx->n].kind = kind;
	return &fx->v[fx->n++];
}

void fx_job(struct effects *fx, struct job *j)
{
	fx_add(fx, FX_JOB)->job = j;
}

void fx_migration(struct effects *fx, struct migration *m, const char *step)
{
	struct effect *f = fx_add(fx, FX_MIGRATION);

	f->migration = m;
	f->step = step;
}

void fx_node(struct effects *fx, struct node *n)
{
	fx_add(fx, FX_NODE)->node = n;
}

void fx_desired(struct cluster *c, struct effects *fx, struct node *n)
{
	n->revision = c->next_revision++;
	fx_add(fx, FX_DESIRED)->node = n;
}

void effects_free(struct effects *fx)
{
	free(fx->v);
	memset(fx, 0, sizeof(*fx));
}

void fx_reason(struct effects *fx, struct job *j)
{
	fx_add(fx, FX_REASON)->job = j;
}

void fx_decision(struct effects *fx, uint64_t now_ms, struct job *j, const char *what,
		 const struct node *n, const char *reason, double predicted_j)
{
	struct effect *f = fx_add(fx, FX_DECISION);

	f->job = j;
	f->attempt = j->attempt;
	f->epoch = j->epoch;
	f->started_ms = now_ms;
	f->what = what;
	f->predicted_j = predicted_j;
	f->actual_j = (double)NAN;
	if (n)
		memcpy(f->node_name, n->name, sizeof(f->node_name));
	(void)snprintf(f->outcome, sizeof(f->outcome), "%s", reason);
}

/* ---- life --------------------------------------------------------------- */

struct cluster *cluster_new(const struct core_options *opt)
{
	struct cluster *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->job_buckets = 1024;
	c->job_hash = calloc(c->job_buckets, sizeof(struct job *));
	if (!c->job_hash) {
		free(c);
		return NULL;
	}
	c->opt = *opt;
	c->policy_opt = policy_options_default;
	slab_init(&c->job_keys, sizeof(struct job_key));
	slab_init(&c->node_keys, sizeof(struct node_key));
	list_init(&c->active);
	list_init(&c->over);
	list_init(&c->closed);
	list_init(&c->idle);
	list_init(&c->drains);
	queue_init(c);
	tree_init(&c->ends, NULL);
	c->move_s = MOVE_S;
	c->next_job = c->next_migration = c->next_revision = 1;
	c->schedule = true;
	return c;
}

int job_spec_copy(struct job_spec *to, const struct job_spec *from)
{
	size_t size = from->ndependencies * sizeof(*from->dependencies);

	*to = *from;
	to->launch = from->launch ? strdup(from->launch) : NULL;
	to->dependencies = size ? malloc(size) : NULL;
	if ((from->launch && !to->launch) || (size && !to->dependencies)) {
		job_spec_free(to);
		return -ENOMEM;
	}
	if (size)
		memcpy(to->dependencies, from->dependencies, size);
	return 0;
}

void job_spec_free(struct job_spec *spec)
{
	free(spec->launch);
	free(spec->dependencies);
	spec->launch = NULL;
	spec->dependencies = NULL;
	spec->ndependencies = 0;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	free(j->links);
	job_spec_free(&j->spec);
	free(j);
}

void node_free(struct node *n)
{
	if (!n)
		return;
	free(n->meters);
	free(n->runs);
	free(n);
}

void cluster_reap(struct cluster *c)
{
	list_each_safe(i, t, &c->closed)
	{
		list_remove(i);
		free(list_entry(i, struct migration, active));
	}
	list_each_safe(i, t, &c->over)
	{
		struct job *j = list_entry(i, struct job, at);
		struct job **p = &c->job_hash[j->id % c->job_buckets];

		while (*p != j)
			p = &(*p)->hash_next;
		*p = j->hash_next;
		c->njobs--;
		list_remove(i);
		if (j->spec.array)
			queue_forget(c, j);
		slab_put(&c->job_keys, j->key);
		job_free(j);
	}
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	cluster_reap(c);
	list_each_safe(i, t, &c->active) free(list_entry(i, struct migration, active));
	for (uint32_t b = 0; b < c->job_buckets; b++)
		for (struct job *j = c->job_hash[b], *next; j; j = next) {
			next = j->hash_next;
			job_free(j);
		}
	for (uint32_t i = 0; i < c->nnodes; i++)
		node_free(c->nodes[i]);
	queue_free(c);
	programs_free(c);
	machines_free(c);
	timers_free(&c->timers);
	slab_free(&c->job_keys);
	slab_free(&c->node_keys);
	free(c->nodes);
	free(c->job_hash);
	free(c);
}

/* ---- lookup ------------------------------------------------------------- */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
uint32_t cluster_name_bucket(const struct cluster *c, const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % ARRAY_SIZE(c->node_hash);
}

struct node *cluster_node(const struct cluster *c, const char *name)
{
	for (struct node *n = c->node_hash[cluster_name_bucket(c, name)]; n; n = n->hash_next)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

struct job *cluster_job(const struct cluster *c, uint64_t id)
{
	for (struct job *j = c->job_hash[id % c->job_buckets]; j; j = j->hash_next)
		if (j->id == id)
			return j;
	return NULL;
}

struct migration *cluster_migration(const struct cluster *c, uint64_t id)
{
	list_each(i, &c->active)
	{
		struct migration *m = list_entry(i, struct migration, active);

		if (m->id == id)
			return m;
	}
	return NULL;
}
