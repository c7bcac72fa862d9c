/*
 * The agents' side: docs/formats/agent-protocol.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/change.h"
#include "scheduler/api/energy.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"
#include "scheduler/ledger/ledger.h"

struct intro_change {
	struct change change;
	struct node intro;
};

static struct intro_change *intro_of(struct change *c)
{
	return (struct intro_change *)(void *)c;
}

static void intro_change_free(struct change *c)
{
	free(intro_of(c)->intro.meters);
	free(intro_of(c)->intro.runs);
	free(intro_of(c));
}

static int run_intro(struct engine *en, struct change *c, struct effects *fx)
{
	struct node copy = intro_of(c)->intro, *n;
	int r = 0;

	/* The core takes what the copy owns; the change keeps its own for a second try. */
	copy.meters = copy.meters ? strdup(copy.meters) : NULL;
	copy.runs = copy.runs ? strdup(copy.runs) : NULL;
	if (!copy.meters != !intro_of(c)->intro.meters || !copy.runs != !intro_of(c)->intro.runs)
		r = -ENOMEM;
	if (!r)
		r = core_introduce(en->cluster, engine_now_ms(), &copy, &n, fx);
	if (r == -EBUSY) {
		err_set(&c->e, r, "another agent is alive under the name %s", copy.name);
		err_hint(&c->e, "give each agent a name of its own, or end the other one");
	} else if (r == -EINVAL) {
		err_set(&c->e, -EBUSY, "node %s still has jobs of another ISA", copy.name);
	} else if (r) {
		err_set(&c->e, r, "no memory for the node");
		fx->failed = true;
	}
	free(copy.meters);
	free(copy.runs);
	return r;
}

static void intro_done(struct engine *en, struct change *c)
{
	c->status = 200;
	c->answer = json_pack("{s:i, s:I, s:I}", "version", 1, "scheduler_epoch",
			      (json_int_t)store_epoch(en->store), "heartbeat_ms",
			      (json_int_t)en->opt.heartbeat_ms);
}

void handle_introduce(struct http_exchange *rq, void *ctx)
{
	struct change *c = engine_changing(rq);
	struct intro_change *ic;
	struct err e = ERR_INIT;
	size_t len;
	const void *body = http_body(rq, &len);

	if (!c) {
		ic = calloc(1, sizeof(*ic));
		if (!ic || parse_introduction(body, len, http_param(rq, "node"), &ic->intro, &e)) {
			if (ic)
				intro_change_free(&ic->change);
			http_reply_err(rq, &e);
			return;
		}
		c = &ic->change;
		*c = (struct change){
			.run = run_intro, .done = intro_done, .free = intro_change_free};
	}
	if (engine_change(ctx, rq, c))
		change_reply(rq, c);
}

/* The node, if instance is its agent; else it is told to introduce itself. */
static struct node *find_node(struct engine *en, const char *name, const char *instance,
			      struct err *e)
{
	struct node *n = cluster_node(en->cluster, name);

	if (!n)
		err_set(e, -ENOENT, "this node is not known; introduce yourself");
	else if (!instance || strcmp(n->instance, instance))
		err_set(e, -EBUSY, "another agent goes by this name; introduce yourself");
	else
		return n;
	return NULL;
}

void handle_desired(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	uint64_t revision, wait_ms;
	struct node *n;

	if (http_query_u64(rq, "revision", 0, INT64_MAX, &revision, &e) ||
	    http_query_u64(rq, "wait_ms", 0, INT64_MAX, &wait_ms, &e) || engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (wait_ms > 30000)
		wait_ms = 30000;
	n = find_node(en, http_param(rq, "node"), http_query(rq, "instance"), &e);
	if (!n)
		http_reply_err(rq, &e);
	else if (n->revision == revision && wait_ms && !http_expired(rq))
		http_park(rq, channel_of_node(n->name), wait_ms);
	else
		http_reply_json(rq, 200, render_desired(n, store_epoch(en->store), en->store));
	engine_unlock(en);
}

/* ---- reports ------------------------------------------------------------ */

struct report_change {
	struct change change;
	struct report rep;
	char node[CORE_NAME_MAX];
};

static struct report_change *report_of(struct change *c)
{
	return (struct report_change *)(void *)c;
}

static void report_change_free(struct change *c)
{
	report_free(&report_of(c)->rep);
	free(report_of(c));
}

/* Which of a node's meters add up to its total. */
static bool counted(const struct node *n, const char *scope)
{
	_cleanup_json_ json_t *meters = n->meters ? json_loads(n->meters, 0, NULL) : NULL;
	const char *scopes[65];
	size_t i, k = 0;
	json_t *m;

	json_array_foreach(meters, i, m)
	{
		const char *s = json_string_value(json_object_get(m, "scope"));

		if (s && k < ARRAY_SIZE(scopes) - 1)
			scopes[k++] = s;
	}
	scopes[k] = NULL;
	return ledger_counted(scope, scopes);
}

static void complete_energy(const struct node *n, struct report *r)
{
	for (size_t k = 0; k < r->nenergy; k++) {
		struct energy_interval *i = &r->energy[k];

		memcpy(i->node, n->name, sizeof(i->node));
		/* One that an earlier instance measured and could not deliver keeps its name, so
		 * that it is known if it comes twice. */
		if (!i->instance[0])
			memcpy(i->instance, r->instance, sizeof(i->instance));
		if (!i->says_counted)
			i->counted = counted(n, i->scope);
	}
}

static int write_energy(struct store *s, struct report *r, struct err *e)
{
	int code = 0;

	for (size_t k = 0; !code && k < r->nenergy; k++) {
		struct energy_interval *i = &r->energy[k];
		struct err why = ERR_INIT;

		if (ledger_check(i, &why)) {
			/* Refusing it would make the agent repeat it for ever. */
			log_err(LOG_LEVEL_WARN, "energy.refused", &why);
			continue;
		}
		code = store_add_energy(s, i, e);
	}
	return code;
}

/* For /meters and the energy events: what each meter said last. */
static void keep_latest(struct engine *en, const struct report *r)
{
	for (size_t k = 0; k < r->nenergy; k++)
		energy_latest_put(en->latest, &r->energy[k]);
}

static int run_report(struct engine *en, struct change *c, struct effects *fx)
{
	struct report *rep = &report_of(c)->rep;
	struct node *n = find_node(en, report_of(c)->node, rep->instance, &c->e);
	int r;

	if (!n)
		return c->e.code;
	for (size_t i = 0; i < rep->node.njobs; i++)
		if (rep->jobs[i].state == SEEN_EXITED)
			rep->jobs[i].log_held =
				store_log_size(en->store, rep->jobs[i].id, rep->jobs[i].attempt);
	complete_energy(n, rep);
	for (size_t k = 0; k < rep->nenergy; k++)
		if (!ledger_check(&rep->energy[k], NULL))
			core_energy(en->cluster, n, &rep->energy[k]);
	core_report(en->cluster, engine_now_ms(), n, &rep->node, fx);
	en->reports++;
	r = write_energy(en->store, rep, &c->e);
	fx->failed |= r != 0;
	if (!r)
		keep_latest(en, rep);
	return r;
}

static void report_done(struct engine *en, struct change *c)
{
	c->status = 200;
	c->answer = json_pack("{s:i, s:I, s:I}", "version", 1, "scheduler_epoch",
			      (json_int_t)store_epoch(en->store), "ack_seq",
			      (json_int_t)report_of(c)->rep.seq);
}

void handle_report(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct change *c = engine_changing(rq);
	struct report_change *rc;
	struct err e = ERR_INIT;
	size_t len;
	const void *body = http_body(rq, &len);

	if (!c) {
		rc = calloc(1, sizeof(*rc));
		if (!rc || parse_report(body, len, &rc->rep, &e)) {
			free(rc);
			atomic_fetch_add(&en->report_errors, 1);
			http_reply_err(rq, &e);
			return;
		}
		(void)snprintf(rc->node, sizeof(rc->node), "%s", http_param(rq, "node"));
		c = &rc->change;
		*c = (struct change){
			.run = run_report, .done = report_done, .free = report_change_free};
	}
	if (engine_change(en, rq, c))
		change_reply(rq, c);
}
