/*
 * What operators and users ask of jobs and nodes that are there: hold, priority,
 * requeue, a whole array's end, drain, sleep; and the power cap.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"

/* ---- jobs ----------------------------------------------------------------- */

static void reply_live(struct engine *en, struct http_exchange *rq, unsigned int status,
		       uint64_t id)
{
	struct job_record rec = {0};
	struct err e = ERR_INIT;
	json_t *o;

	if (store_job(en->store, id, &rec, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	o = render_job(&rec, cluster_job(en->cluster, id));
	if (!auth_sees_energy(rq, &en->auth, rec.job.spec.user))
		auth_hide_energy(o);
	http_reply_json(rq, status, o);
	job_record_free(&rec);
}

static int change_job(struct engine *en, struct job *j, const struct job_patch *p,
		      struct effects *fx, struct err *e)
{
	uint64_t now = engine_now_ms();
	int r = 0;

	if (p->has_hold && j->state != JOB_PENDING)
		return err_set(e, -EBUSY, "job %" PRIu64 " can't be %s: it is %s", j->id,
			       p->hold ? "held" : "released", job_state_names[j->state]);
	if (p->has_priority)
		r = core_set_priority(en->cluster, now, j, p->priority, fx);
	if (!r && p->has_hold)
		r = core_hold(en->cluster, now, j, p->hold, fx);
	return r ? err_set(e, r, "job %" PRIu64 " can't be changed", j->id) : 0;
}

/* If-Match, against the job as GET shows it; false: 412 was replied. */
static bool job_matches(struct engine *en, struct http_exchange *rq, const struct job_record *rec,
			const struct job *live)
{
	json_t *now = render_job(rec, live);
	bool matches;

	if (!auth_sees_energy(rq, &en->auth, rec->job.spec.user))
		auth_hide_energy(now);
	matches = http_if_match(rq, now);
	json_decref(now);
	return matches;
}

void handle_patch_job(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct job_record rec = {0};
	struct effects fx = {0};
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	struct job_patch patch;
	struct job *live;
	size_t len;
	const void *body = http_body(rq, &len);

	e.fields = &fields;
	if (parse_job_patch(body, len, &patch, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	e.fields = NULL;
	if (!engine_lock_or_reply(en, rq))
		return;
	if (find_own_job(en, rq, &rec, &live) && job_matches(en, rq, &rec, live)) {
		if (!live)
			err_set(&e, -EBUSY, "job %" PRIu64 " has ended: %s", rec.job.id,
				job_state_names[rec.job.state]);
		else
			(void)change_job(en, live, &patch, &fx, &e);
		if (e.code || engine_commit(en, &fx, NULL, &e))
			http_reply_err(rq, &e);
		else
			reply_live(en, rq, 200, rec.job.id);
	}
	effects_free(&fx);
	job_record_free(&rec);
	engine_unlock(en);
}

void handle_requeue(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct job_record rec = {0};
	struct effects fx = {0};
	struct err e = ERR_INIT;
	struct job *live;

	if (!engine_lock_or_reply(en, rq))
		return;
	if (find_own_job(en, rq, &rec, &live)) {
		if (!live)
			err_set(&e, -EBUSY, "job %" PRIu64 " has ended: %s", rec.job.id,
				job_state_names[rec.job.state]);
		else
			(void)core_requeue(en->cluster, engine_now_ms(), live, &fx, &e);
		if (e.code || engine_commit(en, &fx, NULL, &e))
			http_reply_err(rq, &e);
		else
			reply_live(en, rq, 202, rec.job.id);
	}
	effects_free(&fx);
	job_record_free(&rec);
	engine_unlock(en);
}

void handle_cancel_array(struct http_exchange *rq, void *ctx)
{
	const char *text = http_query(rq, "array");
	uint64_t id = text ? parse_id(text, 0) : 0, now = engine_now_ms();
	struct engine *en = ctx;
	struct effects fx = {0};
	struct err e = ERR_INIT;
	const char *user = NULL;
	char owner[CORE_NAME_MAX];
	json_int_t n = 0;

	if (!id) {
		http_reply_problem(rq, 400, "array must be the id of an array",
				   "DELETE /v1/jobs/{id} cancels one job");
		return;
	}
	if (!engine_lock_or_reply(en, rq))
		return;
	cluster_each_job(en->cluster, j)
	{
		if (j->spec.array == id && !user)
			user = memcpy(owner, j->spec.user, sizeof(owner));
	}
	if (!user) {
		http_reply_problem(rq, 404, "no job of such an array waits or runs", NULL);
	} else if (auth_may_change(rq, user)) {
		cluster_each_job(en->cluster, j)
		{
			if (j->spec.array == id && !core_cancel(en->cluster, now, j, &fx))
				n++;
		}
		if (engine_commit(en, &fx, NULL, &e))
			http_reply_err(rq, &e);
		else
			http_reply_json(rq, 202,
					json_pack("{s:s, s:I}", "array", text, "cancelled", n));
	}
	engine_unlock(en);
}

/* ---- nodes ---------------------------------------------------------------- */

void handle_patch_node(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct effects fx = {0};
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	enum node_action action;
	_cleanup_json_ json_t *state = NULL;
	char reason[CORE_REASON_MAX];
	struct node *n;
	size_t len;
	const void *body = http_body(rq, &len);

	e.fields = &fields;
	if (parse_node_patch(body, len, &action, reason, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!engine_lock_or_reply(en, rq))
		return;
	n = cluster_node(en->cluster, http_param(rq, "name"));
	if (n)
		state = render_node_state(n);
	if (!n)
		http_reply_problem(rq, 404, "there is no node of this name", NULL);
	else if (!http_if_match(rq, state))
		; /* answered */
	else if (core_node_action(en->cluster, engine_now_ms(), n, action, reason, &fx, &e) ||
		 engine_commit(en, &fx, NULL, &e))
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 200, render_node(n, engine_now_ms()));
	effects_free(&fx);
	engine_unlock(en);
}

/* ---- power cap ------------------------------------------------------------- */

static int write_cap(struct store *s, void *arg, struct err *e)
{
	return store_set_setting(s, "power_cap", arg, e);
}

void handle_power_cap(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;

	if (!engine_lock_or_reply(en, rq))
		return;
	http_reply_json(rq, 200, render_power_cap(en->cluster));
	engine_unlock(en);
}

void handle_set_power_cap(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct effects fx = {0};
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	char text[32];
	struct engine_extra extra = {write_cap, text};
	json_t *now;
	double cap_w;
	size_t len;
	const void *body = http_body(rq, &len);

	e.fields = &fields;
	if (parse_power_cap(body, len, &cap_w, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!engine_lock_or_reply(en, rq))
		return;
	now = render_power_cap(en->cluster);
	if (!http_if_match(rq, now)) {
		json_decref(now);
		engine_unlock(en);
		return;
	}
	json_decref(now);
	(void)snprintf(text, sizeof(text), "%.3f", cap_w);
	core_set_cap(en->cluster, cap_w);
	if (engine_commit(en, &fx, &extra, &e)) {
		http_reply_err(rq, &e);
	} else {
		events_add(en, "power-cap", render_power_cap(en->cluster));
		http_server_wake(en->http, CHANNEL_EVENTS);
		http_reply_json(rq, 200, render_power_cap(en->cluster));
	}
	engine_unlock(en);
}
