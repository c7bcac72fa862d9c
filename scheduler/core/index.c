/*
 * Which nodes may be chosen. Nodes that are alike form a machine; each machine
 * keeps its nodes that take jobs in a tree by free cpus, with the largest free
 * memory below each, so that the fullest or the emptiest node that has room for
 * a job is found in O(log n) for each kind of machine.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static uint64_t free_memory(const struct node *n)
{
	if (!n->memory_bytes)
		return UINT64_MAX; /* not known: no limit */
	return n->memory_bytes > n->used_memory_bytes ? n->memory_bytes - n->used_memory_bytes : 0;
}

static struct node_key *key_of(const struct tree_node *t)
{
	return tree_entry(t, struct node_key, order);
}

static void pull_memory(struct tree_node *t)
{
	struct node_key *n = key_of(t);

	n->max_free_memory = n->free_memory;
	for (int k = 0; k < 2; k++)
		if (t->child[k] && key_of(t->child[k])->max_free_memory > n->max_free_memory)
			n->max_free_memory = key_of(t->child[k])->max_free_memory;
}

/* ---- queries ---------------------------------------------------------------- */

static struct tree_node *last_with(struct tree_node *t, uint64_t memory)
{
	while (t && key_of(t)->max_free_memory >= memory) {
		struct tree_node *right = t->child[1];

		if (right && key_of(right)->max_free_memory >= memory)
			t = right;
		else if (key_of(t)->free_memory >= memory)
			return t;
		else
			t = t->child[0];
	}
	return NULL;
}

static struct tree_node *first_with(struct tree_node *t, uint32_t cpus, uint64_t memory)
{
	struct tree_node *found;

	if (!t || key_of(t)->max_free_memory < memory)
		return NULL;
	if (t->key < cpus)
		return first_with(t->child[1], cpus, memory);
	found = first_with(t->child[0], cpus, memory);
	if (found)
		return found;
	return key_of(t)->free_memory >= memory ? t : first_with(t->child[1], cpus, memory);
}

struct node *index_emptiest(const struct tree *t, uint32_t cpus, uint64_t memory)
{
	const struct tree_node *x = last_with(t->root, memory);

	return x && x->key >= cpus ? node_of(x) : NULL;
}

struct node *index_fullest(const struct tree *t, uint32_t cpus, uint64_t memory)
{
	const struct tree_node *x = first_with(t->root, cpus, memory);

	return x ? node_of(x) : NULL;
}

/* ---- machines ------------------------------------------------------------------ */

static bool same(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b));
}

static bool alike(const struct machine *m, const struct node *n)
{
	return m->isa == n->isa && m->emulated == n->emulated && m->cpus == n->cpus &&
	       m->sleep_capable == n->sleep_capable && same(m->idle_w, n->idle_w) &&
	       same(m->core_w, n->core_w) && same(m->sleep_w, n->sleep_w) &&
	       same(m->sleep_s, n->sleep_s) && same(m->wake_s, n->wake_s) &&
	       same(m->wake_j, n->wake_j) && same(m->speed, n->speed) &&
	       !strcmp(m->profile, n->profile) &&
	       !strcmp(m->runs ? m->runs : "", n->runs ? n->runs : "");
}

static struct machine *machine_new(struct cluster *c, const struct node *n)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (m && c->nmachines == c->machines_cap) {
		uint32_t cap = c->machines_cap ? 2 * c->machines_cap : 16;
		struct machine **v = realloc(c->machines, cap * sizeof(struct machine *));

		if (v) {
			c->machines = v;
			c->machines_cap = cap;
		} else {
			free(m);
			m = NULL;
		}
	}
	if (m && n->runs) {
		m->runs = strdup(n->runs);
		if (!m->runs) {
			free(m);
			m = NULL;
		}
	}
	if (!m)
		return NULL;
	m->isa = n->isa;
	m->emulated = n->emulated;
	m->sleep_capable = n->sleep_capable;
	m->cpus = n->cpus;
	m->idle_w = n->idle_w;
	m->core_w = n->core_w;
	m->sleep_w = n->sleep_w;
	m->sleep_s = n->sleep_s;
	m->wake_s = n->wake_s;
	m->wake_j = n->wake_j;
	m->speed = n->speed;
	memcpy(m->profile, n->profile, sizeof(m->profile));
	tree_init(&m->up, pull_memory);
	tree_init(&m->waking, pull_memory);
	tree_init(&m->asleep, pull_memory);
	m->index = c->nmachines;
	c->machines[c->nmachines++] = m;
	return m;
}

static void leave_tree(struct node *n)
{
	if (!n->tree)
		return;
	tree_remove(n->tree, &n->key->order);
	if (n->busy)
		n->machine->busy--;
	n->busy = false;
	n->tree = NULL;
}

int node_join(struct cluster *c, struct node *n)
{
	struct machine *m = NULL;

	for (uint32_t i = 0; i < c->nmachines && !m; i++)
		if (alike(c->machines[i], n))
			m = c->machines[i];
	if (!m)
		m = machine_new(c, n);
	if (!m)
		return -ENOMEM;
	if (n->machine != m) {
		leave_tree(n);
		if (n->machine)
			n->machine->nodes--;
		n->machine = m;
		m->nodes++;
	}
	node_refresh(c, n);
	return 0;
}

void machines_free(struct cluster *c)
{
	for (uint32_t i = 0; i < c->nmachines; i++) {
		free(c->machines[i]->runs);
		free(c->machines[i]);
	}
	free(c->machines);
}

/* ---- what follows from a node's fields ------------------------------------------- */

static enum node_state node_state_of(const struct node *n)
{
	static const enum node_state powers[POWER_COUNT] = {
		[POWER_SLEEPING] = NODE_SLEEPING,
		[POWER_ASLEEP] = NODE_ASLEEP,
		[POWER_WAKING] = NODE_WAKING,
	};

	if (n->power != POWER_ON)
		return powers[n->power];
	if (n->alive != ALIVE_UP)
		return n->alive == ALIVE_DOWN ? NODE_DOWN : NODE_UNKNOWN;
	if (n->draining)
		return n->used_cpus || n->outgoing.next != &n->outgoing ? NODE_DRAINING
									: NODE_DRAINED;
	return NODE_UP;
}

static uint64_t mw(double w)
{
	return w > 0 ? (uint64_t)llround(w * 1000) : 0;
}

uint64_t node_mw(const struct node *n, uint32_t cpus)
{
	switch (n->state) {
	case NODE_DOWN:
		return 0;
	case NODE_ASLEEP:
		return mw(n->sleep_w);
	case NODE_WAKING:
		return n->wake_j > 0 && n->wake_s > 0 ? mw(n->wake_j / n->wake_s) : mw(n->idle_w);
	default:
		return mw(n->idle_w) + mw(n->core_w) * cpus;
	}
}

static void refresh_power(struct cluster *c, struct node *n)
{
	uint64_t idle = n->state == NODE_DOWN || n->state == NODE_ASLEEP ? 0 : mw(n->idle_w);
	bool awake =
		n->power != POWER_ASLEEP && n->power != POWER_SLEEPING && n->state != NODE_DOWN;

	c->mw -= n->mw;
	n->mw = node_mw(n, n->used_cpus);
	c->mw += n->mw;
	c->idle_mw += idle - n->counted_idle_mw;
	n->counted_idle_mw = idle;
	c->awake += (uint32_t)awake - (uint32_t)n->counted_awake;
	n->counted_awake = awake;
}

static void refresh_tree(struct node *n)
{
	struct machine *m = n->machine;
	struct tree *want = NULL;

	if (!n->cordoned && !n->draining && !n->reserved)
		want = n->state == NODE_UP       ? &m->up
		       : n->state == NODE_WAKING ? &m->waking
		       : n->state == NODE_ASLEEP ? &m->asleep
						 : NULL;
	leave_tree(n);
	if (!want)
		return;
	n->tree = want;
	n->key->order.key = node_free_cpus(n);
	n->key->order.tie = UINT32_MAX - n->index;
	n->key->free_memory = free_memory(n);
	tree_insert(want, &n->key->order);
	n->busy = want == &m->up && n->used_cpus;
	m->busy += n->busy;
}

void node_refresh(struct cluster *c, struct node *n)
{
	bool idle;

	if (!n->machine)
		return; /* not registered yet */
	n->state = node_state_of(n);
	refresh_power(c, n);
	refresh_tree(n);
	idle = n->state == NODE_UP && n->sleep_capable && !n->used_cpus &&
	       n->outgoing.next == &n->outgoing;
	if (idle && n->idle.next == &n->idle) {
		n->idle_ms = c->now_ms;
		list_push(&c->idle, &n->idle);
	} else if (!idle && n->idle.next != &n->idle) {
		list_remove(&n->idle);
		if (n->used_cpus)
			power_idle_over(n, c->now_ms);
	}
}

void node_claim(struct cluster *c, struct node *n, const struct job *j)
{
	n->last_end_known = false;
	n->used_cpus += j->spec.cpus;
	n->used_memory_bytes += j->spec.memory_bytes;
	node_refresh(c, n);
}

void node_unclaim(struct cluster *c, struct node *n, const struct job *j)
{
	n->last_end_known = false;
	n->used_cpus -= j->spec.cpus;
	n->used_memory_bytes -= j->spec.memory_bytes;
	node_refresh(c, n);
}

void node_tell(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
	       double predicted_j, double actual_j, struct effects *fx)
{
	struct effect *f;

	node_refresh(c, n);
	if (n->state == n->shown)
		return;
	n->shown = n->state;
	n->changed_ms = now_ms;
	if (reason != n->state_reason) /* it may keep the one it has */
		(void)snprintf(n->state_reason, sizeof(n->state_reason), "%s", reason);
	c->schedule = true;
	fx_node(fx, n);
	f = fx_add(fx, FX_CHANGE);
	f->node = n;
	f->started_ms = now_ms;
	f->what = node_state_names[n->state];
	f->predicted_j = predicted_j;
	f->actual_j = actual_j;
	(void)snprintf(f->outcome, sizeof(f->outcome), "%s", reason);
}
