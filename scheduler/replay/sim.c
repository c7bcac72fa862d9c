/*
 * Virtual time: arrivals, the events of the virtual agents, and after each
 * instant the scheduler's turn, until nothing is left to do at that instant.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "scheduler/replay/sim.h"

#define PROGRESS_EVERY 1024             /* instants */
#define NEVER_MS       (UINT64_MAX / 8) /* timers of virtual agents' silence are later */
#define LIMIT_SLACK_S  600

struct trace_job sim_job_spec(const struct sim *s, uint32_t i)
{
	struct trace_job j = s->trace->jobs[i];

	if (s->opt->clamp && j.cpus > s->widest) {
		j.run_s *= (double)j.cpus / s->widest;
		j.cpus = s->widest;
	}
	return j;
}

/* ---- effects ------------------------------------------------------------ */

static void make_dirty(struct sim *s, const struct node *n)
{
	if (s->nodes[n->index].dirty)
		return;
	s->nodes[n->index].dirty = true;
	s->dirty[s->ndirty++] = n->index;
}

static uint64_t sped_up(const struct sim *s, uint64_t ms)
{
	return (uint64_t)((double)ms / s->opt->speedup);
}

/* Those that wait for the end of a job: it has come, whichever way. */
static void job_ended(struct sim *s, uint32_t job)
{
	s->ended++;
	for (uint32_t k = s->jobs[job].waiters; k; k = s->jobs[k - 1].next) {
		const struct trace_job *t = &s->trace->jobs[k - 1];
		uint64_t at = s->now_ms + sped_up(s, t->think_ms);
		uint64_t due = SIM_EPOCH_MS + sped_up(s, t->submit_ms);

		if (!heap_put(&s->heap, at > due ? at : due, EV_ARRIVE, k - 1, 0))
			s->failed = true;
	}
	s->jobs[job].waiters = 0;
}

static void take_job(struct sim *s, const struct job *j)
{
	uint32_t i = s->by_id[j->id - 1];
	struct replay_job *out = &s->out->jobs[i];

	if (!job_is_over(j) || out->state >= JOB_COMPLETED)
		return;
	out->state = (uint8_t)j->state;
	out->end_ms = s->now_ms - SIM_EPOCH_MS;
	job_ended(s, i);
}

void sim_take_effects(struct sim *s)
{
	for (size_t i = 0; i < s->fx.n; i++) {
		const struct effect *f = &s->fx.v[i];

		switch (f->kind) {
		case FX_DESIRED:
			make_dirty(s, f->node);
			break;
		case FX_JOB:
			take_job(s, f->job);
			break;
		case FX_DECISION:
			s->out->sum.decisions += !strcmp(f->what, "place");
			break;
		case FX_SUSPEND:
			vagent_sleep(s, f->node->index);
			break;
		case FX_RESUME:
			vagent_wake(s, f->node->index);
			break;
		case FX_MIGRATION:
			if (!f->step)
				break;
			s->out->sum.decisions += !strcmp(f->step, "prepare");
			s->out->sum.migrations += !strcmp(f->step, "commit");
			s->out->sum.aborted += !strcmp(f->step, "abort");
			break;
		case FX_ATTEMPT:
		case FX_CHANGE:
		case FX_MODEL:
		case FX_NODE:
		case FX_REASON:
		case FX_SEGMENT:
			break;
		}
	}
	s->failed |= s->fx.failed;
	s->fx.n = 0;
	s->fx.failed = false;
	cluster_reap(s->core);
}

/* ---- the scheduler's turn ----------------------------------------------- */

static void drain(struct sim *s)
{
	while (s->ndirty && !s->failed) {
		uint32_t node = s->dirty[--s->ndirty];

		s->nodes[node].dirty = false;
		vagent_poll(s, node);
	}
}

static void settle(struct sim *s)
{
	drain(s);
	while (!s->failed && core_next_ms(s->core) <= s->now_ms) {
		uint64_t begin = clock_monotonic_ns();

		core_tick(s->core, s->now_ms, &s->fx);
		core_schedule(s->core, s->now_ms, &s->fx);
		s->out->sum.core_s += (double)(clock_monotonic_ns() - begin) / (double)NS_PER_S;
		sim_take_effects(s);
		drain(s);
	}
}

/* ---- arrivals ----------------------------------------------------------- */

static bool fits_somewhere(const struct sim *s, const struct trace_job *j)
{
	for (uint32_t i = 0; i < s->opt->machines->ngroups; i++) {
		const struct machine_group *g = &s->opt->machines->groups[i];

		if (j->cpus <= g->cores &&
		    (!g->memory_bytes || machines_memory(g, j) <= g->memory_bytes))
			return true;
	}
	return false;
}

/* The limit the user gave was for the machine of the trace: on the slowest one it is longer. A job
 * is never ended by it here, for its run time is known. */
static uint64_t limit_s(const struct sim *s, const struct trace_job *j)
{
	double slowest = 1, limit = j->limit_s > j->run_s ? j->limit_s : j->run_s;

	if (!j->limit_s)
		return 0;
	for (uint32_t i = 0; i < s->opt->machines->ngroups; i++)
		if (s->opt->machines->groups[i].slowdown > slowest)
			slowest = s->opt->machines->groups[i].slowdown;
	return (uint64_t)(limit * slowest) + LIMIT_SLACK_S;
}

static void make_spec(const struct sim *s, const struct trace_job *j, struct job_spec *spec)
{
	*spec = (struct job_spec){.cpus = j->cpus,
				  .isas = (1u << ISA_COUNT) - 1,
				  .max_restarts = 3,
				  .memory_bytes = machines_memory(&s->opt->machines->groups[0], j),
				  .time_limit_s = limit_s(s, j)};
	(void)snprintf(spec->user, sizeof(spec->user), "user-%" PRIu32, j->user);
	if (j->kernel == TRACE_NO_KERNEL) {
		/* A user's runs of one program with as many processors are taken for alike: that is
		 * what the core learns run times by. */
		(void)snprintf(spec->name, sizeof(spec->name), "%" PRIu32 "x%" PRIu32, j->program,
			       j->cpus);
		(void)snprintf(spec->bundle, sizeof(spec->bundle), "of-user-%" PRIu32, j->user);
	} else {
		int n = snprintf(spec->name, sizeof(spec->name), "%s.%s",
				 profile_kernels[j->kernel], profile_classes[j->class]);

		if (j->repeat > 1)
			(void)snprintf(spec->name + n, sizeof(spec->name) - (size_t)n, "x%" PRIu32,
				       j->repeat);
		(void)snprintf(spec->bundle, sizeof(spec->bundle), "drover-%s",
			       profile_kernels[j->kernel]);
	}
}

static void arrive(struct sim *s, uint32_t i)
{
	struct trace_job j = sim_job_spec(s, i);
	struct replay_job *out = &s->out->jobs[i];
	struct job_spec spec;
	struct job *core;

	out->submit_ms = s->now_ms - SIM_EPOCH_MS;
	if (!fits_somewhere(s, &j)) {
		out->refused = true;
		job_ended(s, i);
		return;
	}
	make_spec(s, &j, &spec);
	if (core_submit(s->core, s->now_ms, &spec, &core, &s->fx)) {
		s->failed = true;
		return;
	}
	s->jobs[i].id = core->id;
	s->by_id[s->submitted++] = i;
	if (j.end == TRACE_WITHDRAWN &&
	    !heap_put(&s->heap, s->now_ms + sped_up(s, j.cancel_ms), EV_WITHDRAW, i, 0))
		s->failed = true;
	sim_take_effects(s);
}

static void withdraw(struct sim *s, uint32_t i)
{
	struct job *j = cluster_job(s->core, s->jobs[i].id);

	if (j && !core_cancel(s->core, s->now_ms, j, &s->fx))
		sim_take_effects(s);
}

/* ---- time --------------------------------------------------------------- */

static uint64_t arrival_ms(const struct sim *s)
{
	const struct trace_job *j;

	if (s->next_arrival == s->norder)
		return UINT64_MAX;
	j = &s->trace->jobs[s->order[s->next_arrival]];
	if (s->ended < j->after_ends)
		return UINT64_MAX;
	return SIM_EPOCH_MS + sped_up(s, j->submit_ms);
}

static void handle(struct sim *s, const struct event_item *ev)
{
	bool of_job = ev->what != EV_SLEPT && ev->what != EV_WOKEN;
	bool fits = of_job && ev->version == s->jobs[ev->subject].version;

	switch ((enum sim_event)ev->what) {
	case EV_ARRIVE:
		arrive(s, ev->subject);
		break;
	case EV_WITHDRAW:
		withdraw(s, ev->subject);
		break;
	case EV_SLEPT:
		vagent_slept(s, ev->subject);
		break;
	case EV_WOKEN:
		vagent_woken(s, ev->subject);
		break;
	case EV_EXIT:
		if (fits)
			vagent_exit(s, ev->subject);
		break;
	case EV_PREPARED:
		if (fits)
			vagent_prepared(s, ev->subject);
		break;
	case EV_LOADED:
		if (fits)
			vagent_loaded(s, ev->subject);
		break;
	}
}

/* When something happens next; UINT64_MAX: never. */
static uint64_t next_ms(const struct sim *s)
{
	uint64_t arrival = arrival_ms(s), next = heap_next_ms(&s->heap);
	uint64_t core = core_next_ms(s->core);

	/* An arrival that waited for an end is late by then. */
	if (arrival != UINT64_MAX && arrival < s->now_ms)
		arrival = s->now_ms;
	if (arrival < next)
		next = arrival;
	if (core < next)
		next = core > s->now_ms ? core : s->now_ms;
	return next >= NEVER_MS ? UINT64_MAX : next;
}

/* Everything of the next instant. false: there is none. */
static bool step(struct sim *s)
{
	uint64_t next = next_ms(s);

	if (next == UINT64_MAX)
		return false;
	if (next > s->now_ms)
		account_series(s, next);
	s->now_ms = next;
	while (heap_next_ms(&s->heap) == next) {
		struct event_item ev = heap_take(&s->heap);

		handle(s, &ev);
	}
	while (arrival_ms(s) <= s->now_ms && !s->failed)
		arrive(s, s->order[s->next_arrival++]);
	settle(s);
	return !s->failed;
}

static bool all_done(const struct sim *s)
{
	return s->ended == s->trace->njobs;
}

static void run(struct sim *s)
{
	const struct replay_options *o = s->opt;
	uint64_t stop = o->stop_ms ? SIM_EPOCH_MS + o->stop_ms : NEVER_MS;
	uint64_t steps = 0, until = o->stop_ms ? stop : SIM_EPOCH_MS + o->until_ms;

	while (!all_done(s) && next_ms(s) <= stop && step(s)) {
		if (++steps % PROGRESS_EVERY || !o->progress)
			continue;
		s->out->cancelled = o->progress(o->arg, (double)s->ended / (double)s->trace->njobs);
		if (s->out->cancelled)
			return;
	}
	while (!s->failed && next_ms(s) <= until && step(s))
		continue;
	if (s->now_ms < until) {
		account_series(s, until);
		s->now_ms = until;
	}
}

/* ---- beginning ---------------------------------------------------------- */

static int introduce(struct sim *s, struct err *e)
{
	const struct machines *m = s->opt->machines;
	uint32_t k = 0;

	for (uint32_t g = 0; g < m->ngroups; g++) {
		const struct machine_group *group = &m->groups[g];

		if (group->cores > s->widest)
			s->widest = group->cores;
		for (uint32_t i = 1; i <= group->count; i++, k++) {
			struct node *n;
			int rc = vagent_introduce(s, group, i, &n);

			if (rc)
				return err_sys(e, rc, "cannot add node %s-%" PRIu32, group->prefix,
					       i);
			s->nodes[k] = (struct sim_node){.node = n, .group = group};
			(void)snprintf(s->out->nodes[k].name, sizeof(s->out->nodes[k].name), "%s",
				       n->name);
			s->out->nodes[k].group = g;
		}
	}
	sim_take_effects(s);
	return 0;
}

/* SplitMix64, as workloads/waves uses it. */
static uint64_t random64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Jobs of one millisecond come in any order: the seed's. */
static void shuffle(struct sim *s)
{
	const struct trace_job *jobs = s->trace->jobs;
	uint64_t state = s->opt->seed;

	for (uint32_t a = 0, b; a < s->norder; a = b) {
		for (b = a + 1; b < s->norder; b++)
			if (jobs[s->order[b]].submit_ms != jobs[s->order[a]].submit_ms ||
			    jobs[s->order[b]].after_ends != jobs[s->order[a]].after_ends)
				break;
		for (uint32_t i = b - a; i > 1; i--) {
			uint32_t k = a + (uint32_t)(random64(&state) % i), t = s->order[k];

			s->order[k] = s->order[a + i - 1];
			s->order[a + i - 1] = t;
		}
	}
}

static void line_up(struct sim *s)
{
	for (uint32_t i = 0; i < s->trace->njobs; i++) {
		uint32_t before = s->trace->jobs[i].preceding;

		s->out->jobs[i] = (struct replay_job){.start_ms = UINT64_MAX, .node = UINT32_MAX};
		if (!before)
			s->order[s->norder++] = i;
	}
	/* From the last: each list is in the order of the file. */
	for (uint32_t i = (uint32_t)s->trace->njobs; i-- > 0;) {
		uint32_t before = s->trace->jobs[i].preceding;

		if (!before)
			continue;
		s->jobs[i].next = s->jobs[before - 1].waiters;
		s->jobs[before - 1].waiters = i + 1;
	}
	if (s->opt->seed)
		shuffle(s);
}

static bool allocate(struct sim *s, size_t njobs, size_t nnodes)
{
	struct core_options opt = core_options_default;
	struct replay *r = s->out;

	/* Virtual agents never fall silent, and report only what is new. */
	opt.node_unknown_ms = opt.node_down_ms = opt.start_ms = UINT64_MAX / 4;
	opt.sleep_ms = opt.wake_ms = UINT64_MAX / 4;
	opt.can_sleep = true;
	s->core = cluster_new(&opt);
	s->jobs = calloc(njobs + 1, sizeof(*s->jobs));
	s->nodes = calloc(nnodes + 1, sizeof(*s->nodes));
	s->order = calloc(njobs + 1, sizeof(*s->order));
	s->by_id = calloc(njobs + 1, sizeof(*s->by_id));
	s->dirty = calloc(nnodes + 1, sizeof(*s->dirty));
	r->jobs = calloc(njobs + 1, sizeof(*r->jobs));
	r->nodes = calloc(nnodes + 1, sizeof(*r->nodes));
	r->series = calloc(REPLAY_SERIES_MAX, sizeof(*r->series));
	r->nnodes = (uint32_t)nnodes;
	return s->core && s->jobs && s->nodes && s->order && s->by_id && s->dirty && r->jobs &&
	       r->nodes && r->series;
}

static void release(struct sim *s)
{
	cluster_free(s->core);
	effects_free(&s->fx);
	heap_free(&s->heap);
	free(s->jobs);
	free(s->nodes);
	free(s->order);
	free(s->by_id);
	free(s->dirty);
}

int replay_run(const struct replay_options *opt, struct replay **out, struct err *e)
{
	struct replay_options *o = NULL;
	struct sim s = {.trace = opt->trace, .now_ms = SIM_EPOCH_MS};
	uint64_t begin = clock_monotonic_ns();
	int rc = 0;

	*out = NULL;
	if (opt->speedup < 0 || !opt->policy)
		return err_set(e, -EINVAL, "replay: no policy, or a negative speed-up");
	s.out = calloc(1, sizeof(*s.out) + sizeof(*o));
	if (s.out) {
		o = (struct replay_options *)(void *)(s.out + 1);
		*o = *opt;
		o->speedup = opt->speedup > 0 ? opt->speedup : 1;
		s.opt = s.out->opt = o;
	}
	if (!s.out || !allocate(&s, opt->trace->njobs, opt->machines->nnodes))
		s.failed = true;
	if (!s.failed)
		rc = introduce(&s, e);
	if (!s.failed && !rc) {
		core_set_policy(s.core, opt->policy, &opt->policy_options);
		line_up(&s);
		account_start(&s);
		run(&s);
		account_end(&s);
	}
	if (!s.failed && !rc)
		sums_make(&s);
	if (s.failed)
		rc = err_set(e, -ENOMEM, "replay: no memory");
	release(&s);
	if (rc) {
		replay_free(s.out);
		return rc;
	}
	s.out->sum.wall_s = (double)(clock_monotonic_ns() - begin) / (double)NS_PER_S;
	*out = s.out;
	return 0;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	free(r->jobs);
	free(r->nodes);
	free(r->series);
	free(r);
}
