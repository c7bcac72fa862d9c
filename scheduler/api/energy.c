/* Energy over REST: totals, a node's meters. docs/formats/rest.md, Energy. */
#include "scheduler/api/energy.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/auth.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/render.h"
#include "scheduler/ledger/ledger.h"

/* Jobs an answer names; whoever wants others asks for a shorter range. */
#define JOBS_SHOWN_MAX 10000

/* May the caller see this job's energy? A user sees that of his own jobs. */
static bool sees_job(struct engine *en, const struct http_exchange *rq, uint64_t job)
{
	struct job_record rec = {0};
	bool yes;

	if (auth_sees_energy(rq, &en->auth, ""))
		return true;
	if (store_job(en->store, job, &rec, NULL))
		return false;
	yes = auth_sees_energy(rq, &en->auth, rec.job.spec.user);
	job_record_free(&rec);
	return yes;
}

/* ---- totals ------------------------------------------------------------- */

static void add_interval(const struct energy_interval *i, void *arg)
{
	ledger_add(arg, i);
}

static int by_energy(const void *pa, const void *pb)
{
	const struct ledger_sum *a = pa, *b = pb;

	return (a->energy_uj < b->energy_uj) - (a->energy_uj > b->energy_uj);
}

/*
 * The jobs that the caller may not see are left out, and of very many those that took
 * least; the nodes' sums hold them all the same. Returns how many of the latter.
 */
static size_t choose_jobs(struct engine *en, const struct http_exchange *rq, struct ledger *l)
{
	size_t n = 0, left_out;

	for (size_t i = 0; i < l->njobs; i++)
		if (sees_job(en, rq, l->jobs[i].job))
			l->jobs[n++] = l->jobs[i];
	left_out = n > JOBS_SHOWN_MAX ? n - JOBS_SHOWN_MAX : 0;
	if (left_out)
		qsort(l->jobs, n, sizeof(*l->jobs), by_energy);
	l->njobs = n - left_out;
	return left_out;
}

void handle_energy(struct http_exchange *rq, void *ctx)
{
	uint64_t from_ms, to_ms;
	struct engine *en = ctx;
	struct ledger l = {0};
	struct err e = ERR_INIT;
	size_t left_out;
	json_t *answer;

	if (http_query_u64(rq, "from_ms", 0, INT64_MAX, &from_ms, &e) ||
	    http_query_u64(rq, "to_ms", engine_now_ms() + 1, INT64_MAX, &to_ms, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	l.from_ms = from_ms;
	l.to_ms = to_ms;
	if (!engine_lock_or_reply(en, rq))
		return;
	if (store_energy(en->store, from_ms, to_ms, add_interval, &l, &e)) {
		http_reply_err(rq, &e);
	} else if (l.failed) {
		http_reply_problem(rq, 500, "no memory for the sums", NULL);
	} else {
		left_out = choose_jobs(en, rq, &l);
		answer = render_energy(&l, from_ms, to_ms);
		(void)json_object_set_new(answer, "jobs_left_out",
					  json_integer((json_int_t)left_out));
		http_reply_json(rq, 200, answer);
	}
	engine_unlock(en);
	ledger_free(&l);
}

/* ---- meters ------------------------------------------------------------- */

static json_t *render_meter(const struct engine *en, const char *node, const json_t *meter)
{
	const char *name = json_string_value(json_object_get(meter, "name"));
	const struct energy_reading *r = name ? energy_latest_get(en->latest, node, name) : NULL;
	double w = r ? energy_reading_watts(r) : -1;
	json_t *o = json_copy((json_t *)(uintptr_t)meter);

	(void)json_object_set_new(o, "power_w", w < 0 ? json_null() : json_real(w));
	(void)json_object_set_new(o, "time_ms",
				  r ? json_integer((json_int_t)r->to_ms) : json_null());
	if (r)
		(void)json_object_set_new(o, "counted", json_boolean(r->counted));
	return o;
}

void handle_node_meters(struct http_exchange *rq, void *ctx)
{
	_cleanup_json_ json_t *meters = NULL;
	struct engine *en = ctx;
	const struct node *n;
	json_t *list, *m;
	size_t i;

	if (!engine_lock_or_reply(en, rq))
		return;
	n = cluster_node(en->cluster, http_param(rq, "name"));
	if (!n) {
		http_reply_problem(rq, 404, "there is no node of this name", NULL);
		engine_unlock(en);
		return;
	}
	meters = n->meters ? json_loads(n->meters, 0, NULL) : NULL;
	list = json_array();
	json_array_foreach(meters, i, m)(void)
		json_array_append_new(list, render_meter(en, n->name, m));
	http_reply_json(rq, 200, json_pack("{s:s, s:o}", "node", n->name, "meters", list));
	engine_unlock(en);
}
