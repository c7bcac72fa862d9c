/* The queue of replays and its worker; see runs.h. */
#include "scheduler/replay/runs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "scheduler/replay/request.h"

#define WAITING_MAX  64
#define SERIES_MAX   2000
#define TELL_EVERY   (500 * NS_PER_MS)
#define FILE_MAX     (16u << 20)
#define WORKER_NICER 10

struct run {
	uint64_t number;
	json_t *doc; /* as GET shows it */
	bool ended;
	struct run *next; /* newer first */
};

struct runs {
	struct runs_config cfg;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread;
	bool started;
	atomic_bool stop, cancel; /* cancel: the one under way */
	struct run *all;
	struct run *current;
	uint64_t next;
};

static const char *text_of(const json_t *doc, const char *key)
{
	const char *s = json_string_value(json_object_get(doc, key));

	return s ? s : "";
}

static struct run *find(struct runs *r, const char *id)
{
	for (struct run *k = r->all; k; k = k->next)
		if (!strcmp(text_of(k->doc, "id"), id))
			return k;
	return NULL;
}

static void put(json_t *doc, const char *key, json_t *value)
{
	(void)json_object_set_new(doc, key, value);
}

/* ---- files -------------------------------------------------------------- */

static int path_of(const struct runs *r, char *out, size_t size, uint64_t number, const char *rest)
{
	int n = snprintf(out, size, "%s/r%" PRIu64 "%s", r->cfg.dir, number, rest);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int write_json(const char *path, const json_t *doc, struct err *e)
{
	_cleanup_free_ char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(12));

	return text ? file_write_atomic(path, text, strlen(text), 0600, e)
		    : err_set(e, -ENOMEM, "no memory for %s", path);
}

static int save(const struct runs *r, const struct run *k, struct err *e)
{
	char path[PATH_MAX];

	if (path_of(r, path, sizeof(path), k->number, ".json"))
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	return write_json(path, k->doc, e);
}

static void delete_files(const struct runs *r, uint64_t number)
{
	struct err e = ERR_INIT;
	char path[PATH_MAX];

	if (!path_of(r, path, sizeof(path), number, ".json"))
		(void)unlink(path);
	if (!path_of(r, path, sizeof(path), number, ""))
		(void)file_remove_tree(path, &e);
}

static void insert(struct runs *r, struct run *k)
{
	struct run **at = &r->all;

	while (*at && (*at)->number > k->number)
		at = &(*at)->next;
	k->next = *at;
	*at = k;
	if (k->number >= r->next)
		r->next = k->number + 1;
}

static void load_one(struct runs *r, const char *name)
{
	_cleanup_buf_ struct buf b = {0};
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	uint64_t number;
	int end = 0;
	struct run *k;
	json_t *doc = NULL;

	if (sscanf(name, "r%" SCNu64 ".json%n", &number, &end) != 1 || name[end] || !end)
		return;
	buf_init(&b, FILE_MAX);
	if (path_of(r, path, sizeof(path), number, ".json") || file_read(path, &b, &e) ||
	    json_parse(buf_cstr(&b), b.len, FILE_MAX, path, &doc, &e)) {
		log_warn("replay.unreadable file=%s reason=\"%s\"", path, e.msg);
		return;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		json_decref(doc);
		return;
	}
	k->number = number;
	k->doc = doc;
	k->ended = strcmp(text_of(doc, "state"), "RUNNING") != 0;
	insert(r, k);
}

static int load(struct runs *r, struct err *e)
{
	struct dirent *d;
	DIR *dir;
	int rc = file_mkdir_p(r->cfg.dir, 0700, e);

	if (!rc)
		rc = file_mkdir_p(r->cfg.traces, 0700, e);
	if (rc)
		return rc;
	dir = opendir(r->cfg.dir);
	if (!dir)
		return err_sys(e, -errno, "cannot read %s", r->cfg.dir);
	while ((d = readdir(dir)))
		load_one(r, d->d_name);
	(void)closedir(dir);
	return 0;
}

/* ---- the worker --------------------------------------------------------- */

struct work {
	struct runs *r;
	struct run *run;
	struct request request;
	struct trace trace;
	size_t done; /* runs that are through */
	uint64_t told_ns;
	json_t *results;
};

static json_t *shown(const json_t *doc, bool whole)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)doc);

	if (copy && !whole)
		(void)json_object_del(copy, "results");
	return copy;
}

static void tell(struct runs *r, const json_t *doc)
{
	json_t *copy = shown(doc, false);

	if (copy && r->cfg.tell)
		r->cfg.tell(r->cfg.arg, copy);
	else
		json_decref(copy);
}

static bool on_progress(void *arg, double part)
{
	struct work *w = arg;
	uint64_t now = clock_monotonic_ns();

	if (now - w->told_ns >= TELL_EVERY) {
		json_t *copy;

		w->told_ns = now;
		(void)pthread_mutex_lock(&w->r->lock);
		put(w->run->doc, "progress",
		    json_real(((double)w->done + part) / (double)w->request.nruns));
		copy = shown(w->run->doc, false);
		(void)pthread_mutex_unlock(&w->r->lock);
		if (copy && w->r->cfg.tell)
			w->r->cfg.tell(w->r->cfg.arg, copy);
	}
	return atomic_load(&w->r->cancel) || atomic_load(&w->r->stop);
}

static int write_run(struct work *w, const struct request_run *run, const struct replay *out,
		     struct err *e)
{
	char dir[PATH_MAX - 200], path[PATH_MAX];
	json_t *doc;
	int rc;

	if (path_of(w->r, dir, sizeof(dir), w->run->number, ""))
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	rc = file_mkdir_p(dir, 0700, e);
	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s.series.json", dir, run->name);
	doc = replay_series_json(out, SERIES_MAX);
	rc = write_json(path, doc, e);
	json_decref(doc);
	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s.waits.json", dir, run->name);
	doc = replay_waits_json(out);
	rc = write_json(path, doc, e);
	json_decref(doc);
	for (int t = 0; !rc && t < REPLAY_TABLES; t++) {
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s/%s.%s.csv", dir, run->name,
			       replay_table_names[t]);
		f = fopen(path, "we");
		if (!f)
			return err_sys(e, -errno, "cannot write %s", path);
		rc = replay_csv(out, (enum replay_table)t, f, e);
		if (fclose(f) && !rc)
			rc = err_sys(e, -errno, "cannot write %s", path);
	}
	return rc;
}

static int one_run(struct work *w, const struct request_run *run, bool *cancelled, struct err *e)
{
	struct replay_options o = {.trace = &w->trace,
				   .machines = run->machines,
				   .policy = run->policy,
				   .policy_options = w->request.options,
				   .seed = w->request.seed,
				   .speedup = w->request.speedup,
				   .clamp = w->request.clamp,
				   .progress = on_progress,
				   .arg = w};
	struct replay *out = NULL;
	json_t *doc;
	int rc = replay_run(&o, &out, e);

	if (rc)
		return rc;
	*cancelled = out->cancelled;
	if (!out->cancelled) {
		rc = write_run(w, run, out, e);
		doc = replay_json(out);
		if (doc)
			put(doc, "policy", json_string(run->name));
		if (!rc && (!doc || json_array_append(w->results, doc)))
			rc = err_set(e, -ENOMEM, "no memory for the results");
		json_decref(doc);
	}
	replay_free(out);
	return rc;
}

static int carry_out(struct work *w, const json_t *request, bool *cancelled, struct err *e)
{
	int rc = request_parse(request, &w->request, e);

	if (rc)
		return rc;
	rc = request_trace(&w->request, w->r->cfg.traces, &w->trace, e);
	while (!rc && !*cancelled && w->done < w->request.nruns) {
		rc = one_run(w, &w->request.runs[w->done], cancelled, e);
		w->done++;
	}
	trace_free(&w->trace);
	request_free(&w->request);
	return rc;
}

/* Those that ended long ago go; under the lock. */
static void forget_old(struct runs *r)
{
	struct run **at = &r->all;
	int ended = 0;

	while (*at) {
		struct run *k = *at;

		if (k->ended && ++ended > RUNS_KEPT) {
			*at = k->next;
			delete_files(r, k->number);
			json_decref(k->doc);
			free(k);
		} else {
			at = &k->next;
		}
	}
}

static void finish(struct work *w, int rc, bool cancelled, const struct err *e)
{
	struct runs *r = w->r;
	struct err ignored = ERR_INIT;
	json_t *copy;

	(void)pthread_mutex_lock(&r->lock);
	put(w->run->doc, "state", json_string(rc ? "FAILED" : cancelled ? "CANCELLED" : "DONE"));
	put(w->run->doc, "error", rc ? json_string(e->msg) : json_null());
	put(w->run->doc, "ended_ms", json_integer((json_int_t)(clock_realtime_ns() / NS_PER_MS)));
	if (!rc && !cancelled)
		put(w->run->doc, "progress", json_real(1));
	put(w->run->doc, "results", json_incref(w->results));
	w->run->ended = true;
	if (save(r, w->run, &ignored))
		log_warn("replay.unsaved id=r%" PRIu64 " reason=\"%s\"", w->run->number,
			 ignored.msg);
	copy = shown(w->run->doc, false);
	r->current = NULL;
	forget_old(r);
	(void)pthread_mutex_unlock(&r->lock);
	if (copy && r->cfg.tell)
		r->cfg.tell(r->cfg.arg, copy);
	else
		json_decref(copy);
}

static struct run *next_run(struct runs *r)
{
	struct run *oldest = NULL;

	for (struct run *k = r->all; k; k = k->next)
		if (!k->ended)
			oldest = k;
	return oldest;
}

static void *work_main(void *arg)
{
	struct runs *r = arg;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), WORKER_NICER);
	(void)pthread_mutex_lock(&r->lock);
	while (!atomic_load(&r->stop)) {
		struct work w = {.r = r, .results = json_array()};
		_cleanup_json_ json_t *request = NULL;
		struct err e = ERR_INIT;
		bool cancelled = false;
		int rc;

		r->current = w.run = next_run(r);
		if (!w.run) {
			json_decref(w.results);
			(void)pthread_cond_wait(&r->work, &r->lock);
			continue;
		}
		atomic_store(&r->cancel, false);
		request = json_deep_copy(json_object_get(w.run->doc, "request"));
		(void)pthread_mutex_unlock(&r->lock);
		rc = carry_out(&w, request, &cancelled, &e);
		/* Ended with the process, it begins again with the next one. */
		if (!atomic_load(&r->stop))
			finish(&w, rc, cancelled, &e);
		json_decref(w.results);
		(void)pthread_mutex_lock(&r->lock);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- for the API -------------------------------------------------------- */

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
	rc = load(r, e);
	if (!rc) {
		rc = -pthread_create(&r->thread, NULL, work_main, r);
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
		rc = k->doc ? save(r, k, e) : err_set(e, -ENOMEM, "no memory for the replay");
	}
	if (!rc) {
		insert(r, k);
		*out = shown(k->doc, true);
		(void)pthread_cond_signal(&r->work);
	}
	(void)pthread_mutex_unlock(&r->lock);
	if (rc) {
		json_decref(k->doc);
		free(k);
		return rc;
	}
	tell(r, *out);
	return 0;
}

json_t *runs_list(struct runs *r)
{
	json_t *list = json_array();

	(void)pthread_mutex_lock(&r->lock);
	for (const struct run *k = r->all; list && k; k = k->next)
		(void)json_array_append_new(list, shown(k->doc, false));
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
		doc = shown(k->doc, true);
	(void)pthread_mutex_unlock(&r->lock);
	return doc;
}

/* Under the lock. */
static int remove_locked(struct runs *r, struct run *k, const char *user, struct err *e)
{
	if (user && strcmp(text_of(k->doc, "user"), user) != 0)
		return err_set(e, -EACCES, "the replay is %s's", text_of(k->doc, "user"));
	if (k == r->current) {
		atomic_store(&r->cancel, true);
		return 0;
	}
	if (!k->ended) {
		put(k->doc, "state", json_string("CANCELLED"));
		put(k->doc, "ended_ms",
		    json_integer((json_int_t)(clock_realtime_ns() / NS_PER_MS)));
		k->ended = true;
		return save(r, k, e);
	}
	for (struct run **at = &r->all; *at; at = &(*at)->next)
		if (*at == k) {
			*at = k->next;
			break;
		}
	delete_files(r, k->number);
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
		!strcmp(text_of(v, "policy"), run);
	if (known && snprintf(path, sizeof(path), "%s/r%" PRIu64 "/%s.%s", r->cfg.dir, k->number,
			      run, suffix) < (int)sizeof(path))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)pthread_mutex_unlock(&r->lock);
	if (!known)
		return err_set(e, -ENOENT, "replay '%.40s' has no result of '%.60s'", id, run);
	return fd >= 0 ? fd : err_sys(e, -errno, "cannot read %s of replay %s", suffix, id);
}
