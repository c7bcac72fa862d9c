/*
 * Why things were decided and what came of it: histories of jobs and nodes, what
 * is believed of programs, and the policies there are.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/outcome.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"

#define SEGMENTS_MAX 4096

/* ---- a job ------------------------------------------------------------------ */

struct history {
	struct segment_record *v;
	size_t n, cap;
	struct outcome_move *moves;
	size_t nmoves;
	struct outcome_of_job known; /* of both */
	bool failed;
	json_t *decisions;
};

static void take_segment(const struct segment_record *r, void *arg)
{
	struct history *h = arg;

	if (h->n == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 8;
		struct segment_record *v =
			h->n < SEGMENTS_MAX ? realloc(h->v, cap * sizeof(*v)) : NULL;

		if (!v) {
			h->failed = true;
			return;
		}
		h->v = v;
		h->cap = cap;
	}
	h->v[h->n++] = *r;
}

static void take_move(struct migration_record *r, void *arg)
{
	struct history *h = arg;
	struct outcome_move *v;

	if (!r->m.committed_ms)
		return;
	v = realloc(h->moves, (h->nmoves + 1) * sizeof(*v));
	if (!v) {
		h->failed = true;
		return;
	}
	h->moves = v;
	v[h->nmoves++] = (struct outcome_move){r->m.attempt, r->m.next_epoch,
					       r->m.move_w * (double)r->m.downtime_us / 1e6};
}

static void take_decision(const struct decision_record *d, void *arg)
{
	struct history *h = arg;

	(void)json_array_append_new(h->decisions, render_decision(d, outcome_of(&h->known, d)));
}

static json_t *make_history(struct history *h, const struct job *j)
{
	json_t *segments = json_array(), *all = json_array(), *v;
	struct decision_record submit = {.time_ms = j->submitted_ms,
					 .kind = "submit",
					 .predicted_j = (double)NAN},
			       end = {.time_ms = j->ended_ms,
				      .kind = "end",
				      .predicted_j = (double)NAN};
	size_t i;

	for (i = 0; i < h->n; i++)
		(void)json_array_append_new(segments, render_segment_record(&h->v[i]));
	(void)snprintf(submit.reason, sizeof(submit.reason), "submitted by %s", j->spec.user);
	(void)json_array_append_new(all, render_decision(&submit, (double)NAN));
	json_array_foreach(h->decisions, i, v)(void) json_array_append(all, v);
	if (job_is_over(j)) {
		memcpy(end.reason, j->reason, sizeof(end.reason));
		memcpy(end.node, j->last_node, sizeof(end.node));
		(void)json_array_append_new(all, render_decision(&end, (double)NAN));
	}
	return json_pack("{s:o, s:o}", "segments", segments, "decisions", all);
}

void handle_job_history(struct http_exchange *rq, void *ctx)
{
	struct history h = {.decisions = json_array()};
	struct engine *en = ctx;
	struct job_record rec = {0};
	struct err e = ERR_INIT;
	struct job *live;
	json_t *o;

	if (!engine_lock_or_reply(en, rq)) {
		json_decref(h.decisions);
		return;
	}
	if (find_job(en, rq, &rec, &live)) {
		if (!store_segments(en->store, rec.job.id, take_segment, &h, &e) &&
		    !store_migrations(en->store, rec.job.id, false, 0, SEGMENTS_MAX, take_move, &h,
				      &e)) {
			h.known = (struct outcome_of_job){h.v, h.n, h.moves, h.nmoves,
							  rec.job.state == JOB_COMPLETED};
			(void)store_decisions(en->store, rec.job.id, take_decision, &h, &e);
		}
		if (e.code) {
			http_reply_err(rq, &e);
		} else if (h.failed) {
			http_reply_problem(rq, 500, "no memory for the history", NULL);
		} else {
			o = make_history(&h, live ? live : &rec.job);
			if (!auth_sees_energy(rq, &en->auth, rec.job.spec.user))
				hide_history_energy(o);
			http_reply_json(rq, 200, o);
		}
	}
	free(h.v);
	free(h.moves);
	json_decref(h.decisions);
	job_record_free(&rec);
	engine_unlock(en);
}

/* ---- a node ----------------------------------------------------------------- */

struct list_arg {
	json_t *list;
	uint64_t last, n;
};

static void take_change(const struct change_record *r, void *arg)
{
	struct list_arg *a = arg;

	(void)json_array_append_new(a->list, render_change(r));
	a->last = r->id;
	a->n++;
}

void handle_node_history(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct list_arg a = {0};
	struct err e = ERR_INIT;
	uint64_t after, limit;
	char cursor[24];
	const struct node *n;

	if (!get_page(rq, &after, &limit) || !engine_lock_or_reply(en, rq))
		return;
	n = cluster_node(en->cluster, http_param(rq, "name"));
	a.list = json_array();
	if (!n) {
		json_decref(a.list);
		http_reply_problem(rq, 404, "there is no node of this name", NULL);
	} else if (store_changes(en->store, n->name, false, after, (unsigned int)limit, take_change,
				 &a, &e)) {
		json_decref(a.list);
		http_reply_err(rq, &e);
	} else {
		(void)snprintf(cursor, sizeof(cursor), "%" PRIu64, a.last);
		http_reply_json(rq, 200,
				json_pack("{s:o, s:s?}", "changes", a.list, "next",
					  a.n == limit ? cursor : NULL));
	}
	engine_unlock(en);
}

/* ---- models ------------------------------------------------------------------ */

/* What is believed of a program on each kind of machine, learned or from its profile. */
static void add_program(json_t *list, const struct cluster *c, struct program *p)
{
	for (uint32_t i = 0; i < c->nmachines; i++) {
		const struct machine *m = c->machines[i];
		const struct belief *b = &p->of[m->isa][m->emulated];
		struct job j = {.program = p, .spec.cpus = 1};
		struct estimate est;
		bool before = false;

		memcpy(j.spec.name, p->name, sizeof(j.spec.name));
		est = core_estimate(&j, m);
		for (uint32_t k = 0; k < i; k++)
			before |= c->machines[k]->isa == m->isa &&
				  c->machines[k]->emulated == m->emulated &&
				  !strcmp(c->machines[k]->profile, m->profile);
		if (!m->nodes || est.seconds <= 0 || before)
			continue;
		(void)json_array_append_new(list, render_model(p, m, b, &est));
	}
}

void handle_models(struct http_exchange *rq, void *ctx)
{
	const char *wanted = http_query(rq, "program");
	struct engine *en = ctx;
	json_t *list;

	if (!engine_lock_or_reply(en, rq))
		return;
	list = json_array();
	for (size_t i = 0; i < ARRAY_SIZE(en->cluster->program_hash); i++)
		for (struct program *p = en->cluster->program_hash[i]; p; p = p->hash_next)
			if (!wanted || !strcmp(p->name, wanted) || !strcmp(p->bundle, wanted))
				add_program(list, en->cluster, p);
	http_reply_json(rq, 200, json_pack("{s:o}", "models", list));
	engine_unlock(en);
}

void handle_policies(struct http_exchange *rq, void *ctx)
{
	json_t *list = json_array();

	(void)ctx;
	for (size_t i = 0; policies[i]; i++)
		(void)json_array_append_new(list, render_policy_summary(policies[i]));
	http_reply_json(rq, 200, json_pack("{s:o}", "policies", list));
}
