/* Energy over time over REST: docs/formats/rest.md, Energy. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/auth.h"
#include "scheduler/api/handlers.h"
#include "scheduler/ledger/series.h"

#define POINTS_DEFAULT 500
#define HOUR_MS        (3600u * 1000u)

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
	if (!engine_lock_or_reply(ctx, rq)) {
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
