/*
 * Submission: one job or many, all or none, each acknowledged when it is on the
 * disk.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/digest.h"
#include "scheduler/api/change.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"

#define KEY_MAX 200

struct submission {
	struct change change;
	struct job_spec *specs;
	size_t n;
	bool bulk;     /* answered with a list */
	bool replayed; /* the key was used before, by this very request */
	char key[KEY_MAX + 1];
	char digest[DIGEST_HEX_SIZE]; /* of the request */
	uint64_t array;               /* id of the array they are, or 0 */
	uint64_t first;               /* id of the first job; the others follow it */
};

static struct submission *of(struct change *c)
{
	return (struct submission *)(void *)c;
}

static void submission_free(struct change *c)
{
	struct submission *s = of(c);

	for (size_t i = 0; i < s->n; i++)
		job_spec_free(&s->specs[i]);
	free(s->specs);
	free(s);
}

static int check_bundle(struct engine *en, const struct job_spec *spec, struct err *e)
{
	struct bundle_record b;
	uint32_t missing;
	int r = store_bundle(en->store, spec->bundle, &b, e);

	if (r == -ENOENT)
		e->code = -EBADMSG; /* the request names it: 422, not 404 */
	if (r)
		return e->code;
	missing = spec->isas & ~b.isas;
	if (!missing)
		return 0;
	err_set(e, -EBADMSG, "bundle %.12s... has no code for %s", spec->bundle,
		isa_name(missing & (1u << ISA_X86_64) ? ISA_X86_64 : ISA_AARCH64));
	return err_hint(e, "build it for both ISAs, or name in \"isas\" only what it has");
}

/* All of them, before the first changes anything. */
static int check_bundles(struct engine *en, const struct submission *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->n; i++)
		if (!i || strcmp(s->specs[i].bundle, s->specs[i - 1].bundle) ||
		    s->specs[i].isas != s->specs[i - 1].isas)
			r = check_bundle(en, &s->specs[i], e);
	return r;
}

/* 1: the key was used by this request before; the same jobs are the answer. */
static int look_up_key(struct engine *en, struct submission *s, struct err *e)
{
	char before[CORE_SHA_SIZE];
	int r = store_idempotency(en->store, s->key, &s->first, before, e);

	if (r || !s->first)
		return r;
	if (!strcmp(before, s->digest))
		return 1;
	err_set(e, -EBADMSG, "this Idempotency-Key came with another request before");
	return err_hint(e, "use a new key for a new request");
}

/* Of a whole array: decided if it is over, or if an element has failed. */
static int settle_array(struct engine *en, struct dependency *d, struct err *e)
{
	struct job_filter failed = {.states = 1u << JOB_FAILED | 1u << JOB_CANCELLED |
					      1u << JOB_TIMEOUT | 1u << JOB_NODE_FAIL,
				    .isa = -1,
				    .array = d->job};
	bool any_failed, live = cluster_array(en->cluster, d->job, &any_failed);
	uint64_t n = 0;
	int r = d->type == DEP_AFTEROK ? store_count_jobs(en->store, &failed, &n, e) : 0;

	if (r)
		return r;
	if (d->type == DEP_AFTEROK && (any_failed || n))
		d->state = DEP_NEVER;
	else if (!live)
		d->state = DEP_MET;
	return 0;
}

/* What is over already decides a dependency now. The id of an array means all of it. */
static int settle_dependencies(struct engine *en, struct job_spec *spec, struct err *e)
{
	for (uint32_t i = 0; i < spec->ndependencies; i++) {
		struct dependency *d = &spec->dependencies[i];
		struct job_record rec = {0};
		const struct job *live = cluster_job(en->cluster, d->job);
		int r = 0;

		d->array = live && live->spec.array == d->job;
		if (live && !d->array && !job_is_over(live))
			continue;
		r = d->array ? 0 : store_job(en->store, d->job, &rec, e);
		if (r == -ENOENT)
			return err_set(e, -EBADMSG, "dependencies: there is no job %" PRIu64,
				       d->job);
		if (r)
			return r;
		d->array |= rec.job.spec.array == d->job;
		if (d->array)
			r = settle_array(en, d, e);
		else
			d->state = d->type == DEP_AFTERANY || rec.job.state == JOB_COMPLETED
					   ? DEP_MET
					   : DEP_NEVER;
		job_record_free(&rec);
		if (r)
			return r;
	}
	return 0;
}

static int submit_one(struct engine *en, uint64_t now_ms, uint64_t array,
		      const struct job_spec *spec, struct job **out, struct effects *fx)
{
	struct job_spec copy;
	int r = job_spec_copy(&copy, spec);

	copy.array = array;
	if (!r)
		r = core_submit(en->cluster, now_ms, &copy, out, fx);
	if (r)
		job_spec_free(&copy);
	return r;
}

static int run(struct engine *en, struct change *c, struct effects *fx)
{
	struct submission *s = of(c);
	uint64_t now_ms = engine_now_ms();
	int r = 0;

	s->first = 0;
	s->replayed = false;
	if (s->key[0]) {
		r = look_up_key(en, s, &c->e);
		s->replayed = r == 1;
		if (r)
			return r == 1 ? 0 : r;
	}
	r = check_bundles(en, s, &c->e);
	for (size_t i = 0; !r && i < s->n; i++)
		r = settle_dependencies(en, &s->specs[i], &c->e);
	s->array = s->specs[0].array ? core_next_job(en->cluster) : 0;
	for (size_t i = 0; !r && i < s->n; i++) {
		struct job *j = NULL;

		r = submit_one(en, now_ms, s->array, &s->specs[i], &j, fx);
		if (r) {
			/* Half of a bulk must not stay: the whole step is undone. */
			fx->failed = true;
			return err_set(&c->e, -ENOMEM, "no memory for the job");
		}
		if (!i)
			s->first = j->id;
	}
	if (!r && s->key[0]) {
		r = store_add_idempotency(en->store, s->key, s->first, s->digest, now_ms, &c->e);
		fx->failed |= r != 0;
	}
	return r;
}

static json_t *render_one(struct engine *en, uint64_t id)
{
	const struct job *live = cluster_job(en->cluster, id);
	struct job_record rec = {0};
	json_t *o;

	if (live) {
		rec.job = *live;
		return render_job(&rec, live);
	}
	if (store_job(en->store, id, &rec, NULL))
		return NULL;
	o = render_job(&rec, NULL);
	job_record_free(&rec);
	return o;
}

static void done(struct engine *en, struct change *c)
{
	struct submission *s = of(c);
	json_t *list;

	c->status = 201;
	if (!s->bulk && !s->specs[0].array) {
		c->answer = render_one(en, s->first);
		return;
	}
	list = json_array();
	if (s->specs[0].array) {
		for (size_t i = 0; i < s->n; i++)
			(void)json_array_append_new(list, render_id(s->first + i));
		c->answer = json_pack("{s:o, s:I, s:o}", "array", render_id(s->first), "count",
				      (json_int_t)s->n, "jobs", list);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		(void)json_array_append_new(list, render_one(en, s->first + i));
	c->answer = json_pack("{s:o}", "jobs", list);
}

/* Whose the jobs are; false if a 403 was replied. */
static bool set_users(struct http_exchange *rq, struct submission *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char *user = s->specs[i].user;

		if (!auth_submitter(rq, user, sizeof(s->specs[i].user), user[0] != '\0'))
			return false;
		if (!user[0])
			strcpy(user, "nobody");
	}
	return true;
}

/* The request as a change; NULL when it was answered. */
static struct submission *take(struct http_exchange *rq)
{
	const char *key = http_header(rq, "Idempotency-Key");
	struct submission *s = calloc(1, sizeof(*s));
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	uint8_t raw[DIGEST_SIZE];
	size_t len;
	const void *body = http_body(rq, &len);

	e.fields = &fields;
	if (!s) {
		http_reply_problem(rq, 500, "out of memory", NULL);
		return NULL;
	}
	s->change = (struct change){.run = run, .done = done, .free = submission_free};
	if (key && (!*key || strlen(key) > KEY_MAX))
		err_set(&e, -EINVAL, "Idempotency-Key must have 1 to %d characters", KEY_MAX);
	else if (key && digest_buf(body, len, raw))
		err_set(&e, -EIO, "can't hash the request");
	else
		(void)parse_jobs(body, len, &s->specs, &s->n, &s->bulk, &e);
	if (e.code)
		http_reply_err(rq, &e);
	if (e.code || !set_users(rq, s)) {
		submission_free(&s->change);
		return NULL;
	}
	if (key) {
		(void)snprintf(s->key, sizeof(s->key), "%s", key);
		digest_hex(raw, s->digest);
	}
	return s;
}

void handle_submit(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct change *c = engine_changing(rq);
	struct submission *s;
	char location[64];

	if (!c) {
		s = take(rq);
		if (!s)
			return;
		c = &s->change;
	}
	if (!engine_change(en, rq, c))
		return;
	s = of(c);
	if (!c->e.code && !s->bulk && !s->specs[0].array) {
		(void)snprintf(location, sizeof(location), "/v1/jobs/%" PRIu64, s->first);
		http_add_header(rq, "Location", location);
	}
	change_reply(rq, c);
}
