#include "scheduler/api/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/change.h"
#include "scheduler/api/energy.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/power.h"
#include "scheduler/api/render.h"

uint64_t engine_now_ms(void)
{
	return clock_realtime_ns() / NS_PER_MS;
}

/* FNV-1a 64 over a tag and a name; two names on one channel only wake once too often. */
static uint64_t channel(char tag, const char *name)
{
	uint64_t h = (14695981039346656037ull ^ (unsigned char)tag) * 1099511628211ull;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211ull;
	return h | 0x100; /* never one of the small fixed ones */
}

uint64_t channel_of_node(const char *node)
{
	return channel('n', node);
}

uint64_t channel_of_log(uint64_t job)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, job);
	return channel('l', text);
}

/* ---- loading ------------------------------------------------------------ */

static int load_policy(struct engine *en, struct cluster *c, const char *fallback, struct err *e)
{
	const struct policy *p = policy_find(fallback);
	struct policy_options o = policy_options_default;
	_cleanup_free_ char *text = NULL;
	int r = store_setting(en->store, "policy", &text, e);

	if (!r && text)
		r = parse_policy(text, strlen(text), &p, &o, e);
	if (r)
		return r;
	if (!p)
		return err_set(e, -EINVAL, "there is no policy \"%.60s\"", fallback);
	core_set_policy(c, p, &o);
	return 0;
}

static int load_cap(struct engine *en, struct cluster *c, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = store_setting(en->store, "power_cap", &text, e);

	if (!r && text)
		core_set_cap(c, strtod(text, NULL));
	return r;
}

static int load(struct engine *en, const char *fallback, struct err *e)
{
	struct cluster *c = cluster_new(&en->opt);
	int r;

	if (!c)
		return err_set(e, -ENOMEM, "no memory for the cluster");
	/* Revisions handed out before a reload are not used again. */
	if (en->cluster)
		c->next_revision = (en->cluster->next_revision & UINT32_MAX) + 1;
	r = store_load(en->store, c, engine_now_ms(), e);
	if (!r)
		r = load_policy(en, c, fallback, e);
	if (!r)
		r = load_cap(en, c, e);
	if (r) {
		cluster_free(c);
		return r;
	}
	cluster_free(en->cluster);
	en->cluster = c;
	return 0;
}

static void run_hooks(struct engine *en, const struct effects *fx)
{
	for (size_t i = 0; i < fx->n; i++)
		if (fx->v[i].kind == FX_SUSPEND || fx->v[i].kind == FX_RESUME)
			power_run(en->power, fx->v[i].node->name, fx->v[i].kind == FX_RESUME);
}

/* The programs of sleeps and wakes that were under way. */
static void hooks_again(struct engine *en)
{
	struct effects fx = {0};

	core_power_again(en->cluster, engine_now_ms(), &fx);
	run_hooks(en, &fx);
	effects_free(&fx);
}

/* After a failed commit: memory and store must agree again. */
void engine_reload(struct engine *en)
{
	struct err e = ERR_INIT;

	en->broken = load(en, "static", &e) != 0;
	if (en->broken)
		log_err(LOG_LEVEL_ERROR, "store.reload", &e);
	else
		log_info("store.reloaded jobs=%" PRIu32, en->cluster->njobs);
	if (!en->broken)
		hooks_again(en);
	for (uint32_t i = 0; !en->broken && i < en->cluster->nnodes; i++)
		http_server_wake(en->http, channel_of_node(en->cluster->nodes[i]->name));
}

/* ---- committing --------------------------------------------------------- */

static int faults(const struct effects *fx, const char *when)
{
	char name[64];

	for (size_t i = 0; i < fx->n; i++) {
		const char *step = fx->v[i].kind == FX_MIGRATION ? fx->v[i].step
				   : fx->v[i].kind == FX_CHANGE  ? fx->v[i].what
								 : NULL;

		if (!step)
			continue;
		(void)snprintf(name, sizeof(name), "droverd.%s-%s", when, step);
		if (fault_point(name))
			return -EIO;
	}
	return 0;
}

int engine_save(struct engine *en, const struct effects *fx, struct err *e)
{
	int r = 0;

	if (fx->failed)
		r = err_set(e, -ENOMEM, "no memory to carry out the request");
	else if (faults(fx, "before"))
		r = err_set(e, -EIO, "an injected fault before a step");
	if (!r)
		r = store_apply(en->store, fx, e);
	if (!r)
		r = store_commit(en->store, e);
	if (r)
		store_rollback(en->store);
	return r;
}

#define LOOK_AHEAD 16 /* those of one object are close together */

bool effect_told_later(const struct effects *fx, size_t i)
{
	const struct effect *f = &fx->v[i];

	for (size_t k = i + 1; k < fx->n && k <= i + LOOK_AHEAD; k++)
		if (fx->v[k].kind == f->kind && fx->v[k].job == f->job &&
		    fx->v[k].node == f->node && fx->v[k].migration == f->migration)
			return true;
	return false;
}

static void log_effects(const struct effects *fx)
{
	for (size_t i = 0; i < fx->n; i++) {
		const struct effect *f = &fx->v[i];

		if (effect_told_later(fx, i))
			continue;
		if (f->kind == FX_JOB)
			log_info("job id=%" PRIu64 " state=%s attempt=%" PRIu32 " epoch=%" PRIu32
				 " node=%s reason=\"%s\"",
				 f->job->id, job_state_names[f->job->state], f->job->attempt,
				 f->job->epoch, f->job->node ? f->job->node->name : "-",
				 f->job->reason);
		else if (f->kind == FX_MIGRATION)
			log_info("migration id=m%" PRIu64 " job=%" PRIu64 " state=%s from=%s to=%s"
				 " error=\"%s\"",
				 f->migration->id, f->migration->job,
				 migration_state_names[f->migration->state],
				 f->migration->from->name, f->migration->to->name,
				 f->migration->error);
		else if (f->kind == FX_NODE)
			log_info("node name=%s state=%s reason=\"%s\"", f->node->name,
				 node_state_names[f->node->state], f->node->state_reason);
	}
}

void engine_announce(struct engine *en, struct effects *fx)
{
	log_effects(fx);
	events_publish(en, fx);
	if (faults(fx, "after"))
		log_warn("fault.after error=\"an injected fault came after the commit\"");
	run_hooks(en, fx);
	effects_free(fx);
}

int engine_commit(struct engine *en, struct effects *fx, const struct engine_extra *extra,
		  struct err *e)
{
	int r = 0;

	if (fx->n || fx->failed || extra) {
		r = store_begin(en->store, e);
		if (!r && extra) {
			r = extra->write(en->store, extra->arg, e);
			if (r)
				store_rollback(en->store);
		}
		if (!r)
			r = engine_save(en, fx, e);
	}
	if (r) {
		log_err(LOG_LEVEL_ERROR, "store.commit", e);
		effects_free(fx);
		engine_reload(en);
		return r;
	}
	engine_announce(en, fx);
	cluster_reap(en->cluster);
	if (en->cluster->schedule)
		change_queue_nudge(en->queue);
	return 0;
}

int engine_lock(struct engine *en, struct err *e)
{
	pthread_mutex_lock(&en->lock);
	if (!en->broken)
		return 0;
	pthread_mutex_unlock(&en->lock);
	err_set(e, -EAGAIN, "the scheduler's store can't be used at the moment");
	return err_hint(e, "see the log of droverd; it tries again by itself");
}

bool engine_lock_or_reply(struct engine *en, struct http_exchange *rq)
{
	struct err e = ERR_INIT;

	if (!engine_lock(en, &e))
		return true;
	http_reply_err(rq, &e);
	return false;
}

void engine_unlock(struct engine *en)
{
	pthread_mutex_unlock(&en->lock);
}

struct policy_write {
	const struct policy *p;
	const struct policy_options *o;
};

static int write_policy(struct store *s, void *arg, struct err *e)
{
	const struct policy_write *w = arg;
	_cleanup_json_ json_t *json = render_policy(w->p, w->o);
	_cleanup_free_ char *text =
		json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;

	return text ? store_set_setting(s, "policy", text, e)
		    : err_set(e, -ENOMEM, "no memory for the policy");
}

int engine_set_policy(struct engine *en, const struct policy *p, const struct policy_options *o,
		      struct err *e)
{
	struct policy_write w = {p, o};
	struct engine_extra extra = {write_policy, &w};
	struct effects fx = {0};
	int r;

	core_set_policy(en->cluster, p, o);
	r = engine_commit(en, &fx, &extra, e);
	if (!r) {
		events_add(en, "policy", render_policy(p, o));
		http_server_wake(en->http, CHANNEL_EVENTS);
		log_info("policy name=%s", p->name);
	}
	return r;
}

/* ---- life --------------------------------------------------------------- */

int engine_new(struct engine **out, struct store *store, const struct core_options *opt,
	       const char *default_policy, struct err *e)
{
	struct engine *en = calloc(1, sizeof(*en));
	int r;

	*out = NULL;
	if (en) {
		en->queue = change_queue_new();
		en->latest = energy_latest_new();
	}
	if (!en || !en->queue || !en->latest) {
		if (en)
			energy_latest_free(en->latest);
		free(en);
		return err_set(e, -ENOMEM, "no memory for the scheduler");
	}
	pthread_mutex_init(&en->lock, NULL);
	en->store = store;
	en->opt = *opt;
	en->next_event = (store_epoch(store) << 32) + 1;
	r = load(en, default_policy, e);
	if (r) {
		engine_free(en);
		return r;
	}
	*out = en;
	return 0;
}

int engine_start(struct engine *en, struct http_server *http, struct err *e)
{
	int r;

	/* Requests are answered already. */
	pthread_mutex_lock(&en->lock);
	en->http = http;
	hooks_again(en);
	log_info("engine.starts epoch=%" PRIu64 " policy=%s jobs=%" PRIu32, store_epoch(en->store),
		 en->cluster->policy->name, en->cluster->njobs);
	pthread_mutex_unlock(&en->lock);
	r = pthread_create(&en->thread, NULL, engine_writer, en);
	if (r)
		return err_sys(e, -r, "can't start the scheduler's thread");
	en->running = true;
	return 0;
}

void engine_stop(struct engine *en)
{
	if (!en || !en->running)
		return;
	pthread_mutex_lock(&en->queue->lock);
	en->queue->stopping = true;
	pthread_cond_signal(&en->queue->cond);
	pthread_mutex_unlock(&en->queue->lock);
	pthread_join(en->thread, NULL);
	en->running = false;
}

void engine_free(struct engine *en)
{
	if (!en)
		return;
	cluster_free(en->cluster);
	events_free(en);
	energy_latest_free(en->latest);
	pthread_mutex_destroy(&en->lock);
	change_queue_free(en->queue);
	free(en);
}
