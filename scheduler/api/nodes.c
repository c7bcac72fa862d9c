/*
 * Nodes, migrations, policy.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct node *const *)a)->name, (*(struct node *const *)b)->name);
}

/* Nodes by name, behind the one that the cursor names. */
void handle_nodes(struct http_exchange *rq, void *ctx)
{
	const char *cursor = http_query(rq, "cursor"), *last = NULL;
	struct engine *en = ctx;
	_cleanup_free_ struct node **sorted = NULL;
	uint64_t now = engine_now_ms(), limit, n = 0;
	struct err e = ERR_INIT;
	json_t *list = json_array();
	uint32_t i = 0;

	if (http_query_u64(rq, "limit", 1000, 1000, &limit, &e) || engine_lock(en, &e)) {
		json_decref(list);
		http_reply_err(rq, &e);
		return;
	}
	sorted = calloc(en->cluster->nnodes + 1, sizeof(struct node *));
	for (; sorted && i < en->cluster->nnodes; i++)
		sorted[i] = en->cluster->nodes[i];
	if (sorted)
		qsort(sorted, i, sizeof(struct node *), by_name);
	for (i = 0; sorted && sorted[i] && n < (limit ? limit : 1); i++) {
		if (cursor && strcmp(sorted[i]->name, cursor) <= 0)
			continue;
		(void)json_array_append_new(list, render_node(sorted[i], now));
		last = sorted[i]->name;
		n++;
	}
	http_reply_json(
		rq, 200,
		json_pack("{s:o, s:s?}", "nodes", list, "next", sorted && sorted[i] ? last : NULL));
	engine_unlock(en);
}

void handle_node(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	const struct node *n;

	if (!engine_lock_or_reply(en, rq))
		return;
	n = cluster_node(en->cluster, http_param(rq, "name"));
	if (n)
		http_reply_json(rq, 200, render_node(n, engine_now_ms()));
	else
		http_reply_problem(rq, 404, "there is no node of this name", NULL);
	engine_unlock(en);
}

/* ---- migrations --------------------------------------------------------- */

void handle_migrate(struct http_exchange *rq, void *ctx)
{
	char node[CORE_NAME_MAX], reason[CORE_REASON_MAX];
	struct engine *en = ctx;
	struct effects fx = {0};
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	struct job_record rec = {0};
	struct migration *m = NULL;
	struct node *to = NULL;
	struct job *live;
	size_t len;
	const void *body = http_body(rq, &len);
	json_t *answer;

	e.fields = &fields;
	if (parse_migrate(body, len, node, reason, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!engine_lock_or_reply(en, rq))
		return;
	if (find_own_job(en, rq, &rec, &live)) {
		if (node[0])
			to = cluster_node(en->cluster, node);
		if (node[0] && !to)
			err_set(&e, -ENOENT, "there is no node %s", node);
		else if (!live)
			err_set(&e, -EBUSY, "job %" PRIu64 " can't be moved: it is over",
				rec.job.id);
		else
			(void)core_migrate(en->cluster, engine_now_ms(), live, to, reason, &m, &fx,
					   &e);
		answer = m ? render_live_migration(m) : NULL;
		if (!e.code && engine_commit(en, &fx, NULL, &e)) {
			json_decref(answer);
			http_reply_err(rq, &e);
		} else if (e.code) {
			http_reply_err(rq, &e);
		} else {
			http_reply_json(rq, 202, answer);
		}
	}
	effects_free(&fx);
	job_record_free(&rec);
	engine_unlock(en);
}

struct list_arg {
	json_t *list;
	uint64_t last, n;
	const struct cluster *c;
};

static void add_migration(struct migration_record *r, void *arg)
{
	struct list_arg *a = arg;
	const struct migration *live = cluster_migration(a->c, r->m.id);

	(void)json_array_append_new(a->list,
				    live ? render_live_migration(live) : render_migration(r));
	a->last = r->m.id;
	a->n++;
}

void handle_migrations(struct http_exchange *rq, void *ctx)
{
	const char *job = http_query(rq, "job"), *order = http_query(rq, "order");
	bool newest = order && !strcmp(order, "newest");
	uint64_t after, limit, id = job ? parse_id(job, 0) : 0;
	struct engine *en = ctx;
	struct list_arg a = {0};
	struct err e = ERR_INIT;
	char cursor[24];

	if (!get_page(rq, &after, &limit))
		return;
	if (job && !id) {
		http_reply_problem(rq, 400, "job is not a job's id", NULL);
		return;
	}
	if (order && !newest && strcmp(order, "oldest") != 0) {
		http_reply_problem(rq, 400, "order is newest or oldest", NULL);
		return;
	}
	if (!engine_lock_or_reply(en, rq))
		return;
	a.list = json_array();
	a.c = en->cluster;
	if (store_migrations(en->store, id, newest, after, (unsigned int)limit, add_migration, &a,
			     &e)) {
		json_decref(a.list);
		http_reply_err(rq, &e);
	} else {
		(void)snprintf(cursor, sizeof(cursor), "%" PRIu64, a.last);
		http_reply_json(rq, 200,
				json_pack("{s:o, s:s?}", "migrations", a.list, "next",
					  a.n == limit ? cursor : NULL));
	}
	engine_unlock(en);
}

void handle_migration(struct http_exchange *rq, void *ctx)
{
	uint64_t id = parse_id(http_param(rq, "id"), 'm');
	struct engine *en = ctx;
	const struct migration *live;
	struct migration_record r;
	struct err e = ERR_INIT;

	if (!engine_lock_or_reply(en, rq))
		return;
	live = cluster_migration(en->cluster, id);
	if (live)
		http_reply_json(rq, 200, render_live_migration(live));
	else if (store_migration(en->store, id, &r, &e))
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 200, render_migration(&r));
	engine_unlock(en);
}

/* ---- policy ------------------------------------------------------------- */

void handle_policy(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;

	if (!engine_lock_or_reply(en, rq))
		return;
	http_reply_json(rq, 200, render_policy(en->cluster->policy, &en->cluster->policy_opt));
	engine_unlock(en);
}

void handle_set_policy(struct http_exchange *rq, void *ctx)
{
	const struct policy *p = NULL;
	struct policy_options o;
	struct engine *en = ctx;
	json_t *now;
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	size_t len;
	const void *body = http_body(rq, &len);

	e.fields = &fields;
	if (parse_policy(body, len, &p, &o, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!engine_lock_or_reply(en, rq))
		return;
	now = render_policy(en->cluster->policy, &en->cluster->policy_opt);
	if (!http_if_match(rq, now))
		; /* answered */
	else if (engine_set_policy(en, p, &o, &e))
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 200, render_policy(p, &o));
	json_decref(now);
	engine_unlock(en);
}
