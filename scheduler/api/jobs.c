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
	struct engine *en;
	const struct http_exchange *rq;
	json_t *list;
	uint64_t last;
	uint64_t n;
};

static void add_job(struct job_record *r, void *arg)
{
	struct list_arg *a = arg;

	(void)json_array_append_new(
		a->list, render_for(a->en, a->rq, r, cluster_job(a->en->cluster, r->job.id)));
	a->last = r->job.id;
	a->n++;
}

void handle_jobs(struct http_exchange *rq, void *ctx)
{
	struct list_arg a = {.en = ctx, .rq = rq};
	struct job_filter f = {.state = -1, .user = http_query(rq, "user")};
	const char *state = http_query(rq, "state");
	struct err e = ERR_INIT;
	uint64_t limit;
	json_t *o;

	if (!get_page(rq, &f.after, &limit))
		return;
	f.limit = (unsigned int)limit;
	for (int i = 0; state && i < JOB_STATE_COUNT; i++)
		if (!strcasecmp(state, job_state_names[i]))
			f.state = i;
	if (state && f.state < 0) {
		http_reply_problem(rq, 400, "state is not one of a job's states", NULL);
		return;
	}
	if (engine_lock(a.en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	a.list = json_array();
	if (store_jobs(a.en->store, &f, add_job, &a, &e)) {
		json_decref(a.list);
		http_reply_err(rq, &e);
	} else {
		char cursor[24];

		(void)snprintf(cursor, sizeof(cursor), "%" PRIu64, a.last);
		o = json_object();
		(void)json_object_set_new(o, "jobs", a.list);
		(void)json_object_set_new(o, "next",
					  a.n == limit ? json_string(cursor) : json_null());
		http_reply_json(rq, 200, o);
	}
	engine_unlock(a.en);
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
