/*
 * The agents' side: docs/formats/agent-protocol.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"
#include "scheduler/ledger/ledger.h"

void handle_introduce(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct effects fx = {0};
	struct err e = ERR_INIT;
	struct node intro, *n;
	size_t len;
	const void *body = http_body(rq, &len);
	int r;

	if (parse_introduction(body, len, http_param(rq, "node"), &intro, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	r = engine_lock(en, &e);
	if (!r) {
		r = core_introduce(en->cluster, engine_now_ms(), &intro, &n, &fx);
		if (r == -EBUSY) {
			err_set(&e, r, "another agent is alive under the name %s", intro.name);
			err_hint(&e, "give each agent a name of its own, or end the other one");
		} else if (r == -EINVAL) {
			err_set(&e, -EBUSY, "node %s still has jobs of another ISA", intro.name);
		} else if (r) {
			err_set(&e, r, "no memory for the node");
		} else {
			r = engine_commit(en, &fx, NULL, &e);
		}
		effects_free(&fx);
		engine_unlock(en);
	}
	if (r)
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 200,
				json_pack("{s:i, s:I, s:I}", "version", 1, "scheduler_epoch",
					  (json_int_t)store_epoch(en->store), "heartbeat_ms",
					  (json_int_t)en->opt.heartbeat_ms));
	free(intro.meters);
}

/* The node, if instance is its agent; else it has been told to introduce itself. */
static struct node *node_of(struct engine *en, struct http_exchange *rq, const char *instance)
{
	struct node *n = cluster_node(en->cluster, http_param(rq, "node"));

	if (!n)
		http_reply_problem(rq, 404, "this node is not known; introduce yourself", NULL);
	else if (!instance || strcmp(n->instance, instance))
		http_reply_problem(rq, 409, "another agent goes by this name; introduce yourself",
				   NULL);
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
	n = node_of(en, rq, http_query(rq, "instance"));
	if (n && n->revision == revision && wait_ms && !http_expired(rq))
		http_park(rq, channel_of_node(n->name), wait_ms);
	else if (n)
		http_reply_json(rq, 200, render_desired(n, store_epoch(en->store), en->store));
	engine_unlock(en);
}

/* ---- reports ------------------------------------------------------------ */

struct energy_write {
	struct report *r;
	const struct node *n;
};

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

static int write_energy(struct store *s, void *arg, struct err *e)
{
	const struct energy_write *w = arg;
	int r = 0;

	for (size_t k = 0; !r && k < w->r->nenergy; k++) {
		struct energy_interval *i = &w->r->energy[k];

		memcpy(i->node, w->n->name, sizeof(i->node));
		memcpy(i->instance, w->r->instance, sizeof(i->instance));
		i->counted = counted(w->n, i->scope);
		if (ledger_check(i, e)) {
			/* Refusing it would make the agent repeat it for ever. */
			log_err(LOG_LEVEL_WARN, "energy.refused", e);
			continue;
		}
		r = store_add_energy(s, i, e);
	}
	return r;
}

void handle_report(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct effects fx = {0};
	struct err e = ERR_INIT;
	struct report rep;
	struct node *n;
	size_t len;
	const void *body = http_body(rq, &len);

	if (parse_report(body, len, &rep, &e)) {
		en->report_errors++;
		http_reply_err(rq, &e);
		return;
	}
	if (engine_lock(en, &e)) {
		report_free(&rep);
		http_reply_err(rq, &e);
		return;
	}
	n = node_of(en, rq, rep.instance);
	if (n) {
		struct energy_write w = {&rep, n};
		struct engine_extra extra = {write_energy, &w};

		for (size_t i = 0; i < rep.node.njobs; i++)
			if (rep.jobs[i].state == SEEN_EXITED)
				rep.jobs[i].log_held = store_log_size(en->store, rep.jobs[i].id,
								      rep.jobs[i].attempt);
		core_report(en->cluster, engine_now_ms(), n, &rep.node, &fx);
		en->reports++;
		if (engine_commit(en, &fx, rep.nenergy ? &extra : NULL, &e))
			http_reply_err(rq, &e);
		else
			http_reply_json(rq, 200,
					json_pack("{s:i, s:I, s:I}", "version", 1,
						  "scheduler_epoch",
						  (json_int_t)store_epoch(en->store), "ack_seq",
						  (json_int_t)rep.seq));
	}
	engine_unlock(en);
	report_free(&rep);
}

/* The owner, and those that owned this attempt before: their part of the output may come late. */
static bool may_write_log(struct engine *en, const struct job *j, const char *node)
{
	return !strcmp(j->last_node, node) ||
	       store_has_handed_on(en->store, j->id, j->attempt, node);
}

void handle_agent_log(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	uint64_t id = parse_id(http_param(rq, "id"), 0), attempt, offset, held = 0;
	const struct job *j;
	size_t len;
	const void *body = http_body(rq, &len);
	int r;

	if (http_query_u64(rq, "attempt", 0, UINT32_MAX, &attempt, &e) ||
	    http_query_u64(rq, "offset", 0, INT64_MAX, &offset, &e) || engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	j = id ? cluster_job(en->cluster, id) : NULL;
	if (!j || j->attempt != attempt) {
		http_reply_problem(rq, 404, "this attempt is not under way; forget it", NULL);
	} else if (!may_write_log(en, j, http_param(rq, "node"))) {
		http_reply_problem(rq, 403, "this node has not run this attempt", NULL);
	} else {
		r = store_append_log(en->store, id, (uint32_t)attempt, offset, body, len, &held,
				     &e);
		if (r && r != -ERANGE)
			http_reply_err(rq, &e);
		else
			http_reply_json(rq, r ? 409 : 200,
					json_pack("{s:I}", "bytes", (json_int_t)held));
		if (!r)
			http_server_wake(en->http, channel_of_log(id));
	}
	engine_unlock(en);
}
