/*
 * Energy over REST: totals, series, one job's, a node's meters.
 * docs/formats/rest.md, Energy.
 */
#include "scheduler/api/energy.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/auth.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/render.h"
#include "scheduler/ledger/ledger.h"
#include "scheduler/ledger/segments.h"
#include "scheduler/ledger/series.h"

#define POINTS_DEFAULT 500
/* Jobs an answer names; whoever wants others asks for a shorter range. */
#define JOBS_SHOWN_MAX 10000
#define HOUR_MS        (3600u * 1000u)

static bool lock_or_reply(struct engine *en, struct http_exchange *rq)
{
	struct err e = ERR_INIT;

	if (!engine_lock(en, &e))
		return true;
	http_reply_err(rq, &e);
	return false;
}

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
	if (!lock_or_reply(en, rq))
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

/* ---- series ------------------------------------------------------------- */

enum by { BY_NODE, BY_JOB, BY_ISA, BY_USER, BY_ZONE, BY_COUNT };

static const char *const by_names[BY_COUNT + 1] = {"node", "job", "isa", "user", "zone", NULL};

/* A job's user, asked of the store once. */
struct owner {
	uint64_t job; /* 0: a free place */
	char user[CORE_NAME_MAX];
};

struct series_arg {
	struct engine *en;
	const struct http_exchange *rq;
	enum by by;
	const char *key; /* only this one; NULL: all */
	struct series_set set;
	struct owner *owners;
	size_t nowners, owners_cap;
};

/* Doubles the table of owners (open addressing, at most half full). */
static bool grow_owners(struct series_arg *a)
{
	size_t cap = a->owners_cap ? a->owners_cap * 2 : 128;
	struct owner *v = calloc(cap, sizeof(*v));

	if (!v)
		return false;
	for (size_t i = 0; i < a->owners_cap; i++) {
		size_t b = a->owners[i].job % cap;

		if (!a->owners[i].job)
			continue;
		while (v[b].job)
			b = (b + 1) % cap;
		v[b] = a->owners[i];
	}
	free(a->owners);
	a->owners = v;
	a->owners_cap = cap;
	return true;
}

static const char *user_of(struct series_arg *a, uint64_t job)
{
	struct job_record rec = {0};
	size_t b;

	if (a->nowners * 2 >= a->owners_cap && !grow_owners(a)) {
		a->set.failed = true;
		return NULL;
	}
	for (b = job % a->owners_cap; a->owners[b].job; b = (b + 1) % a->owners_cap)
		if (a->owners[b].job == job)
			return a->owners[b].user;
	a->nowners++;
	a->owners[b].job = job;
	(void)snprintf(a->owners[b].user, sizeof(a->owners[b].user), "(unknown)");
	if (!store_job(a->en->store, job, &rec, NULL)) {
		memcpy(a->owners[b].user, rec.job.spec.user, sizeof(a->owners[b].user));
		job_record_free(&rec);
	}
	return a->owners[b].user;
}

static void add_keyed(struct series_arg *a, const char *key, const char *isa,
		      const struct energy_interval *i, uint64_t uj)
{
	if (key && (!a->key || a->by == BY_ZONE || !strcmp(a->key, key)))
		series_add(&a->set, key, isa, i, uj);
}

/* Idle and system energy is nobody's; by user it stands under names that no user has. */
static void add_jobs(struct series_arg *a, const struct energy_interval *i)
{
	char id[24];

	for (uint32_t k = 0; k < i->njobs; k++) {
		const char *user = user_of(a, i->jobs[k].job);

		if (!user)
			continue;
		(void)snprintf(id, sizeof(id), "%" PRIu64, i->jobs[k].job);
		if (!auth_sees_energy(a->rq, &a->en->auth, user))
			add_keyed(a, "(others)", NULL, i, i->jobs[k].energy_uj);
		else
			add_keyed(a, a->by == BY_JOB ? id : user, NULL, i, i->jobs[k].energy_uj);
	}
	if (a->by != BY_USER)
		return;
	add_keyed(a, "(idle)", NULL, i, i->idle_uj);
	add_keyed(a, "(system)", NULL, i, i->system_uj);
}

static void add_to_series(const struct energy_interval *i, void *arg)
{
	struct series_arg *a = arg;
	const struct node *n = cluster_node(a->en->cluster, i->node);
	const char *isa = n ? isa_name(n->isa) : NULL;

	if (a->by == BY_ZONE) {
		if (!strcmp(i->node, a->key))
			add_keyed(a, i->meter, isa, i, i->energy_uj);
		return;
	}
	if (!i->counted)
		return;
	if (a->by == BY_NODE)
		add_keyed(a, i->node, isa, i, i->energy_uj);
	else if (a->by == BY_ISA)
		add_keyed(a, isa ? isa : "(unknown)", isa, i, i->energy_uj);
	else
		add_jobs(a, i);
}

static json_t *render_series(const struct series_arg *a)
{
	const struct series_set *s = &a->set;
	json_t *list = json_array();

	for (size_t k = 0; k < s->n; k++) {
		const struct series *one = &s->v[k];
		json_t *points = json_array();

		for (size_t i = 0; i < s->npoints; i++) {
			double w = series_watts(s, one, i);
			json_t *p = json_array();

			(void)json_array_append_new(p, json_integer((json_int_t)series_time(s, i)));
			(void)json_array_append_new(p, w < 0 ? json_null() : json_real(w));
			(void)json_array_append_new(p, json_integer((json_int_t)one->energy_uj[i]));
			(void)json_array_append_new(points, p);
		}
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s?, s:s, s:s, s:s, s:o}", "key", one->key, "isa",
					one->isa[0] ? one->isa : NULL, "source", one->source,
					"scope", one->scope, "kind", one->kind, "points", points));
	}
	return json_pack("{s:I, s:I, s:I, s:s, s:o, s:I}", "from_ms", (json_int_t)s->from_ms,
			 "to_ms", (json_int_t)s->to_ms, "resolution_ms",
			 (json_int_t)s->resolution_ms, "by", by_names[a->by], "series", list,
			 "left_out", (json_int_t)s->dropped);
}

static int parse_series(struct http_exchange *rq, struct series_arg *a, struct err *e)
{
	const char *by = http_query(rq, "by");
	uint64_t from_ms, to_ms, resolution_ms, points;
	int r;

	a->key = http_query(rq, "key");
	if (a->key && !*a->key)
		a->key = NULL;
	for (int i = 0; by && by_names[i]; i++)
		if (!strcmp(by, by_names[i]))
			a->by = (enum by)i;
	if (by && strcmp(by, by_names[a->by]) != 0)
		return err_set(e, -EINVAL, "by must be node, job, isa, user or zone");
	if (a->by == BY_ZONE && !a->key)
		return err_set(e, -EINVAL, "by=zone needs key=NODE");
	r = http_query_u64(rq, "to_ms", engine_now_ms() + 1, INT64_MAX, &to_ms, e);
	if (!r)
		r = http_query_u64(rq, "from_ms", to_ms > HOUR_MS ? to_ms - HOUR_MS : 0, INT64_MAX,
				   &from_ms, e);
	if (!r)
		r = http_query_u64(rq, "resolution_ms", 0, INT64_MAX, &resolution_ms, e);
	if (!r)
		r = http_query_u64(rq, "points", POINTS_DEFAULT, SERIES_POINTS_MAX, &points, e);
	return r ? r : series_init(&a->set, from_ms, to_ms, resolution_ms, points, e);
}

void handle_energy_series(struct http_exchange *rq, void *ctx)
{
	struct series_arg a = {.en = ctx, .rq = rq, .by = BY_NODE};
	struct err e = ERR_INIT;

	if (parse_series(rq, &a, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!lock_or_reply(ctx, rq)) {
		series_free(&a.set);
		return;
	}
	if (a.by == BY_ZONE && !cluster_node(a.en->cluster, a.key))
		http_reply_problem(rq, 404, "there is no node of this name", NULL);
	else if (store_energy(a.en->store, a.set.from_ms, a.set.to_ms, add_to_series, &a, &e))
		http_reply_err(rq, &e);
	else if (a.set.failed)
		http_reply_problem(rq, 500, "no memory for the series", NULL);
	else
		http_reply_json(rq, 200, render_series(&a));
	engine_unlock(ctx);
	series_free(&a.set);
	free(a.owners);
}

/* ---- one job ------------------------------------------------------------ */

#define MOVES_MAX 1024

struct moves {
	struct segment_move v[MOVES_MAX];
	char names[MOVES_MAX][2][CORE_NAME_MAX];
	size_t n;
};

static void add_move(struct migration_record *r, void *arg)
{
	struct moves *m = arg;
	struct segment_move *v;

	if (!r->m.committed_ms || m->n == MOVES_MAX)
		return;
	v = &m->v[m->n];
	memcpy(m->names[m->n][0], r->from, sizeof(r->from));
	memcpy(m->names[m->n][1], r->to, sizeof(r->to));
	*v = (struct segment_move){.attempt = r->m.attempt,
				   .epoch = r->m.next_epoch,
				   .from = m->names[m->n][0],
				   .to = m->names[m->n][1],
				   .from_isa = r->from_isa,
				   .to_isa = r->to_isa,
				   .committed_ms = r->m.committed_ms};
	m->n++;
}

static int by_epoch(const void *pa, const void *pb)
{
	const struct segment_move *a = pa, *b = pb;

	if (a->attempt != b->attempt)
		return a->attempt < b->attempt ? -1 : 1;
	return (a->epoch > b->epoch) - (a->epoch < b->epoch);
}

static void add_reading(const struct energy_interval *i, uint32_t attempt, uint64_t energy_uj,
			uint64_t idle_uj, void *arg)
{
	struct segment_reading r = {.attempt = attempt,
				    .from_ms = i->from_ms,
				    .to_ms = i->to_ms,
				    .energy_uj = energy_uj,
				    .idle_uj = idle_uj};

	memcpy(r.node, i->node, sizeof(r.node));
	memcpy(r.source, i->source, sizeof(r.source));
	memcpy(r.scope, i->scope, sizeof(r.scope));
	memcpy(r.kind, i->kind, sizeof(r.kind));
	segments_add(arg, &r);
}

static json_t *render_segment(const struct segment *s, const struct cluster *c)
{
	const struct node *n = cluster_node(c, s->node);
	int isa = s->isa >= 0 ? s->isa : n ? (int)n->isa : -1;
	json_t *o = render_job_sum(&s->sum);

	(void)json_object_set_new(o, "attempt", json_integer(s->attempt));
	(void)json_object_set_new(o, "epoch", json_integer(s->epoch));
	(void)json_object_set_new(o, "node", json_string(s->node));
	(void)json_object_set_new(o, "isa",
				  isa >= 0 ? json_string(isa_name((enum isa)isa)) : json_null());
	(void)json_object_set_new(o, "emulated", json_boolean(n && n->emulated));
	if (s->from_ms)
		(void)json_object_set_new(o, "from_ms", json_integer((json_int_t)s->from_ms));
	if (s->to_ms)
		(void)json_object_set_new(o, "to_ms", json_integer((json_int_t)s->to_ms));
	return o;
}

static json_t *render_segments(uint64_t job, const struct segments *s, const struct cluster *c)
{
	json_t *list = json_array();
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRIu64, job);
	for (size_t i = 0; i < s->n; i++)
		(void)json_array_append_new(list, render_segment(&s->v[i], c));
	return json_pack("{s:s, s:o, s:o}", "job", id, "total", render_job_sum(&s->total),
			 "segments", list);
}

void handle_job_energy(struct http_exchange *rq, void *ctx)
{
	struct moves *moves = calloc(1, sizeof(*moves));
	struct segments segments = {0};
	struct job_record rec = {0};
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	struct job *live;

	if (!moves) {
		http_reply_problem(rq, 500, "no memory for the job's moves", NULL);
		return;
	}
	if (!lock_or_reply(en, rq)) {
		free(moves);
		return;
	}
	if (find_job(en, rq, &rec, &live) && !auth_sees_energy(rq, &en->auth, rec.job.spec.user)) {
		http_reply_problem(rq, 403, "the energy of other users' jobs is not shown to you",
				   "an operator may grant it: drover token --energy-of-all, or "
				   "droverd --open-energy");
	} else if (rec.job.id) {
		if (!store_migrations(en->store, rec.job.id, false, 0, MOVES_MAX, add_move, moves,
				      &e)) {
			qsort(moves->v, moves->n, sizeof(moves->v[0]), by_epoch);
			segments_init(&segments, moves->v, moves->n);
			(void)store_job_energy(en->store, rec.job.id, add_reading, &segments, &e);
		}
		if (e.code)
			http_reply_err(rq, &e);
		else if (segments.failed)
			http_reply_problem(rq, 500, "no memory for the job's segments", NULL);
		else
			http_reply_json(rq, 200,
					render_segments(rec.job.id, &segments, en->cluster));
	}
	engine_unlock(en);
	job_record_free(&rec);
	segments_free(&segments);
	free(moves);
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

	if (!lock_or_reply(en, rq))
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
