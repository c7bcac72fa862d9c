/* The worker that carries replays out, one after the other. */
#include "scheduler/replay/runs_private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "scheduler/replay/request.h"

#define SERIES_MAX   2000
#define TELL_EVERY   (500 * NS_PER_MS)
#define WORKER_NICER 10

struct work {
	struct runs *r;
	struct run *run;
	struct request request;
	struct trace trace;
	size_t done; /* runs that are through */
	uint64_t told_ns;
	json_t *results;
};

static bool on_progress(void *arg, double part)
{
	struct work *w = arg;
	uint64_t now = clock_monotonic_ns();

	if (now - w->told_ns >= TELL_EVERY) {
		json_t *copy;

		w->told_ns = now;
		(void)pthread_mutex_lock(&w->r->lock);
		runs_put(w->run->doc, "progress",
			 json_real(((double)w->done + part) / (double)w->request.nruns));
		copy = runs_shown(w->run->doc, false);
		(void)pthread_mutex_unlock(&w->r->lock);
		runs_tell(w->r, copy);
	}
	return atomic_load(&w->r->cancel) || atomic_load(&w->r->stop);
}

static int write_run(struct work *w, const struct request_run *run, const struct replay *out,
		     struct err *e)
{
	char dir[PATH_MAX - 200], path[PATH_MAX];
	json_t *doc;
	int rc;

	if (runs_path(w->r, dir, sizeof(dir), w->run->number, ""))
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	rc = file_mkdir_p(dir, 0700, e);
	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s.series.json", dir, run->name);
	doc = replay_series_json(out, SERIES_MAX);
	rc = runs_write_json(path, doc, e);
	json_decref(doc);
	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s.waits.json", dir, run->name);
	doc = replay_waits_json(out);
	rc = runs_write_json(path, doc, e);
	json_decref(doc);
	for (int t = 0; !rc && t < REPLAY_TABLES; t++) {
		(void)snprintf(path, sizeof(path), "%s/%s.%s.csv", dir, run->name,
			       replay_table_names[t]);
		rc = replay_csv(out, (enum replay_table)t, path, e);
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
			runs_put(doc, "policy", json_string(run->name));
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
			runs_delete_files(r, k->number);
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
	runs_put(w->run->doc, "state",
		 json_string(rc          ? "FAILED"
			     : cancelled ? "CANCELLED"
					 : "DONE"));
	runs_put(w->run->doc, "error", rc ? json_string(e->msg) : json_null());
	runs_put(w->run->doc, "ended_ms",
		 json_integer((json_int_t)(clock_realtime_ns() / NS_PER_MS)));
	if (!rc && !cancelled)
		runs_put(w->run->doc, "progress", json_real(1));
	runs_put(w->run->doc, "results", json_incref(w->results));
	w->run->ended = true;
	if (runs_save(r, w->run, &ignored))
		log_warn("replay.unsaved id=r%" PRIu64 " reason=\"%s\"", w->run->number,
			 ignored.msg);
	copy = runs_shown(w->run->doc, false);
	r->current = NULL;
	forget_old(r);
	(void)pthread_mutex_unlock(&r->lock);
	runs_tell(r, copy);
}

static struct run *next_run(struct runs *r)
{
	struct run *oldest = NULL;

	for (struct run *k = r->all; k; k = k->next)
		if (!k->ended)
			oldest = k;
	return oldest;
}

void *runs_work(void *arg)
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
