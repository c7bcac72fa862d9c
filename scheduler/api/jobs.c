/*
 * Jobs and their output.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "common/json.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/render.h"

bool get_page(struct http_exchange *rq, uint64_t *after, uint64_t *limit)
{
	struct err e = ERR_INIT;

	if (http_query_u64(rq, "limit", 100, 1000, limit, &e) ||
	    http_query_u64(rq, "cursor", 0, INT64_MAX, after, &e)) {
		http_reply_err(rq, &e);
		return false;
	}
	if (!*limit)
		*limit = 1;
	return true;
}

bool find_job(struct engine *en, struct http_exchange *rq, struct job_record *rec,
	      struct job **live)
{
	uint64_t id = parse_id(http_param(rq, "id"), 0);
	struct err e = ERR_INIT;
	int r = id ? store_job(en->store, id, rec, &e)
		   : err_set(&e, -ENOENT, "\"%.40s\" is not a job's id", http_param(rq, "id"));

	if (r) {
		http_reply_err(rq, &e);
		return false;
	}
	*live = cluster_job(en->cluster, id);
	return true;
}

bool find_own_job(struct engine *en, struct http_exchange *rq, struct job_record *rec,
		  struct job **live)
{
	if (!find_job(en, rq, rec, live))
		return false;
	if (auth_may_change(rq, rec->job.spec.user))
		return true;
	return false;
}

/* A job as the caller may see it. */
static json_t *render_for(struct engine *en, const struct http_exchange *rq,
			  const struct job_record *r, const struct job *live)
{
	json_t *o = render_job(r, live);

	if (!auth_sees_energy(rq, &en->auth, r->job.spec.user))
		auth_hide_energy(o);
	return o;
}

static void reply_job(struct engine *en, struct http_exchange *rq, unsigned int status, uint64_t id)
{
	struct job_record rec;
	struct err e = ERR_INIT;
	char location[64];

	if (store_job(en->store, id, &rec, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	(void)snprintf(location, sizeof(location), "/v1/jobs/%" PRIu64, id);
	http_add_header(rq, "Location", location);
	http_reply_json(rq, status, render_for(en, rq, &rec, cluster_job(en->cluster, id)));
	job_record_free(&rec);
}

/* ---- reading and cancelling --------------------------------------------- */

struct list_arg {
	struct job_record *records;
	size_t n;
};

static void keep_job(struct job_record *r, void *arg)
{
	struct list_arg *a = arg;

	a->records[a->n++] = *r;
	memset(&r->job.spec, 0, sizeof(r->job.spec)); /* what it owns is ours now */
}

/* "PENDING,RUNNING" as a mask; 0 if one is none. */
static uint32_t parse_states(const char *text)
{
	uint32_t states = 0;

	while (*text) {
		size_t len = strcspn(text, ",");
		uint32_t one = 0;

		for (uint32_t i = 0; i < JOB_STATE_COUNT; i++)
			if (strlen(job_state_names[i]) == len &&
			    !strncasecmp(text, job_state_names[i], len))
				one = 1u << i;
		if (!one)
			return 0;
		states |= one;
		text += len + (text[len] == ',');
	}
	return states;
}

/* "MS-ID", as list_jobs() gives it. */
static bool parse_cursor(const char *text, struct job_cursor *c)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	c->ms = strtoull(text, &end, 10);
	if (*end != '-' || c->ms > INT64_MAX)
		return false;
	c->id = parse_id(end + 1, 0);
	return c->id != 0;
}

static int parse_filter(const struct http_exchange *rq, struct job_filter *f, struct err *e)
{
	const char *state = http_query(rq, "state"), *isa = http_query(rq, "isa"),
		   *array = http_query(rq, "array"), *order = http_query(rq, "order"),
		   *cursor = http_query(rq, "cursor");
	uint64_t limit;

	*f = (struct job_filter){.user = http_query(rq, "user"),
				 .name = http_query(rq, "name"),
				 .node = http_query(rq, "node"),
				 .q = http_query(rq, "q"),
				 .isa = -1};
	if (http_query_u64(rq, "limit", 100, 1000, &limit, e) ||
	    http_query_u64(rq, "since_ms", 0, INT64_MAX, &f->since_ms, e) ||
	    http_query_u64(rq, "until_ms", 0, INT64_MAX, &f->until_ms, e))
		return e->code;
	f->limit = limit ? (unsigned int)limit : 1;
	if (f->q && !*f->q)
		f->q = NULL;
	if (state && *state && !(f->states = parse_states(state)))
		return err_set(e, -EINVAL, "state: \"%.60s\" is not one of a job's states", state);
	if (isa && *isa && (f->isa = isa_parse(isa)) < 0)
		return err_set(e, -EINVAL, "isa: \"%.60s\" is not x86_64 or aarch64", isa);
	if (array && !(f->array = parse_id(array, 0)))
		return err_set(e, -EINVAL, "array: \"%.60s\" is not an array's id", array);
	if (order && strcmp(order, "newest") != 0 && strcmp(order, "oldest") != 0)
		return err_set(e, -EINVAL, "order: must be newest or oldest");
	f->newest_first = order && !strcmp(order, "newest");
	if (cursor && !parse_cursor(cursor, &f->after))
		return err_set(e, -EINVAL, "cursor: \"%.60s\" was not given by a list of jobs",
			       cursor);
	return 0;
}

/* Asks for nothing but states: the scheduler has counted those. */
static bool only_states(const struct job_filter *f)
{
	return !f->user && !f->name && !f->node && !f->q && !f->array && f->isa < 0 &&
	       !f->since_ms && !f->until_ms;
}

static uint64_t count_states(const struct cluster *c, uint32_t states)
{
	uint64_t n = 0;

	cluster_each_job(c, j) n += !states || (states & (1u << j->state)) != 0;
	for (uint32_t s = JOB_COMPLETED; s < JOB_STATE_COUNT; s++)
		if (!states || (states & (1u << s)))
			n += c->jobs_ended[s];
	return n;
}

/* The records with what the cluster knows of those that live; the lock is held. */
static json_t *render_page(struct engine *en, const struct http_exchange *rq,
			   const struct list_arg *a, const struct job_cursor *next)
{
	json_t *list = json_array(), *o = json_object();
	char cursor[48];

	for (size_t i = 0; i < a->n; i++)
		(void)json_array_append_new(
			list, render_for(en, rq, &a->records[i],
					 cluster_job(en->cluster, a->records[i].job.id)));
	(void)snprintf(cursor, sizeof(cursor), "%" PRIu64 "-%" PRIu64, next->ms, next->id);
	(void)json_object_set_new(o, "jobs", list);
	(void)json_object_set_new(o, "next", next->id ? json_string(cursor) : json_null());
	return o;
}

/* count=1: "total", null where counting would take too long. */
static int add_total(struct engine *en, const struct job_filter *f, json_t *o, struct err *e)
{
	uint64_t n = 0;
	int r = 0;

	if (!only_states(f))
		r = store_count_jobs(en->store, f, &n, e);
	else if (!(r = engine_lock(en, e))) {
		n = count_states(en->cluster, f->states);
		engine_unlock(en);
	}
	if (r && r != -ERANGE)
		return r;
	(void)json_object_set_new(o, "total", r ? json_null() : json_integer((json_int_t)n));
	return 0;
}

void handle_jobs(struct http_exchange *rq, void *ctx)
{
	const char *count = http_query(rq, "count");
	struct engine *en = ctx;
	struct list_arg a = {NULL, 0};
	struct job_cursor next;
	struct job_filter f;
	struct err e = ERR_INIT;
	json_t *o = NULL;
	int r = parse_filter(rq, &f, &e);

	if (!r && !(a.records = calloc(f.limit, sizeof(*a.records))))
		r = err_set(&e, -ENOMEM, "no memory for the jobs");
	if (!r)
		r = store_jobs(en->store, &f, keep_job, &a, &next, &e);
	if (!r && !(r = engine_lock(en, &e))) {
		o = render_page(en, rq, &a, &next);
		engine_unlock(en);
	}
	if (!r && count && !strcmp(count, "1"))
		r = add_total(en, &f, o, &e);
	if (r)
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 200, json_incref(o));
	json_decref(o);
	for (size_t i = 0; i < a.n; i++)
		job_record_free(&a.records[i]);
	free(a.records);
}

void handle_job(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct job_record rec = {0};
	struct err e = ERR_INIT;
	struct job *live;

	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (find_job(en, rq, &rec, &live))
		http_reply_json(rq, 200, render_for(en, rq, &rec, live));
	job_record_free(&rec);
	engine_unlock(en);
}

void handle_cancel(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct job_record rec = {0};
	struct effects fx = {0};
	struct err e = ERR_INIT;
	struct job *live;

	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!find_own_job(en, rq, &rec, &live)) {
		/* answered */
	} else if (!live) {
		char text[96];

		(void)snprintf(text, sizeof(text), "job %" PRIu64 " has ended: %s", rec.job.id,
			       job_state_names[rec.job.state]);
		http_reply_problem(rq, 409, text, NULL);
	} else {
		/* To cancel twice is to cancel. */
		(void)core_cancel(en->cluster, engine_now_ms(), live, &fx);
		if (engine_commit(en, &fx, NULL, &e))
			http_reply_err(rq, &e);
		else
			reply_job(en, rq, 202, rec.job.id);
	}
	job_record_free(&rec);
	engine_unlock(en);
}

/* ---- output ------------------------------------------------------------- */

struct follow {
	struct engine *en;
	uint64_t job, offset;
	uint32_t attempt;
	int fd;
};

static int64_t follow_read(struct http_exchange *rq, void *state, char *buf, size_t max)
{
	struct follow *f = state;
	struct err e = ERR_INIT;
	const struct job *live;
	ssize_t n = 0;

	if (engine_lock(f->en, &e))
		return HTTP_STREAM_END;
	if (f->fd < 0)
		f->fd = store_open_log(f->en->store, f->job, f->attempt);
	if (f->fd >= 0)
		n = pread(f->fd, buf, max, (off_t)f->offset);
	live = cluster_job(f->en->cluster, f->job);
	if (n == 0 && live && !job_is_over(live) && live->attempt <= f->attempt) {
		http_stream_park(rq, channel_of_log(f->job), 2000);
		n = HTTP_STREAM_WAIT;
	} else if (n <= 0) {
		n = HTTP_STREAM_END;
	} else {
		f->offset += (uint64_t)n;
	}
	engine_unlock(f->en);
	return n;
}

static void follow_free(void *state)
{
	struct follow *f = state;

	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

static void reply_follow(struct http_exchange *rq, struct engine *en, uint64_t job,
			 uint32_t attempt, uint64_t offset)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (!f) {
		http_reply_problem(rq, 500, "out of memory", NULL);
		return;
	}
	*f = (struct follow){en, job, offset, attempt ? attempt : 1, -1};
	http_reply_stream(rq, 200, "text/plain; charset=utf-8",
			  (struct http_stream){follow_read, follow_free, f});
}

static void reply_log(struct http_exchange *rq, struct engine *en, uint64_t job, uint32_t attempt,
		      uint64_t offset)
{
	int fd = store_open_log(en->store, job, attempt);
	uint64_t size;
	struct stat sb;

	if (fd < 0 || fstat(fd, &sb)) {
		http_reply_bytes(rq, 200, "text/plain; charset=utf-8", "", 0);
		return;
	}
	size = (uint64_t)sb.st_size;
	if (offset > size)
		offset = size;
	http_reply_fd(rq, 200, "text/plain; charset=utf-8", fd, offset, size - offset);
}

void handle_log(struct http_exchange *rq, void *ctx)
{
	uint64_t attempt, offset, follow;
	struct job_record rec = {0};
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	struct job *live;
	char text[24];

	if (http_query_u64(rq, "attempt", 0, UINT32_MAX, &attempt, &e) ||
	    http_query_u64(rq, "offset", 0, INT64_MAX, &offset, &e) ||
	    http_query_u64(rq, "follow", 0, 1, &follow, &e) || engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!find_job(en, rq, &rec, &live)) {
		engine_unlock(en);
		return;
	}
	if (!attempt)
		attempt = live ? live->attempt : rec.job.attempt;
	job_record_free(&rec);
	engine_unlock(en);
	(void)snprintf(text, sizeof(text), "%" PRIu64, attempt);
	http_add_header(rq, "Drover-Attempt", text);
	if (follow)
		reply_follow(rq, en, rec.job.id, (uint32_t)attempt, offset);
	else
		reply_log(rq, en, rec.job.id, (uint32_t)attempt, offset);
}
