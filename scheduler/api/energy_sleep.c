/*
 * Writes into the store what nodes draw while the scheduler has them asleep
 * (scheduler/ledger/sleep.h), behind the present by twice the silence after which a
 * node is unknown, so that what their agents have still to say is there first. It is made of the
 * nodes' recorded changes, and how far it has got is kept in the same transaction: nothing is lost
 * or counted twice when droverd ends at any moment, or was away for long.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "scheduler/api/energy.h"
#include "scheduler/ledger/sleep.h"

#define STATES_MAX 256 /* of a node, looked at in one step */
#define PAGE       16
/* The engine's lock is held meanwhile. */
#define NODES_AT_ONCE 100u
#define SETTING       "sleeps_settled_ms"

/* A node's states, newest first: filled from the end. */
struct states {
	struct sleep_state v[STATES_MAX];
	size_t first;
	uint64_t from_ms, last_id;
	bool complete; /* the one it was in at from_ms is there */
};

static void take_change(const struct change_record *r, void *arg)
{
	struct states *s = arg;
	struct sleep_state one = {.time_ms = r->time_ms};

	s->last_id = r->id;
	if (s->complete || !s->first)
		return;
	for (int k = 0; k < NODE_STATE_COUNT; k++)
		if (!strcmp(r->state, node_state_names[k]))
			one.state = (enum node_state)k;
	s->v[--s->first] = one;
	s->complete = r->time_ms <= s->from_ms;
}

static int read_states(struct store *store, const char *node, struct states *s, struct err *e)
{
	uint64_t before;
	int r;

	s->first = STATES_MAX;
	do {
		before = s->last_id;
		r = store_changes(store, node, true, before, PAGE, take_change, s, e);
	} while (!r && !s->complete && s->first && s->last_id != before);
	return r;
}

struct writing {
	struct engine *en;
	struct energy_interval i;
	struct err *e;
};

static int put(uint64_t from_ms, uint64_t to_ms, uint64_t energy_uj, void *arg)
{
	struct writing *w = arg;

	w->i.from_ms = from_ms;
	w->i.to_ms = to_ms;
	w->i.energy_uj = w->i.idle_uj = energy_uj;
	energy_latest_put(w->en->latest, &w->i);
	return store_fill_energy(w->en->store, &w->i, w->e);
}

/* *settled: until when the node's sleeps are written. */
static int settle(struct engine *en, const struct node *n, uint64_t from_ms, uint64_t until_ms,
		  uint64_t *settled, struct err *e)
{
	struct writing *w;
	struct states s = {.from_ms = from_ms};
	struct sleep_power p;
	int r;

	*settled = until_ms;
	if (!sleep_power_of(n, &p))
		return 0;
	r = read_states(en->store, n->name, &s, e);
	w = r ? NULL : calloc(1, sizeof(*w));
	if (!w)
		return r ? r : err_set(e, -ENOMEM, "no memory for an energy reading");
	w->en = en;
	w->e = e;
	w->i.counted = true;
	memcpy(w->i.node, n->name, sizeof(w->i.node));
	(void)snprintf(w->i.instance, sizeof(w->i.instance), SLEEP_INSTANCE);
	(void)snprintf(w->i.meter, sizeof(w->i.meter), SLEEP_METER);
	(void)snprintf(w->i.source, sizeof(w->i.source), "model");
	(void)snprintf(w->i.scope, sizeof(w->i.scope), "node");
	(void)snprintf(w->i.kind, sizeof(w->i.kind), "modelled");
	*settled = sleep_account(&p, s.v + s.first, STATES_MAX - s.first, from_ms, until_ms, put, w,
				 &r);
	free(w);
	return r;
}

/* Until when a node's sleeps are written; a node that is new here had none before the others'. */
static uint64_t settled_of(const struct engine *en, const struct node *n)
{
	return n->sleeps_settled_ms ? n->sleeps_settled_ms : en->sleeps_settled_ms;
}

static bool has_changed(const struct engine *en, const struct node *n)
{
	return n->power != POWER_ON || n->changed_ms >= settled_of(en, n);
}

static int load_settled(struct engine *en, uint64_t until_ms, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = store_setting(en->store, SETTING, &text, e);

	if (!r)
		en->sleeps_settled_ms = text ? strtoull(text, NULL, 10) : until_ms;
	return r;
}

/* At the end of a round: how far all nodes are. */
static int save_settled(struct engine *en, uint64_t until_ms, const uint64_t *settled,
			uint32_t first, uint64_t *least, struct err *e)
{
	char text[24];

	*least = until_ms;
	for (uint32_t i = 0; i < en->cluster->nnodes; i++) {
		uint64_t at =
			i < first ? settled_of(en, en->cluster->nodes[i]) : settled[i - first];

		if (at < *least)
			*least = at;
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64, *least);
	return store_set_setting(en->store, SETTING, text, e);
}

/* Nodes first to end in a transaction of their own; what is remembered of them is what was kept. */
static int write_some(struct engine *en, uint64_t until_ms, uint32_t first, uint32_t end,
		      struct err *e)
{
	uint64_t *settled = calloc((size_t)(end - first) + 1, sizeof(*settled)), least = 0;
	struct cluster *c = en->cluster;
	int r = settled ? store_begin(en->store, e)
			: err_set(e, -ENOMEM, "no memory for the energy of sleeps");

	for (uint32_t i = first; !r && i < end; i++) {
		settled[i - first] = until_ms;
		if (has_changed(en, c->nodes[i]))
			r = settle(en, c->nodes[i], settled_of(en, c->nodes[i]), until_ms,
				   &settled[i - first], e);
	}
	if (!r && end == c->nnodes)
		r = save_settled(en, until_ms, settled, first, &least, e);
	if (!r)
		r = store_commit(en->store, e);
	for (uint32_t i = first; !r && i < end; i++)
		c->nodes[i]->sleeps_settled_ms = settled[i - first];
	if (!r && least)
		en->sleeps_settled_ms = least;
	free(settled);
	return r;
}

void energy_sleeps(struct engine *en, uint64_t now_ms)
{
	uint64_t period_ms = en->opt.node_unknown_ms, until_ms = now_ms - 2 * period_ms;
	uint32_t n = en->cluster->nnodes, first = en->sleeps_next, end;
	struct err e = ERR_INIT;
	bool any = false;
	int r = 0;

	if (first >= n)
		first = 0;
	if (!first && now_ms >= en->sleeps_at_ms && now_ms < en->sleeps_at_ms + period_ms)
		return;
	if (!first)
		en->sleeps_at_ms = now_ms;
	if (!en->sleeps_settled_ms)
		r = load_settled(en, until_ms, &e);
	for (uint32_t i = 0; i < n; i++)
		any |= has_changed(en, en->cluster->nodes[i]);
	/* The clock may have been set back. */
	if (!r && (!any || until_ms <= en->sleeps_settled_ms))
		return;
	end = n - first > NODES_AT_ONCE ? first + NODES_AT_ONCE : n;
	if (!r)
		r = write_some(en, until_ms, first, end, &e);
	if (r) {
		store_rollback(en->store);
		log_err(LOG_LEVEL_WARN, "energy.sleeps", &e);
	}
	en->sleeps_next = end < n ? end : 0;
}
