/* GET /v1/savings and the thread behind it; see savings.h. */
#include "scheduler/api/savings.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"

#define ANSWERS      16             /* intervals that are kept */
#define FRESH_NS     (5 * NS_PER_S) /* an answer is as good as new for so long, */
#define FRESH_TIMES  20             /* or for so many times what it took */
#define REST_TIMES   3              /* the thread rests so many times as long as it works */
#define WAIT_MS      60000
#define WORKER_NICER 10

struct answer {
	uint64_t from_ms, to_ms; /* as asked for; UINT64_MAX: not said */
	json_t *doc;             /* NULL: none yet */
	struct err error;        /* why there is none, if code is not 0 */
	uint64_t made_ns, asked_ns;
	uint64_t took_ns;    /* of cpu time */
	uint64_t generation; /* of the baseline it was made with */
	bool used, wanted;
};

struct savings {
	struct engine *en;
	pthread_mutex_t lock; /* taken after the engine's */
	pthread_cond_t cond;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	struct answer answers[ANSWERS];
	uint64_t generation;
	struct savings_memory memory; /* the thread's own */
};

/* ---- the thread --------------------------------------------------------- */

static void wake_readers(struct savings *s)
{
	struct err e = ERR_INIT;

	if (engine_lock(s->en, &e))
		return;
	if (s->en->http)
		http_server_wake(s->en->http, CHANNEL_SAVINGS);
	engine_unlock(s->en);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* The one that has waited longest; under the lock. */
static struct answer *next_wanted(struct savings *s)
{
	struct answer *a = NULL;

	for (size_t i = 0; i < ANSWERS; i++)
		if (s->answers[i].used && s->answers[i].wanted &&
		    (!a || s->answers[i].made_ns < a->made_ns))
			a = &s->answers[i];
	return a;
}

static void rest(struct savings *s, uint64_t ns)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
	ts.tv_sec = (time_t)(ns / NS_PER_S);
	ts.tv_nsec = (long)(ns % NS_PER_S);
	while (!atomic_load(&s->stop) &&
	       pthread_cond_timedwait(&s->cond, &s->lock, &ts) != ETIMEDOUT)
		continue;
}

static void *savings_main(void *arg)
{
	struct savings *s = arg;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), WORKER_NICER);
	(void)pthread_mutex_lock(&s->lock);
	while (!atomic_load(&s->stop)) {
		struct answer *a = next_wanted(s);
		struct err e = ERR_INIT;
		uint64_t began = cpu_ns(), took, generation = s->generation;
		json_t *doc;

		if (!a) {
			(void)pthread_cond_wait(&s->cond, &s->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&s->lock);
		(void)savings_compare(s->en, &s->memory, &s->stop, a->from_ms, a->to_ms, &doc, &e);
		(void)pthread_mutex_lock(&s->lock);
		json_decref(a->doc);
		a->doc = doc;
		a->error = e;
		a->made_ns = clock_monotonic_ns();
		a->took_ns = took = cpu_ns() - began;
		a->generation = generation;
		a->wanted = false;
		(void)pthread_mutex_unlock(&s->lock);
		if (!atomic_load(&s->stop))
			wake_readers(s);
		(void)pthread_mutex_lock(&s->lock);
		rest(s, REST_TIMES * took);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

int savings_new(struct savings **out, struct engine *en, struct err *e)
{
	struct savings *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int r;

	*out = NULL;
	if (!s)
		return err_set(e, -ENOMEM, "no memory for the savings");
	s->en = en;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&s->cond, &attr);
	(void)pthread_condattr_destroy(&attr);
	r = -pthread_create(&s->thread, NULL, savings_main, s);
	s->started = !r;
	if (r) {
		savings_free(s);
		return err_sys(e, r, "cannot start the thread of the savings");
	}
	*out = s;
	return 0;
}

void savings_free(struct savings *s)
{
	if (!s)
		return;
	if (s->started) {
		(void)pthread_mutex_lock(&s->lock);
		atomic_store(&s->stop, true);
		(void)pthread_cond_broadcast(&s->cond);
		(void)pthread_mutex_unlock(&s->lock);
		(void)pthread_join(s->thread, NULL);
	}
	for (size_t i = 0; i < ANSWERS; i++)
		json_decref(s->answers[i].doc);
	free(s->memory.known);
	(void)pthread_cond_destroy(&s->cond);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

void savings_baseline_changed(struct savings *s)
{
	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->generation++;
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- GET /v1/savings ---------------------------------------------------- */

static bool fresh(const struct savings *s, const struct answer *a)
{
	uint64_t good = FRESH_TIMES * a->took_ns;

	if (good < FRESH_NS)
		good = FRESH_NS;
	return (a->doc || a->error.code) && a->generation == s->generation &&
	       clock_monotonic_ns() - a->made_ns < good;
}

/* Its place, or that of the one nobody asked for longest; NULL: all are being made. */
static struct answer *place_of(struct savings *s, uint64_t from_ms, uint64_t to_ms)
{
	struct answer *oldest = NULL;

	for (size_t i = 0; i < ANSWERS; i++) {
		struct answer *a = &s->answers[i];

		if (a->used && a->from_ms == from_ms && a->to_ms == to_ms)
			return a;
		if (!a->wanted && (!oldest || a->asked_ns < oldest->asked_ns))
			oldest = a;
	}
	if (!oldest)
		return NULL;
	json_decref(oldest->doc);
	*oldest = (struct answer){.from_ms = from_ms, .to_ms = to_ms, .used = true};
	return oldest;
}

void handle_savings(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct savings *s = en->savings;
	struct err e = ERR_INIT;
	uint64_t from_ms, to_ms;
	json_t *doc = NULL;
	struct answer *a;
	bool late = http_expired(rq);

	if (http_query_u64(rq, "from_ms", UINT64_MAX, INT64_MAX, &from_ms, &e) ||
	    http_query_u64(rq, "to_ms", UINT64_MAX, INT64_MAX, &to_ms, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (from_ms != UINT64_MAX && from_ms > to_ms) {
		http_reply_problem(rq, 400, "from_ms is after to_ms", NULL);
		return;
	}
	(void)pthread_mutex_lock(&s->lock);
	a = place_of(s, from_ms, to_ms);
	if (a && !fresh(s, a) && !late) {
		a->wanted = true;
		a->asked_ns = clock_monotonic_ns();
		(void)pthread_cond_signal(&s->cond);
		http_park(rq, CHANNEL_SAVINGS, WAIT_MS);
		(void)pthread_mutex_unlock(&s->lock);
		return;
	}
	if (a && fresh(s, a)) {
		a->asked_ns = clock_monotonic_ns();
		doc = json_deep_copy(a->doc);
		e = a->error;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (doc)
		http_reply_json(rq, 200, doc);
	else if (e.code)
		http_reply_err(rq, &e);
	else
		http_reply_problem(rq, 503, "the comparison is still being made",
				   "ask again in a minute");
}
