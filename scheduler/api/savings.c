/* GET /v1/savings and the thread behind it; see savings.h. */
#include "scheduler/api/savings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/energy.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/ledger/ledger.h"

#define ANSWERS      16             /* intervals that are kept */
#define FRESH_NS     (5 * NS_PER_S) /* an answer is as good as new for so long, */
#define FRESH_TIMES  20             /* or for so many times what it took */
#define REST_TIMES   3              /* the thread rests so many times as long as it works */
#define WAIT_MS      60000
#define WORKER_NICER 10
/* The difference is told while the energy of at most this part of the nodes' time is not known. */
#define GAP_SHARE_MAX 0.01

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
	/* the thread's own: finished jobs by id, and the profile their work is in terms of */
	struct shadow_job *known;
	size_t nknown;
	char reference[PROFILE_NAME_MAX];
};

/* ---- one comparison ----------------------------------------------------- */

struct comparison {
	struct savings *s;
	struct live live;
	struct baseline baseline;
	struct machines machines;
	struct ledger ledger;
	struct shadow_energy energy;
	struct shadow_side here, shadow;
	struct trace trace;
	struct replay *replay;
	uint64_t from_ms, to_ms;
	size_t njobs; /* chosen */
	unsigned int process_nm;
};

static void comparison_free(struct comparison *c)
{
	live_free(&c->live);
	baseline_free(&c->baseline);
	machines_release(&c->machines);
	ledger_free(&c->ledger);
	trace_free(&c->trace);
	replay_free(c->replay);
}

static void add_energy(const struct energy_interval *i, void *arg)
{
	struct comparison *c = arg;
	const struct live_kind *k = live_kind_of(&c->live, i->node);

	if (!i->counted)
		return;
	ledger_add(&c->ledger, i);
	shadow_energy_add(&c->energy, i,
			  machines_process_factor(k ? k->profile.process_nm : 0, c->process_nm));
}

/* The finest process of either side. */
static unsigned int finest(const struct comparison *c)
{
	unsigned int nm = c->machines.process_nm;

	for (size_t i = 0; i < c->live.nkinds; i++) {
		unsigned int other = c->live.kinds[i].profile.process_nm;

		if (other && (!nm || other < nm))
			nm = other;
	}
	return nm;
}

static int prepare(struct comparison *c, struct err *e)
{
	uint64_t now = engine_now_ms();
	int r = engine_lock(c->s->en, e);

	if (r)
		return r;
	/* Readings that are on their way are no gap: both sides end before them. */
	if (c->to_ms >= now)
		c->to_ms = energy_known_until(c->s->en->latest, now);
	r = baseline_get(c->s->en, &c->baseline, e);
	if (!r)
		r = live_nodes(c->s->en, &c->live, e);
	engine_unlock(c->s->en);
	if (!r)
		r = baseline_machines(&c->baseline, 0, &c->machines, e);
	if (r)
		return err_wrap(e, "the baseline can't be compared with");
	c->process_nm = finest(c);
	if (c->process_nm == c->machines.process_nm)
		return 0;
	machines_release(&c->machines);
	return baseline_machines(&c->baseline, c->process_nm, &c->machines, e);
}

static int by_id(const void *pa, const void *pb)
{
	const struct shadow_job *a = pa, *b = pb;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* What won't change any more needn't be read again. */
static void remember(struct savings *s, const struct live *l)
{
	struct shadow_job *v = malloc((l->njobs + 1) * sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < l->njobs; i++)
		if (l->jobs[i].end_ms)
			v[n++] = l->jobs[i];
	if (n)
		qsort(v, n, sizeof(*v), by_id);
	free(s->known);
	s->known = v;
	s->nknown = v ? n : 0;
}

static int read_jobs(struct comparison *c, struct err *e)
{
	const struct profile *reference = &c->machines.reference;
	struct savings *s = c->s;
	uint64_t first = UINT64_MAX;
	int r;

	if (strcmp(s->reference, reference->name) != 0) {
		s->nknown = 0;
		(void)snprintf(s->reference, sizeof(s->reference), "%s", reference->name);
	}
	r = live_jobs(s->en, &c->live, reference, s->known, s->nknown, c->to_ms, &s->stop, e);
	if (r)
		return r;
	remember(s, &c->live);
	for (size_t i = 0; i < c->live.njobs; i++)
		if (c->live.jobs[i].submit_ms < first)
			first = c->live.jobs[i].submit_ms;
	if (c->from_ms == UINT64_MAX)
		c->from_ms = first < c->to_ms ? first : c->to_ms;
	if (c->from_ms < c->live.oldest_ms)
		c->from_ms = c->live.oldest_ms;
	if (c->from_ms > c->to_ms)
		c->from_ms = c->to_ms;
	c->njobs = shadow_choose(c->live.jobs, c->live.njobs, c->from_ms, c->to_ms);
	c->live.unmeasured = 0;
	for (size_t i = 0; i < c->njobs; i++)
		c->live.unmeasured += c->live.jobs[i].estimated;
	return 0;
}

static bool stopping(void *arg, double part)
{
	const struct savings *s = arg;

	(void)part;
	return atomic_load(&s->stop);
}

static int run_shadow(struct comparison *c, struct err *e)
{
	struct replay_options o = {.trace = &c->trace,
				   .machines = &c->machines,
				   .policy = c->baseline.policy,
				   .policy_options = policy_options_default,
				   .clamp = true,
				   .stop_ms = c->to_ms - c->from_ms,
				   .progress = stopping,
				   .arg = c->s};
	int r = shadow_trace(c->live.jobs, c->njobs, c->from_ms, &c->trace, e);

	if (!r)
		r = replay_run(&o, &c->replay, e);
	if (!r && c->replay->cancelled)
		r = err_set(e, -ECANCELED, "the scheduler is stopping");
	if (!r)
		r = shadow_replay_side(c->live.jobs, c->replay, c->from_ms, c->to_ms, &c->shadow,
				       e);
	return r;
}

static int compare(struct comparison *c, struct err *e)
{
	int r = prepare(c, e);

	if (!r)
		r = read_jobs(c, e);
	if (r || c->from_ms == c->to_ms)
		return r;
	c->ledger.from_ms = c->from_ms;
	c->ledger.to_ms = c->to_ms;
	shadow_energy_init(&c->energy, c->from_ms, c->to_ms);
	r = store_energy(c->s->en->store, c->from_ms, c->to_ms, add_energy, c, e);
	if (!r && c->ledger.failed)
		r = err_set(e, -ENOMEM, "no memory for the sums");
	if (!r)
		r = shadow_live_side(c->live.jobs, c->njobs, c->from_ms, c->to_ms, &c->here, e);
	if (r)
		return r;
	c->here.energy_j = c->energy.total_j;
	c->here.edp_js = c->here.energy_j * c->here.makespan_s;
	return run_shadow(c, e);
}

/* ---- the answer --------------------------------------------------------- */

static json_t *render_side(const struct shadow_side *s, double energy_j, const char *source,
			   const char *scope, const char *kind)
{
	return json_pack("{s:f, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I}", "energy_j", energy_j,
			 "source", source, "scope", scope, "kind", kind, "makespan_s",
			 s->makespan_s, "mean_wait_s", s->mean_wait_s, "p95_wait_s", s->p95_wait_s,
			 "edp_js", energy_j * s->makespan_s, "jobs", (json_int_t)s->jobs,
			 "unfinished", (json_int_t)s->unfinished);
}

static json_t *percent(double saved, double of)
{
	return of > 0 ? json_real(100 * saved / of) : json_null();
}

static json_t *render_saved(const struct comparison *c, double here_j, double shadow_j)
{
	double edp = shadow_j * c->shadow.makespan_s - here_j * c->here.makespan_s;

	return json_pack("{s:f, s:o, s:f, s:o}", "energy_j", shadow_j - here_j, "percent",
			 percent(shadow_j - here_j, shadow_j), "edp_js", edp, "edp_percent",
			 percent(edp, shadow_j * c->shadow.makespan_s));
}

static json_t *render_series(const struct comparison *c, const double *joules, double factor)
{
	double length = (double)(c->to_ms - c->from_ms) / c->energy.npoints, here = 0;
	json_t *out = json_array();

	if (!c->replay)
		return out;
	for (uint32_t k = 0; out && k <= c->energy.npoints; k++) {
		uint64_t ms = k == c->energy.npoints ? c->to_ms - c->from_ms
						     : (uint64_t)((double)k * length);

		(void)json_array_append_new(
			out, json_pack("[I, f, f]", (json_int_t)(c->from_ms + ms), here,
				       shadow_energy_until(c->replay, ms) * factor));
		if (k < c->energy.npoints)
			here += joules[k];
	}
	return out;
}

/* Time of nodes for which nothing was read: within, before and after their readings. */
static uint64_t unknown_ms(const struct comparison *c)
{
	uint64_t ms = c->ledger.total.gap_ms, whole = c->to_ms - c->from_ms;

	for (size_t i = 0; i < c->ledger.nnodes; i++) {
		const struct ledger_sum *n = &c->ledger.nodes[i];

		ms += n->from_ms > c->from_ms ? n->from_ms - c->from_ms : 0;
		ms += n->to_ms < c->to_ms ? c->to_ms - n->to_ms : 0;
	}
	if (c->live.nnodes > c->ledger.nnodes)
		ms += whole * (c->live.nnodes - c->ledger.nnodes);
	return ms;
}

/* Part of the nodes' time for which their energy is not known. */
static double unknown_share(const struct comparison *c)
{
	size_t nodes = c->live.nnodes > c->ledger.nnodes ? c->live.nnodes : c->ledger.nnodes;
	double all = (double)(c->to_ms - c->from_ms) * (double)nodes;

	return all > 0 ? (double)unknown_ms(c) / all : 0;
}

/* The difference, or null where too little is known of the live side to tell it. */
static json_t *render_difference(const struct comparison *c, double here_j, double shadow_j)
{
	return unknown_share(c) > GAP_SHARE_MAX ? json_null() : render_saved(c, here_j, shadow_j);
}

/* The factor of all of the baseline's machines; negative: they differ. */
static double one_factor(const struct machines *m)
{
	for (uint32_t i = 1; i < m->ngroups; i++)
		if (fabs(m->groups[i].scaled - m->groups[0].scaled) > 1e-12)
			return -1;
	return m->groups[0].scaled;
}

static json_t *render_scaled(const struct comparison *c, const char *source, const char *scope)
{
	double shadow_j = c->replay ? c->replay->sum.scaled_j : 0;
	double factor = one_factor(&c->machines);
	char note[400];

	(void)snprintf(note, sizeof(note),
		       "A projection: each machine's power times (%u nm / its process)^2, what "
		       "constant-field scaling says of the same design in %u nm; a lower bound%s",
		       c->process_nm, c->process_nm,
		       c->live.assumed ? ". Nodes without a known profile count as their ISA's"
				       : "");
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "process_nm", (int)c->process_nm, "note",
			 note, "live",
			 render_side(&c->here, c->energy.scaled_j, source, scope, "modelled"),
			 "shadow", render_side(&c->shadow, shadow_j, "model", "node", "modelled"),
			 "saved", render_difference(c, c->energy.scaled_j, shadow_j), "series",
			 /* Of unlike machines only the total is known by machine. */
			 factor < 0 ? json_array() : render_series(c, c->energy.scaled, factor));
}

static const char *or_none(const char *label)
{
	return label[0] ? label : "none";
}

static json_t *render_withheld(const struct comparison *c)
{
	double share = unknown_share(c);

	if (share <= GAP_SHARE_MAX)
		return json_null();
	return json_sprintf("the energy of %.1f %% of the nodes' time is not known, so the cluster "
			    "used more than its figure; at most %.0f %% may be missing",
			    100 * share, 100 * GAP_SHARE_MAX);
}

static json_t *render(const struct comparison *c)
{
	const struct ledger_sum *t = &c->ledger.total;
	const char *source = or_none(t->source), *scope = or_none(t->scope);
	const struct replay_sum *r = c->replay ? &c->replay->sum : NULL;

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, "
			 "s:f, s:b}",
			 "from_ms", (json_int_t)c->from_ms, "to_ms", (json_int_t)c->to_ms,
			 "baseline", baseline_json(&c->baseline), "live",
			 render_side(&c->here, c->here.energy_j, source, scope, or_none(t->kind)),
			 "shadow",
			 render_side(&c->shadow, c->shadow.energy_j, "model", "node", "modelled"),
			 "saved", render_difference(c, c->here.energy_j, c->shadow.energy_j),
			 "withheld", render_withheld(c), "scaled",
			 c->process_nm ? render_scaled(c, source, scope) : json_null(), "series",
			 render_series(c, c->energy.joules, 1), "jobs", (json_int_t)c->njobs,
			 "estimated_jobs", (json_int_t)c->live.unmeasured, "refused_jobs",
			 (json_int_t)(r ? r->refused : 0), "narrowed_jobs",
			 (json_int_t)(r ? r->clamped : 0), "gap_ms", (json_int_t)unknown_ms(c),
			 "gap_share", unknown_share(c), "cut", c->live.oldest_ms != 0);
}

/* ---- the thread --------------------------------------------------------- */

static int make(struct savings *s, uint64_t from_ms, uint64_t to_ms, json_t **out, struct err *e)
{
	struct comparison *c = calloc(1, sizeof(*c));
	int r;

	*out = NULL;
	if (!c)
		return err_set(e, -ENOMEM, "no memory for the comparison");
	c->s = s;
	c->from_ms = from_ms;
	c->to_ms = to_ms;
	r = compare(c, e);
	if (!r) {
		*out = render(c);
		if (!*out)
			r = err_set(e, -ENOMEM, "no memory for the comparison");
	}
	comparison_free(c);
	free(c);
	return r;
}

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
		(void)make(s, a->from_ms, a->to_ms, &doc, &e);
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
	free(s->known);
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
