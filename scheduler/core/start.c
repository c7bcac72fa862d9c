/*
 * Waiting jobs are started in their order; the first that must wait gets a
 * reservation and others may go ahead behind it (backfill.c), and nodes wake for
 * those that wait.
 */
#include "scheduler/core/internal.h"

#include "scheduler/policy/policy.h"

#define IMPOSSIBLE_LOOK 1024 /* demands that no node could ever meet */
#define CLASS_LOOK      32   /* jobs of one demand tried behind one whose time is too long */
#define FULL_MAX        16   /* demands without room that are remembered in a step */

bool node_takes(const struct node *n, const struct job *j)
{
	return n->state == NODE_UP && !n->cordoned && (j->spec.isas & (1u << n->isa)) &&
	       n->used_cpus + j->spec.cpus <= n->cpus &&
	       (!n->memory_bytes || n->used_memory_bytes + j->spec.memory_bytes <= n->memory_bytes);
}

static void say(struct effects *fx, struct job *j, enum reason_code why)
{
	if (j->why == why)
		return;
	queue_say(j, why);
	fx_reason(fx, j);
}

/* Could any node of the cluster ever hold it? */
static bool fits_some_node(const struct cluster *c, const struct job_class *cls)
{
	for (uint32_t i = 0; i < c->nmachines; i++)
		if (c->machines[i]->nodes && (cls->isas & (1u << c->machines[i]->isa)) &&
		    c->machines[i]->cpus >= cls->cpus)
			return true;
	return false;
}

static void hide(struct cluster *c, bool hidden)
{
	struct node *n = c->reserved.node;

	if (!n || n->reserved == hidden)
		return;
	n->reserved = hidden;
	node_refresh(c, n);
}

/* Demands for which no node has room. While waiting jobs are started room only gets less, so a
 * demand that is no smaller needs no search. */
struct demand {
	uint32_t cpus, isas;
	uint64_t memory_bytes;
};

struct full {
	struct demand v[FULL_MAX]; /* none covers another */
	uint32_t n;
};

/* Who has no room for a has none for b. */
static bool covers(const struct demand *a, const struct demand *b)
{
	return b->cpus >= a->cpus && b->memory_bytes >= a->memory_bytes && !(b->isas & ~a->isas);
}

static bool known_full(const struct full *f, const struct job_class *cls)
{
	const struct demand d = {cls->cpus, cls->isas, cls->memory_bytes};

	for (uint32_t i = 0; i < f->n; i++)
		if (covers(&f->v[i], &d))
			return true;
	return false;
}

static void note_full(struct full *f, const struct cluster *c, const struct job_class *cls)
{
	const struct demand d = {cls->cpus, cls->isas, cls->memory_bytes};
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->nmachines; i++)
		if ((cls->isas & (1u << c->machines[i]->isa)) &&
		    index_emptiest(&c->machines[i]->up, cls->cpus, cls->memory_bytes))
			return;
	for (uint32_t i = 0; i < f->n; i++)
		if (!covers(&d, &f->v[i]))
			f->v[kept++] = f->v[i];
	if (kept < FULL_MAX)
		f->v[kept++] = d;
	f->n = kept;
}

static bool any_asleep(const struct cluster *c)
{
	for (uint32_t i = 0; i < c->nmachines; i++)
		if (c->machines[i]->asleep.n || c->machines[i]->waking.n)
			return true;
	return false;
}

/* Starts the job if it may start now. full: no other node than the reserved one has room. */
static bool try_start(struct policy_view *v, struct job *j, bool full)
{
	struct cluster *c = v->c;
	const char *why = NULL;
	struct node *n = full ? NULL : c->policy->place(v, j, &why);

	/* The reserved node is in no tree meanwhile. */
	if (!n && c->reserved.node && c->reserved.job != j->id && node_takes(c->reserved.node, j) &&
	    (!c->cap_mw ||
	     (double)c->mw + c->reserved.node->core_w * 1000 * j->spec.cpus <= (double)c->cap_mw) &&
	    backfill_take(c, v->now_ms, c->reserved.node, j)) {
		n = c->reserved.node;
		why = "backfill: ends before, or leaves room for, the job that waits for this node";
	}
	if (!n || !node_takes(n, j))
		return false;
	job_place(c, v->now_ms, j, n, why, v->fx);
	return true;
}

/* Jobs of the same demand that take less time may fit before the reservation. */
static void try_shorter(struct policy_view *v, struct job_class *cls, bool full, uint32_t *left)
{
	struct tree_node *order[CLASS_LOOK + 1];
	uint32_t n;

	if (!v->c->reserved.node || !node_takes(v->c->reserved.node, cls->first))
		return;
	n = tree_list(&cls->jobs, order, ARRAY_SIZE(order));
	for (uint32_t k = 1; k < n && *left && node_takes(v->c->reserved.node, cls->first);
	     k++, --*left)
		(void)try_start(v, job_of(order[k]), full);
}

void start_waiting(struct policy_view *v)
{
	struct cluster *c = v->c;
	struct job_class *cls = queue_after(c, 0, 0); /* ids begin at 1 */
	uint32_t left = c->opt.backfill, impossible = IMPOSSIBLE_LOOK;
	bool reserved = false, asleep = any_asleep(c);
	struct full full = {.n = 0};

	hide(c, false);
	while (cls && left) {
		struct job *j = cls->first;
		uint64_t key = cls->head.key, tie = cls->head.tie;

		bool no_room = known_full(&full, cls);

		v->capped = false;
		if (try_start(v, j, no_room)) {
			cls = queue_after(c, key, tie);
			continue;
		}
		if (!no_room)
			note_full(&full, c, cls);
		if (!fits_some_node(c, cls) && impossible) {
			impossible--;
			say(v->fx, j, WHY_NO_NODE);
			cls = queue_after(c, key, tie);
			continue;
		}
		left--;
		if (v->capped) {
			say(v->fx, j, WHY_CAP);
		} else {
			if (!reserved)
				backfill_reserve(c, v->now_ms, j);
			hide(c, true);
			say(v->fx, j,
			    asleep && power_wake_for(c, v->now_ms, cls, v->fx) ? WHY_WAKING
									       : WHY_RESOURCES);
			if (reserved)
				try_shorter(v, cls, known_full(&full, cls), &left);
			reserved = true;
		}
		cls = queue_after(c, key, tie);
	}
	hide(c, false);
	if (!reserved)
		c->reserved = (struct reservation){0};
}
