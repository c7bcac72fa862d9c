/*
 * The virtual agent: what a node's agent, its ferries and its hooks would do and
 * report, at the virtual time at which they would.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "scheduler/replay/sim.h"

static void later(struct sim *s, uint64_t after_ms, enum sim_event what, uint32_t job)
{
	if (!heap_put(&s->heap, s->now_ms + after_ms, what, job, s->jobs[job].version))
		s->failed = true;
}

/* ---- reports ------------------------------------------------------------ */

static struct job_report about(const struct sim *s, uint32_t job, enum seen_state state)
{
	const struct sim_job *j = &s->jobs[job];
	struct job_report r = {.id = j->id, .attempt = j->attempt, .epoch = j->epoch};

	r.state = state;
	r.started_ms = j->since_ms;
	return r;
}

static void send(struct sim *s, uint32_t node, const struct job_report *r)
{
	const struct sim_node *n = &s->nodes[node];
	struct node_report report = {.revision = n->node->revision, .jobs = r, .njobs = r != NULL};

	report.cpu_percent = n->node->cpus ? 100.0 * n->node->used_cpus / n->node->cpus : 0;
	core_report(s->core, s->now_ms, n->node, &report, &s->fx);
	sim_take_effects(s);
}

static uint64_t cpu_us(const struct sim *s, uint32_t job, uint64_t since_ms)
{
	struct trace_job spec = sim_job_spec(s, job);

	return (uint64_t)((double)((s->now_ms - since_ms) * 1000) * spec.cpus * (double)spec.busy);
}

/* ---- a job on its node -------------------------------------------------- */

static void run(struct sim *s, uint32_t job)
{
	struct sim_job *j = &s->jobs[job];
	struct trace_job spec = sim_job_spec(s, job);
	double ms = ceil(machines_seconds(s->nodes[j->node].group, &spec) * j->left * 1000);

	account_run(s, job);
	j->where = SIM_RUNS;
	j->version++;
	/* How long a job that was withdrawn before it ran would have run nobody knows. */
	if (spec.end != TRACE_WITHDRAWN)
		later(s, ms >= 1 ? (uint64_t)ms : 1, EV_EXIT, job);
}

static void start(struct sim *s, uint32_t job, uint32_t node, const struct job *core)
{
	struct sim_job *j = &s->jobs[job];
	struct replay_job *out = &s->out->jobs[job];
	struct job_report r;

	j->node = node;
	j->attempt = core->attempt;
	j->epoch = core->epoch;
	j->migration = 0;
	j->left = 1;
	out->node = node;
	if (out->start_ms == UINT64_MAX)
		out->start_ms = s->now_ms - SIM_EPOCH_MS;
	s->out->nodes[node].jobs++;
	run(s, job);
	r = about(s, job, SEEN_RUNNING);
	send(s, node, &r);
}

static void exited(struct sim *s, uint32_t job, int code, int signal)
{
	struct sim_job *j = &s->jobs[job];
	struct job_report r = about(s, job, SEEN_EXITED);

	r.exit_code = code;
	r.signal = signal;
	r.ended_ms = s->now_ms;
	if (j->where == SIM_RUNS) {
		r.cpu_us = cpu_us(s, job, j->since_ms);
		account_stop(s, job);
	}
	j->where = SIM_NOWHERE;
	j->version++;
	send(s, j->node, &r);
}

void vagent_exit(struct sim *s, uint32_t job)
{
	s->jobs[job].left = 0;
	exited(s, job, s->trace->jobs[job].end == TRACE_FAILS, 0);
}

/* ---- moves -------------------------------------------------------------- */

static void receive(struct sim *s, uint32_t job, uint32_t node, uint64_t migration)
{
	struct sim_job *j = &s->jobs[job];

	if (j->migration == migration)
		return;
	j->migration = migration;
	j->to = node;
	later(s, REPLAY_PREPARE_MS, EV_PREPARED, job);
}

void vagent_prepared(struct sim *s, uint32_t job)
{
	struct job_report r = about(s, job, SEEN_WAITING);

	r.epoch++;
	r.migration = s->jobs[job].migration;
	r.migration_state = SEEN_MIG_PREPARED;
	(void)snprintf(r.endpoint, sizeof(r.endpoint), "virtual");
	(void)snprintf(r.secret, sizeof(r.secret), "virtual");
	send(s, s->jobs[job].to, &r);
}

static void freeze(struct sim *s, uint32_t job)
{
	struct sim_job *j = &s->jobs[job];
	struct trace_job spec = sim_job_spec(s, job);
	const struct machine_group *from = s->nodes[j->node].group, *to = s->nodes[j->to].group;
	uint64_t bytes = machines_image(from, &spec);
	struct job_report r = about(s, job, SEEN_FROZEN);

	if (j->where != SIM_RUNS)
		return;
	r.cpu_us = cpu_us(s, job, j->since_ms);
	r.migration = j->migration;
	r.migration_state = SEEN_MIG_SENDING;
	r.frozen_ms = s->now_ms;
	r.image_bytes = bytes;
	account_stop(s, job);
	account_move(s, j->node, j->to, 1);
	j->where = SIM_FROZEN;
	j->since_ms = s->now_ms;
	j->version++;
	later(s, REPLAY_FIXED_MS + machines_transfer_ms(from, to, bytes), EV_LOADED, job);
	send(s, j->node, &r);
}

/* The transfer is over, one way or the other. */
static void end_transfer(struct sim *s, uint32_t job)
{
	struct sim_job *j = &s->jobs[job];

	account_move(s, j->node, j->to, -1);
	account_move_of(s, job, s->now_ms - j->since_ms);
}

void vagent_loaded(struct sim *s, uint32_t job)
{
	struct job_report r = about(s, job, SEEN_WAITING);

	r.epoch++;
	r.migration = s->jobs[job].migration;
	r.migration_state = SEEN_MIG_LOADED;
	(void)snprintf(r.endpoint, sizeof(r.endpoint), "virtual");
	(void)snprintf(r.secret, sizeof(r.secret), "virtual");
	send(s, s->jobs[job].to, &r);
}

/* Committed: it runs on at the destination. */
static void resume_there(struct sim *s, uint32_t job, uint32_t node, const struct desired *d)
{
	struct sim_job *j = &s->jobs[job];
	struct replay_job *out = &s->out->jobs[job];
	struct job_report r;

	if (j->where != SIM_FROZEN || j->migration != d->migration)
		return;
	end_transfer(s, job);
	s->out->nodes[j->node].moves_out++;
	s->out->nodes[node].moves_in++;
	j->node = node;
	j->epoch = d->job->epoch;
	j->migration = 0;
	out->node = node;
	out->migrations++;
	run(s, job);
	r = about(s, job, SEEN_RUNNING);
	r.migration = d->migration;
	r.migration_state = SEEN_MIG_RUNNING;
	r.resumed_ms = s->now_ms;
	send(s, node, &r);
}

/* Aborted: it runs on where it was. */
static void resume_here(struct sim *s, uint32_t job)
{
	struct job_report r;

	if (s->jobs[job].where == SIM_FROZEN) {
		end_transfer(s, job);
		run(s, job);
	}
	s->jobs[job].migration = 0;
	r = about(s, job, SEEN_RUNNING);
	send(s, s->jobs[job].node, &r);
}

/* ---- the node itself ---------------------------------------------------- */

/* Seconds of every kernel and class, as agents send them from their profile. */
static char *known_runs(const struct machine_group *g)
{
	_cleanup_buf_ struct buf b = {0};

	buf_init(&b, 8192);
	for (int k = 0; k < PROFILE_KERNELS; k++)
		for (int c = 0; c < PROFILE_CLASSES; c++) {
			double t = g->profile.time_s.kind ? g->profile.time_s.value[k][c] : 0;

			if (t > 0 &&
			    buf_printf(&b, "%s.%s:%g ", profile_kernels[k], profile_classes[c], t))
				return NULL;
		}
	return strdup(buf_cstr(&b));
}

int vagent_introduce(struct sim *s, const struct machine_group *g, uint32_t number,
		     struct node **out)
{
	struct node intro = {.isa = g->profile.isa,
			     .cpus = g->cores,
			     .memory_bytes = g->memory_bytes,
			     .idle_w = g->idle_w,
			     .core_w = g->core_w,
			     .sleep_capable = g->sleep,
			     .sleep_w = g->sleep_w,
			     .sleep_s = g->sleep_s,
			     .wake_s = g->wake_s,
			     .wake_j = g->wake_j,
			     .speed = g->slowdown > 0 ? 1 / g->slowdown : 0,
			     .runs = known_runs(g)};
	int rc;

	if (!intro.runs)
		return -ENOMEM;
	(void)snprintf(intro.name, sizeof(intro.name), "%s-%" PRIu32, g->prefix, number);
	(void)snprintf(intro.instance, sizeof(intro.instance), "virtual");
	(void)snprintf(intro.profile, sizeof(intro.profile), "%s", g->profile.name);
	rc = core_introduce(s->core, s->now_ms, &intro, out, &s->fx);
	free(intro.runs);
	return rc;
}

static void node_later(struct sim *s, double after_s, enum sim_event what, uint32_t node)
{
	if (!heap_put(&s->heap, s->now_ms + (uint64_t)ceil(after_s * 1000), what, node, 0))
		s->failed = true;
}

void vagent_sleep(struct sim *s, uint32_t node)
{
	account_power(s, node, SIM_FALLING_ASLEEP);
	node_later(s, s->nodes[node].group->sleep_s, EV_SLEPT, node);
}

void vagent_slept(struct sim *s, uint32_t node)
{
	account_power(s, node, SIM_ASLEEP);
	s->out->nodes[node].sleeps++;
	core_power_done(s->core, s->now_ms, s->nodes[node].node, false, true, NULL, &s->fx);
	sim_take_effects(s);
}

void vagent_wake(struct sim *s, uint32_t node)
{
	account_power(s, node, SIM_WAKING);
	s->out->nodes[node].wakes++;
	node_later(s, s->nodes[node].group->wake_s, EV_WOKEN, node);
}

void vagent_woken(struct sim *s, uint32_t node)
{
	account_power(s, node, SIM_ON);
	core_power_done(s->core, s->now_ms, s->nodes[node].node, true, true, NULL, &s->fx);
	send(s, node, NULL);
}

/* ---- the desired state -------------------------------------------------- */

static void stop(struct sim *s, uint32_t job)
{
	if (s->jobs[job].where == SIM_FROZEN)
		end_transfer(s, job);
	exited(s, job, 0, 15);
}

static void follow(struct sim *s, uint32_t node, const struct desired *d)
{
	uint32_t job = s->by_id[d->job->id - 1];
	struct sim_job *j = &s->jobs[job];
	bool known = j->where != SIM_NOWHERE && j->attempt == d->job->attempt;

	switch (d->role) {
	case ROLE_CANCEL:
		if (known)
			stop(s, job);
		break;
	case ROLE_SOURCE:
		if (d->phase == PHASE_SEND && known)
			freeze(s, job);
		break;
	case ROLE_DESTINATION:
		receive(s, job, node, d->migration);
		break;
	case ROLE_RUN:
		if (!known)
			start(s, job, node, d->job);
		else if (d->phase == PHASE_COMMIT)
			resume_there(s, job, node, d);
		else if (d->phase == PHASE_ABORT)
			resume_here(s, job);
		break;
	}
}

struct wish {
	uint64_t job;
	struct desired d;
};

struct wishes {
	struct wish *v;
	size_t n, cap;
	bool failed;
};

static void note(const struct desired *d, void *arg)
{
	struct wishes *w = arg;

	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct wish *v = realloc(w->v, cap * sizeof(*v));

		if (!v) {
			w->failed = true;
			return;
		}
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] = (struct wish){d->job->id, *d};
}

void vagent_poll(struct sim *s, uint32_t node)
{
	struct node *n = s->nodes[node].node;
	struct wishes w = {0};

	core_desired(n, note, &w);
	s->failed |= w.failed;
	for (size_t i = 0; i < w.n; i++)
		/* What was done for one may have ended or moved the next. */
		if (cluster_job(s->core, w.v[i].job))
			follow(s, node, &w.v[i].d);
	free(w.v);
	/* What it let go of: it no longer names it. */
	if (n->outgoing.next != &n->outgoing)
		send(s, node, NULL);
}
