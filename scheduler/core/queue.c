/*
 * Jobs that wait. Those that may start stand in classes of equal demand, each in
 * the order of priority and age, and the classes in the order of their first
 * jobs: so the next job, and the next one of another demand, are found in
 * O(log n), and one job that fits nowhere speaks for its whole class.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <string.h>

static const char *const sentences[WHY_COUNT] = {
	[WHY_NONE] = "",
	[WHY_PRIORITY] = "Priority: earlier jobs or jobs of higher priority go first",
	[WHY_RESOURCES] = "Resources: waits for free cpus or memory",
	[WHY_DEPENDENCY] = "Dependency: waits for another job to end",
	[WHY_DEPENDENCY_NEVER] =
		"DependencyNeverSatisfied: a job it depends on did not complete; cancel it",
	[WHY_HELD] = "JobHeldUser: held until released",
	[WHY_BEGIN] = "BeginTime: its time to begin has not come",
	[WHY_WAKING] = "NodesWaking: a node wakes for it",
	[WHY_CAP] = "PowerCap: the cluster would draw more than its cap",
	[WHY_ARRAY] = "ArrayLimit: as many of its array are under way as may be",
	[WHY_NO_NODE] = "NoNode: no node of the cluster has so many cpus and memory of its ISAs",
};

/* Higher priority first, then the older job. */
static void set_rank(struct job *j)
{
	j->key->order.key = (uint64_t)((int64_t)INT32_MAX - j->spec.priority);
	j->key->order.tie = j->id;
}

static bool goes_first(const struct tree_node *a, const struct tree_node *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static void set_first(struct cluster *c, struct job_class *cls, struct tree_node *order)
{
	cls->first = job_of(order);
	cls->head.key = order->key;
	cls->head.tie = order->tie;
	tree_insert(&c->heads, &cls->head);
}

void queue_init(struct cluster *c)
{
	tree_init(&c->heads, NULL);
}

void queue_say(struct job *j, enum reason_code why)
{
	j->why = why;
	(void)snprintf(j->reason, sizeof(j->reason), "%s", sentences[why]);
}

/* ---- classes -------------------------------------------------------------- */

static struct job_class **class_slot(struct cluster *c, const struct job_spec *s)
{
	uint64_t h = s->cpus * 0x9e3779b97f4a7c15ull + s->isas * 0xc2b2ae3d27d4eb4full +
		     s->memory_bytes * 0x165667b19e3779f9ull;
	struct job_class **p = &c->class_hash[(h >> 32) % ARRAY_SIZE(c->class_hash)];

	while (*p && ((*p)->cpus != s->cpus || (*p)->isas != s->isas ||
		      (*p)->memory_bytes != s->memory_bytes))
		p = &(*p)->hash_next;
	return p;
}

static int class_add(struct cluster *c, struct job *j)
{
	struct job_class **slot = class_slot(c, &j->spec), *cls = *slot;

	if (!cls) {
		cls = calloc(1, sizeof(*cls));
		if (!cls)
			return -ENOMEM;
		cls->cpus = j->spec.cpus;
		cls->isas = j->spec.isas;
		cls->memory_bytes = j->spec.memory_bytes;
		tree_init(&cls->jobs, NULL);
		*slot = cls;
	}
	if (!cls->first || goes_first(&j->key->order, &cls->head)) {
		if (cls->first)
			tree_remove(&c->heads, &cls->head);
		set_first(c, cls, &j->key->order);
	}
	tree_insert(&cls->jobs, &j->key->order);
	j->class = cls;
	j->where = QUEUE_CLASS;
	c->waiting_cpus += j->spec.cpus;
	c->schedule = true;
	return 0;
}

static void class_remove(struct cluster *c, struct job *j)
{
	struct job_class *cls = j->class;
	struct tree_node *first;

	c->waiting_cpus -= j->spec.cpus;
	j->class = NULL;
	j->where = QUEUE_NONE;
	tree_remove(&cls->jobs, &j->key->order);
	if (cls->first != j)
		return;
	tree_remove(&c->heads, &cls->head);
	first = tree_first(&cls->jobs);
	if (first) {
		set_first(c, cls, first);
	} else {
		*class_slot(c, &j->spec) = cls->hash_next;
		free(cls);
	}
}

struct job_class *queue_after(const struct cluster *c, uint64_t key, uint64_t id)
{
	struct tree_node *t = tree_after(&c->heads, key, id);

	return t ? tree_entry(t, struct job_class, head) : NULL;
}

/* ---- arrays --------------------------------------------------------------- */

static struct job_array **array_slot(struct cluster *c, uint64_t id)
{
	struct job_array **p = &c->array_hash[id % ARRAY_SIZE(c->array_hash)];

	while (*p && (*p)->id != id)
		p = &(*p)->hash_next;
	return p;
}

struct job_array *queue_array(struct cluster *c, uint64_t id)
{
	return id ? *array_slot(c, id) : NULL;
}

bool cluster_array(struct cluster *c, uint64_t id, bool *failed)
{
	const struct job_array *a = queue_array(c, id);

	*failed = a && a->failed;
	return a && a->live;
}

static bool array_full(const struct job_array *a)
{
	return a->limit && a->admitted >= a->limit;
}

static int array_join(struct cluster *c, const struct job *j)
{
	struct job_array **slot = array_slot(c, j->spec.array);

	if (!j->spec.array)
		return 0;
	if (!*slot) {
		*slot = calloc(1, sizeof(**slot));
		if (!*slot)
			return -ENOMEM;
		(*slot)->id = j->spec.array;
		(*slot)->limit = j->spec.array_limit;
		tree_init(&(*slot)->waiting, NULL);
		list_init(&(*slot)->dependents);
	}
	(*slot)->members++;
	(*slot)->live++;
	return 0;
}

void queue_array_left(struct cluster *c, struct job *j)
{
	struct job_array *a = queue_array(c, j->spec.array);
	struct tree_node *t;

	if (!a)
		return;
	a->admitted--;
	while (!array_full(a) && (t = tree_first(&a->waiting))) {
		struct job *next = job_of(t);

		tree_remove(&a->waiting, t);
		a->admitted++;
		queue_say(next, WHY_PRIORITY);
		if (class_add(c, next)) {
			/* No memory: it goes back and is let in after the next element. */
			a->admitted--;
			tree_insert(&a->waiting, t);
			queue_say(next, WHY_ARRAY);
			return;
		}
	}
}

void queue_forget(struct cluster *c, const struct job *j)
{
	struct job_array **slot = array_slot(c, j->spec.array), *a = *slot;

	if (a && !--a->members) {
		*slot = a->hash_next;
		free(a);
	}
}

/* ---- in and out ------------------------------------------------------------- */

static enum reason_code dependency_why(const struct job_spec *s)
{
	enum reason_code why = WHY_NONE;

	for (uint32_t i = 0; i < s->ndependencies; i++) {
		if (s->dependencies[i].state == DEP_NEVER)
			return WHY_DEPENDENCY_NEVER;
		if (s->dependencies[i].state == DEP_WAITS)
			why = WHY_DEPENDENCY;
	}
	return why;
}

int queue_add(struct cluster *c, uint64_t now_ms, struct job *j)
{
	uint64_t begin = j->spec.begin_ms > j->not_before_ms ? j->spec.begin_ms : j->not_before_ms;
	enum reason_code why = dependency_why(&j->spec);
	struct job_array *a = queue_array(c, j->spec.array);

	j->where = QUEUE_NONE;
	set_rank(j);
	if (j->spec.held)
		why = WHY_HELD;
	if (why) {
		queue_say(j, why);
		return 0;
	}
	if (begin > now_ms) {
		queue_say(j, WHY_BEGIN);
		return timer_set(&c->timers, &j->key->timer, begin);
	}
	if (a && array_full(a)) {
		queue_say(j, WHY_ARRAY);
		j->where = QUEUE_ARRAY;
		tree_insert(&a->waiting, &j->key->order);
		return 0;
	}
	queue_say(j, WHY_PRIORITY);
	if (class_add(c, j))
		return -ENOMEM;
	if (a)
		a->admitted++;
	return 0;
}

void queue_remove(struct cluster *c, struct job *j, bool array)
{
	timer_clear(&c->timers, &j->key->timer);
	if (j->where == QUEUE_ARRAY) {
		tree_remove(&queue_array(c, j->spec.array)->waiting, &j->key->order);
		j->where = QUEUE_NONE;
	} else if (j->where == QUEUE_CLASS) {
		class_remove(c, j);
		if (array)
			queue_array_left(c, j);
	}
}

int queue_adopt(struct cluster *c, const struct job *j)
{
	return array_join(c, j);
}

int queue_adopt_running(struct cluster *c, struct job *j)
{
	struct job_array *a = queue_array(c, j->spec.array);

	if (a)
		a->admitted++;
	return queue_limit(c, j);
}

int queue_limit(struct cluster *c, struct job *j)
{
	if (!j->spec.time_limit_s)
		return 0;
	return timer_set(&c->timers, &j->key->timer, j->started_ms + j->spec.time_limit_s * 1000);
}

void queue_free(struct cluster *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->class_hash); i++)
		for (struct job_class *p = c->class_hash[i], *next; p; p = next) {
			next = p->hash_next;
			free(p);
		}
	for (size_t i = 0; i < ARRAY_SIZE(c->array_hash); i++)
		for (struct job_array *p = c->array_hash[i], *next; p; p = next) {
			next = p->hash_next;
			free(p);
		}
}
