/*
 * The engine's thread: lets time pass, places jobs, and carries out the changes
 * that requests have queued, all that wait at once.
 */
#include "scheduler/api/energy.h"
#include "scheduler/api/change.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#define TICK_MS            250
#define UPKEEP_TICKS       4
#define KEYS_MS            (7ull * 24 * 3600 * 1000) /* how long an Idempotency-Key is remembered */
#define BATCH_MAX          512
#define GATHER_NS          1000000 /* the most a batch waits for company */
#define ANSWER_MS          60000
#define CHANNEL_OF_CHANGES (1ull << 63)

/* ---- the queue ---------------------------------------------------------- */

struct change_queue *change_queue_new(void)
{
	struct change_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;

	if (!q)
		return NULL;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->cond, &attr);
	pthread_condattr_destroy(&attr);
	q->last = &q->first;
	return q;
}

static void change_free(struct change *c)
{
	json_decref(c->answer);
	c->free(c);
}

void change_queue_free(struct change_queue *q)
{
	if (!q)
		return;
	/* Their requests are gone: the server was stopped before. */
	for (struct change *c = q->first, *next; c; c = next) {
		next = c->next;
		change_free(c);
	}
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->cond);
	free(q);
}

void change_queue_nudge(struct change_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->nudged = true;
	pthread_cond_signal(&q->cond);
	pthread_mutex_unlock(&q->lock);
}

struct ticket {
	struct change_queue *q;
	struct change *c;
};

/* The request ends: its change goes with it, unless it is still being carried out. */
static void drop_ticket(void *data)
{
	struct ticket *t = data;
	bool finished;

	pthread_mutex_lock(&t->q->lock);
	finished = t->c->finished;
	t->c->abandoned = true;
	pthread_mutex_unlock(&t->q->lock);
	if (finished)
		change_free(t->c);
	free(t);
}

static struct change *enqueue(struct engine *en, struct http_exchange *rq, struct change *c)
{
	struct ticket *t = malloc(sizeof(*t));

	if (!t) {
		change_free(c);
		http_reply_problem(rq, 503, "out of memory", "try again");
		return NULL;
	}
	*t = (struct ticket){en->queue, c};
	http_set_data(rq, t, drop_ticket);
	c->next = NULL;
	c->channel = en->queue->next_channel++ | CHANNEL_OF_CHANGES;
	*en->queue->last = c;
	en->queue->last = &c->next;
	en->queue->n++;
	pthread_cond_signal(&en->queue->cond);
	return c;
}

struct change *engine_changing(const struct http_exchange *rq)
{
	const struct ticket *t = http_data(rq);

	return t ? t->c : NULL;
}

bool engine_change(struct engine *en, struct http_exchange *rq, struct change *c)
{
	struct ticket *t = http_data(rq);
	bool finished = false;

	pthread_mutex_lock(&en->queue->lock);
	if (t)
		c = t->c;
	else
		c = enqueue(en, rq, c);
	if (c && c->finished)
		finished = true;
	else if (c && http_expired(rq))
		http_reply_problem(rq, 503, "the scheduler has not come to this request yet",
				   "ask again, with the same Idempotency-Key");
	else if (c)
		http_park(rq, c->channel, ANSWER_MS);
	pthread_mutex_unlock(&en->queue->lock);
	return finished;
}

void change_reply(struct http_exchange *rq, struct change *c)
{
	json_t *answer = c->answer;

	c->answer = NULL;
	if (c->e.code) {
		json_decref(answer);
		http_reply_err(rq, &c->e);
	} else {
		http_reply_json(rq, c->status, answer);
	}
}

/* ---- a step ------------------------------------------------------------- */

static void run_change(struct engine *en, struct change *c, struct effects *fx)
{
	err_clear(&c->e);
	if (c->run(en, c, fx) && !c->e.code)
		err_set(&c->e, -EIO, "the request was refused without a reason");
}

/* One change in a transaction of its own, after that of its batch failed. */
static void alone(struct engine *en, struct change *c)
{
	struct effects fx = {0};
	int r;

	err_clear(&c->e);
	if (en->broken) {
		err_set(&c->e, -EAGAIN, "the scheduler's store can't be used at the moment");
		return;
	}
	r = store_begin(en->store, &c->e);
	if (r)
		return;
	run_change(en, c, &fx);
	if (c->e.code) {
		store_rollback(en->store);
		/* What it had changed already is in no transaction now. */
		if (fx.failed)
			engine_reload(en);
		effects_free(&fx);
		return;
	}
	r = engine_save(en, &fx, &c->e);
	if (r) {
		log_err(LOG_LEVEL_ERROR, "store.commit", &c->e);
		effects_free(&fx);
		engine_reload(en);
		return;
	}
	engine_announce(en, &fx);
	if (c->done)
		c->done(en, c);
	cluster_reap(en->cluster);
}

static void each_alone(struct engine *en, struct change *batch, const struct err *e)
{
	log_err(LOG_LEVEL_ERROR, "store.commit", e);
	engine_reload(en);
	if (batch && !batch->next) {
		batch->e.code = e->code;
		memcpy(batch->e.msg, e->msg, sizeof(e->msg));
		memcpy(batch->e.hint, e->hint, sizeof(e->hint));
		return;
	}
	for (struct change *c = batch; c; c = c->next)
		alone(en, c);
}

/* Under the lock: the batch, time, and placement, in one transaction. */
static void step(struct engine *en, struct change *batch, bool tick)
{
	struct effects fx = {0};
	struct err e = ERR_INIT;
	uint64_t now = 0;
	int r = batch ? store_begin(en->store, &e) : 0;

	for (struct change *c = batch; !r && c; c = c->next)
		run_change(en, c, &fx);
	if (!r) {
		now = engine_now_ms();
		if (tick)
			core_tick(en->cluster, now, &fx);
		core_schedule(en->cluster, now, &fx);
		if (!batch && (fx.n || fx.failed))
			r = store_begin(en->store, &e);
		if (!r && (batch || fx.n || fx.failed))
			r = engine_save(en, &fx, &e);
	}
	if (r) {
		effects_free(&fx);
		each_alone(en, batch, &e);
		return;
	}
	engine_announce(en, &fx);
	for (struct change *c = batch; c; c = c->next)
		if (!c->e.code && c->done)
			c->done(en, c);
	cluster_reap(en->cluster);
	/* Placement itself asks for no other placement. */
	en->cluster->schedule = false;
	if (tick)
		energy_tick(en, now);
}

/* Old energy readings and idempotency keys, a little at a time. */
static void upkeep(struct engine *en)
{
	uint64_t now_ms = engine_now_ms();
	struct err e = ERR_INIT;
	bool more;
	int r = store_begin(en->store, &e);

	if (!r && now_ms > KEYS_MS)
		r = store_forget_keys(en->store, now_ms - KEYS_MS, &e);
	if (!r)
		r = store_age_energy(en->store, now_ms, en->keep_energy_ms, &more, &e);
	if (!r)
		r = store_commit(en->store, &e);
	if (r) {
		store_rollback(en->store);
		log_err(LOG_LEVEL_WARN, "store.upkeep", &e);
	}
}

static void finish(struct engine *en, struct change *batch)
{
	struct change_queue *q = en->queue;

	pthread_mutex_lock(&q->lock);
	for (struct change *c = batch, *next; c; c = next) {
		next = c->next;
		c->finished = true;
		if (c->abandoned)
			change_free(c);
		else
			http_server_wake(en->http, c->channel);
	}
	pthread_mutex_unlock(&q->lock);
}

/* ---- the thread --------------------------------------------------------- */

static void wait_until(struct change_queue *q, uint64_t at_ns, bool *late)
{
	struct timespec ts = {.tv_sec = (time_t)(at_ns / NS_PER_S),
			      .tv_nsec = (long)(at_ns % NS_PER_S)};

	*late = pthread_cond_timedwait(&q->cond, &q->lock, &ts) == ETIMEDOUT;
}

/*
 * The next batch, NULL if only time passed. Requests come in step with the
 * answers to the last batch; waiting a moment for as many again keeps one batch
 * from splitting into two that take turns at the disk.
 */
static struct change *take_batch(struct change_queue *q, uint64_t tick_ns, unsigned int expected,
				 unsigned int *n)
{
	struct change *batch, *c;
	bool late = false;

	pthread_mutex_lock(&q->lock);
	while (!q->stopping && !q->n && !q->nudged && !late)
		wait_until(q, tick_ns, &late);
	late = false;
	if (expected > 1 && q->n && q->n < expected) {
		uint64_t until = clock_monotonic_ns() + GATHER_NS;

		while (!q->stopping && q->n < expected && !late)
			wait_until(q, until, &late);
	}
	q->nudged = false;
	batch = q->first;
	for (c = batch, *n = 0; c && ++*n < BATCH_MAX; c = c->next)
		;
	if (c) {
		q->first = c->next;
		c->next = NULL;
	} else {
		q->first = NULL;
	}
	if (!q->first)
		q->last = &q->first;
	q->n -= *n;
	pthread_mutex_unlock(&q->lock);
	return batch;
}

void *engine_writer(void *arg)
{
	struct engine *en = arg;
	uint64_t tick_ns = 0;
	unsigned int n = 0, ticks = 0;
	bool stopping = false;

	while (!stopping) {
		struct change *batch = take_batch(en->queue, tick_ns, n, &n);
		bool tick = clock_monotonic_ns() >= tick_ns;

		atomic_store(&en->ticked_ns, clock_monotonic_ns());
		pthread_mutex_lock(&en->lock);
		if (en->broken)
			engine_reload(en);
		if (en->broken)
			for (struct change *c = batch; c; c = c->next)
				err_set(&c->e, -EAGAIN,
					"the scheduler's store can't be used at the moment");
		else
			step(en, batch, tick);
		if (tick && !en->broken)
			energy_sleeps(en, engine_now_ms());
		if (tick && ++ticks % UPKEEP_TICKS == 0 && !en->broken)
			upkeep(en);
		if (tick)
			tick_ns = clock_monotonic_ns() + TICK_MS * NS_PER_MS;
		pthread_mutex_unlock(&en->lock);
		finish(en, batch);
		pthread_mutex_lock(&en->queue->lock);
		stopping = en->queue->stopping && !en->queue->n;
		pthread_mutex_unlock(&en->queue->lock);
	}
	return NULL;
}
