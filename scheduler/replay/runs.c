/* The queue of replays; see runs.h. */
#include "scheduler/replay/runs_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "scheduler/replay/request.h"

#define WAITING_MAX 64

const char *runs_text(const json_t *doc, const char *key)
{
	const char *s = json_string_value(json_object_get(doc, key));

	return s ? s : "";
}

static struct run *find(struct runs *r, const char *id)
{
	for (struct run *k = r->all; k; k = k->next)
		if (!strcmp(runs_text(k->doc, "id"), id))
			return k;
	return NULL;
}

void runs_put(json_t *doc, const char *key, json_t *value)
{
	(void)json_object_set_new(doc, key, value);
}

json_t *runs_shown(const json_t *doc, bool whole)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)doc);

	if (copy && !whole)
		(void)json_object_del(copy, "results");
	return copy;
}

void runs_tell(struct runs *r, json_t *doc)
{
	if (doc && r->cfg.tell)
		r->cfg.tell(r->cfg.arg, doc);
	else
		json_decref(doc);
}

int runs_new(struct runs **out, const struct runs_config *cfg, struct err *e)
{
	struct runs *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return err_set(e, -ENOMEM, "no memory for the replays");
	r->cfg = *cfg;
	r->next = 1;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->work, NULL);
	rc = runs_load(r, e);
	if (!rc) {
		rc = -pthread_create(&r->thread, NULL, runs_work, r);
		r->started = !rc;
		if (rc)
			err_sys(e, rc, "cannot start the replays' thread");
	}
	if (rc) {
		runs_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void runs_free(struct runs *r)
{
	if (!r)
		return;
	if (r->started) {
		(void)pthread_mutex_lock(&r->lock);
		atomic_store(&r->stop, true);
		(void)pthread_cond_broadcast(&r->work);
		(void)pthread_mutex_unlock(&r->lock);
		(void)pthread_join(r->thread, NULL);
	}
	for (struct run *k = r->all, *next; k; k = next) {
		next = k->next;
		json_decref(k->doc);
		free(k);
	}
	(void)pthread_cond_destroy(&r->work);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

/* All that can be wrong with it is said now, where the user looks. */
static int check_request(const struct runs *r, const json_t *request, struct err *e)
{
	struct request q;
	struct trace t;
	int rc = request_parse(request, &q, e);

	if (rc)
		return rc;
	if (q.trace_upload) {
		char path[PATH_MAX];

		if (file_join(path, sizeof(path), r->cfg.traces, q.trace_upload))
			rc = err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
		else if (access(path, R_OK))
			rc = err_set(e, -ENOENT, "the trace %.12s... is not there: upload it first",
				     q.trace_upload);
	} else {
		rc = request_trace(&q, r->cfg.traces, &t, e);
		if (!rc)
			trace_free(&t);
	}
	request_free(&q);
	return rc;
}

static uint32_t waiting(const struct runs *r)
{
	uint32_t n = 0;

	for (const struct run *k = r->all; k; k = k->next)
		n += !k->ended;
	return n;
}

int runs_add(struct runs *r, const json_t *request, const char *user, json_t **out, struct err *e)
{
	struct run *k;
	int rc = check_request(r, request, e);

	*out = NULL;
	if (rc)
		return rc;
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_set(e, -ENOMEM, "no memory for the replay");
	(void)pthread_mutex_lock(&r->lock);
	if (waiting(r) >= WAITING_MAX) {
		rc = err_set(e, -EBUSY, "%d replays are waiting", WAITING_MAX);
		err_hint(e, "try again when some of them are done");
	} else {
		char id[32];

		k->number = r->next;
		(void)snprintf(id, sizeof(id), "r%" PRIu64, k->number);
		k->doc = json_pack("{s:s, s:s, s:s, s:f, s:n, s:I, s:n, s:O, s:[]}", "id", id,
				   "state", "RUNNING", "user", user, "progress", 0.0, "error",
				   "created_ms", (json_int_t)(clock_realtime_ns() / NS_PER_MS),
				   "ended_ms", "request", request, "results");
		rc = k->doc ? runs_save(r, k, e) : err_set(e, -ENOMEM, "no memory for the replay");
	}
	if (!rc) {
		runs_insert(r, k);
		*out = runs_shown(k->doc, true);
		(void)pthread_cond_signal(&r->work);
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (rc) {
		json_decref(k->doc);
		free(k);
		return rc;
	}
	runs_tell(r, runs_shown(*out, false));
	return 0;
}

json_t *runs_list(struct runs *r)
{
	json_t *list = json_array();

	(void)pthread_mutex_lock(&r->lock);
	for (const struct run *k = r->all; list && k; k = k->next)
		(void)json_array_append_new(list, runs_shown(k->doc, false));
	(void)pthread_mutex_unlock(&r->lock);
	return list;
}

json_t *runs_get(struct runs *r, const char *id)
{
	struct run *k;
	json_t *doc = NULL;

	(void)pthread_mutex_lock(&r->lock);
	k = find(r, id);
	if (k)
		doc = runs_shown(k->doc, true);
	(void)pthread_mutex_unlock(&r->lock);
	return doc;
}

/* Under the lock. */
static int remove_locked(struct runs *r, struct run *k, const char *user, struct err *e)
{
	if (user && strcmp(runs_text(k->doc, "user"), user) != 0)
		return err_set(e, -EACCES, "the replay is %s's", runs_text(k->doc, "user"));
	if (k == r->current) {
		atomic_store(&r->cancel, true);
		return 0;
	}
	if (!k->ended) {
		runs_put(k->doc, "state", json_string("CANCELLED"));
		runs_put(k->doc, "ended_ms",
			 json_integer((json_int_t)(clock_realtime_ns() / NS_PER_MS)));
		k->ended = true;
		return runs_save(r, k, e);
	}
	for (struct run **at = &r->all; *at; at = &(*at)->next)
		if (*at == k) {
			*at = k->next;
			break;
		}
	runs_delete_files(r, k->number);
	json_decref(k->doc);
	free(k);
	return 0;
}

int runs_remove(struct runs *r, const char *id, const char *user, struct err *e)
{
	struct run *k;
	int rc;

	(void)pthread_mutex_lock(&r->lock);
	k = find(r, id);
	rc = k ? remove_locked(r, k, user, e)
	       : err_set(e, -ENOENT, "there is no replay '%.40s'", id);
	(void)pthread_mutex_unlock(&r->lock);
	return rc;
}

int runs_open(struct runs *r, const char *id, const char *run, const char *suffix, struct err *e)
{
	char path[PATH_MAX];
	bool known = false;
	const struct run *k;
	json_t *v;
	size_t i;
	int fd = -1;

	(void)pthread_mutex_lock(&r->lock);
	k = find(r, id);
	json_array_foreach(k ? json_object_get(k->doc, "results") : NULL, i, v) known |=
		!strcmp(runs_text(v, "policy"), run);
	if (known && snprintf(path, sizeof(path), "%s/r%" PRIu64 "/%s.%s", r->cfg.dir, k->number,
			      run, suffix) < (int)sizeof(path))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)pthread_mutex_unlock(&r->lock);
	if (!known)
		return err_set(e, -ENOENT, "replay '%.40s' has no result of '%.60s'", id, run);
	return fd >= 0 ? fd : err_sys(e, -errno, "cannot read %s of replay %s", suffix, id);
}
