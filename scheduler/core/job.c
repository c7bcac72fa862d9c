/*
 * A job's life: waiting, owned by one node, over.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define RESTART_DELAY_MS 500

void job_attach(struct cluster *c, struct job *j, struct node *n)
{
	j->node = n;
	node_claim(c, n, j);
	c->running_cpus += j->spec.cpus;
	list_push(&n->jobs, &j->at);
	j->last_isa = n->isa;
	j->last_emulated = n->emulated;
	memcpy(j->last_node, n->name, sizeof(j->last_node));
}

void job_detach(struct cluster *c, struct job *j)
{
	struct node *n = j->node;

	if (!n)
		return;
	list_remove(&j->at);
	j->node = NULL;
	c->running_cpus -= j->spec.cpus;
	node_unclaim(c, n, j);
}

static void fx_attempt(struct effects *fx, const struct job *j, uint64_t ended_ms,
		       const char *outcome)
{
	struct effect *f = fx_add(fx, FX_ATTEMPT);

	f->job = (struct job *)(uintptr_t)j;
	f->attempt = j->attempt;
	f->started_ms = j->started_ms;
	f->ended_ms = ended_ms;
	memcpy(f->node_name, j->last_node, sizeof(f->node_name));
	(void)snprintf(f->outcome, sizeof(f->outcome), "%s", outcome);
}

static void set_reason(struct job *j, const char *reason)
{
	(void)snprintf(j->reason, sizeof(j->reason), "%s", reason);
}

int core_submit(struct cluster *c, uint64_t now_ms, struct job_spec *spec, struct job **out,
		struct effects *fx)
{
	struct job *j = calloc(1, sizeof(*j));
	int r;

	*out = NULL;
	if (!j)
		return -ENOMEM;
	j->id = c->next_job;
	j->spec = *spec;
	j->state = JOB_PENDING;
	j->ending = JOB_PENDING;
	j->submitted_ms = now_ms;
	now_ms = core_time(c, now_ms);
	r = cluster_adopt_job(c, j, NULL);
	if (r) {
		free(j); /* what the specification owns stays the caller's */
		return r;
	}
	spec->launch = NULL;
	spec->dependencies = NULL;
	spec->ndependencies = 0;
	c->schedule = true;
	fx_job(fx, j);
	*out = j;
	return 0;
}

void job_place(struct cluster *c, uint64_t now_ms, struct job *j, struct node *n,
	       const char *reason, struct effects *fx)
{
	struct estimate e = core_estimate(j, n->machine);

	queue_remove(c, j, false);
	c->npending--;
	n->woken_to_move = false;
	job_attach(c, j, n);
	j->state = JOB_RUNNING;
	j->why = WHY_NONE;
	j->attempt++;
	j->epoch = 1;
	j->confirmed = false;
	j->aborting = 0;
	j->exited_ms = j->exit_held = j->hole_ms = 0;
	j->started_ms = j->settled_ms = j->present_ms = now_ms;
	j->done = 0;
	memset(j->isa_s, 0, sizeof(j->isa_s));
	j->predicted_j = e.seconds > 0 ? e.joules : 0;
	set_reason(j, reason);
	fx_desired(c, fx, n);
	j->placed_revision = n->revision;
	if (queue_limit(c, j))
		fx->failed = true;
	fx_attempt(fx, j, 0, "running");
	segment_begin(c, now_ms, j, e.joules, fx);
	fx_decision(fx, now_ms, j, "place", n, reason, e.seconds > 0 ? e.joules : (double)NAN);
	fx_job(fx, j);
}

void job_end(struct cluster *c, uint64_t now_ms, struct job *j, enum job_state state,
	     const char *reason, struct effects *fx)
{
	struct node *n = j->node;

	now_ms = core_time(c, now_ms);
	if (n)
		segment_end(c, now_ms, j, reason, fx);
	if (j->attempt && n)
		fx_attempt(fx, j, now_ms, reason);
	if (j->migration)
		migration_job_gone(c, now_ms, j->migration, reason, fx);
	if (n) {
		timer_clear(&c->timers, &j->key->timer);
		job_detach(c, j);
		queue_array_left(c, j);
		fx_desired(c, fx, n);
	} else {
		queue_remove(c, j, true);
		c->npending--;
	}
	j->why = WHY_NONE;
	j->state = state;
	j->ended_ms = now_ms;
	j->cpu_us_before += j->cpu_us_here;
	j->cpu_us_here = 0;
	j->aborting = 0;
	set_reason(j, reason);
	if (state == JOB_COMPLETED)
		program_learn(c, j, fx);
	list_push(&c->over, &j->at);
	c->jobs_ended[state]++;
	c->schedule = true;
	fx_job(fx, j);
	links_drop(j);
	links_decide(c, now_ms, j, fx);
}

/* Back among those that wait, to start again from the beginning. */
static void back_to_queue(struct cluster *c, uint64_t now_ms, struct job *j, const char *why,
			  struct effects *fx)
{
	struct node *n = j->node;

	segment_end(c, now_ms, j, why, fx);
	fx_attempt(fx, j, now_ms, why);
	if (j->migration)
		migration_job_gone(c, now_ms, j->migration, why, fx);
	timer_clear(&c->timers, &j->key->timer);
	job_detach(c, j);
	queue_array_left(c, j);
	fx_desired(c, fx, n);
	j->state = JOB_PENDING;
	j->confirmed = false;
	j->aborting = 0;
	j->exited_ms = 0;
	j->expected_end_ms = 0;
	j->cpu_us_before += j->cpu_us_here;
	j->cpu_us_here = 0;
	/* Its id puts it ahead of those that came later. */
	c->npending++;
	c->schedule = true;
	if (queue_add(c, now_ms, j))
		fx->failed = true;
}

void job_attempt_lost(struct cluster *c, uint64_t now_ms, struct job *j, const char *why,
		      struct effects *fx)
{
	char reason[CORE_REASON_MAX];

	now_ms = core_time(c, now_ms);
	if (j->ending != JOB_PENDING) {
		job_end(c, now_ms, j, j->ending,
			j->ending == JOB_TIMEOUT ? "time limit reached" : "cancelled", fx);
		return;
	}
	if (j->spec.no_requeue || j->restarts >= j->spec.max_restarts) {
		if (!j->spec.no_requeue)
			(void)snprintf(reason, sizeof(reason),
				       "%.100s; no restart left of %" PRIu32, why,
				       j->spec.max_restarts);
		else
			(void)snprintf(reason, sizeof(reason), "%.100s; not to be requeued", why);
		job_end(c, now_ms, j, JOB_NODE_FAIL, reason, fx);
		return;
	}
	j->restarts++;
	j->not_before_ms = now_ms + (j->restarts < 60 ? j->restarts : 60) * RESTART_DELAY_MS;
	back_to_queue(c, now_ms, j, why, fx);
	(void)snprintf(j->reason, sizeof(j->reason), "restarts: %.140s", why);
	fx_decision(fx, now_ms, j, "requeue", NULL, j->reason, (double)NAN);
	fx_job(fx, j);
}

int core_requeue(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx,
		 struct err *e)
{
	now_ms = core_time(c, now_ms);
	if (job_is_over(j))
		return err_set(e, -EBUSY, "job %" PRIu64 " is over; submit it again", j->id);
	if (j->state == JOB_PENDING)
		return err_set(e, -EBUSY, "job %" PRIu64 " waits already", j->id);
	if (j->ending != JOB_PENDING)
		return err_set(e, -EBUSY, "job %" PRIu64 " is being ended", j->id);
	j->not_before_ms = 0;
	back_to_queue(c, now_ms, j, "requeued by a person", fx);
	fx_decision(fx, now_ms, j, "requeue", NULL, "requeued by a person", (double)NAN);
	fx_job(fx, j);
	return 0;
}

int core_hold(struct cluster *c, uint64_t now_ms, struct job *j, bool hold, struct effects *fx)
{
	now_ms = core_time(c, now_ms);
	if (j->state != JOB_PENDING)
		return -EBUSY;
	if (j->spec.held == hold)
		return 0;
	queue_remove(c, j, true);
	j->spec.held = hold;
	if (queue_add(c, now_ms, j))
		fx->failed = true;
	fx_decision(fx, now_ms, j, hold ? "hold" : "release", NULL,
		    hold ? "held by a person" : "released by a person", (double)NAN);
	fx_job(fx, j);
	return 0;
}

int core_set_priority(struct cluster *c, uint64_t now_ms, struct job *j, int32_t priority,
		      struct effects *fx)
{
	now_ms = core_time(c, now_ms);
	if (job_is_over(j))
		return -EALREADY;
	if (j->state == JOB_PENDING)
		queue_remove(c, j, true);
	j->spec.priority = priority;
	if (j->state == JOB_PENDING && queue_add(c, now_ms, j))
		fx->failed = true;
	fx_job(fx, j);
	return 0;
}

uint64_t core_next_job(const struct cluster *c)
{
	return c->next_job;
}

int core_cancel(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx)
{
	now_ms = core_time(c, now_ms);
	if (job_is_over(j) || j->ending != JOB_PENDING)
		return -EALREADY;
	if (j->state == JOB_PENDING) {
		job_end(c, now_ms, j, JOB_CANCELLED, "cancelled before it started", fx);
		return 0;
	}
	j->ending = JOB_CANCELLED;
	set_reason(j, "being cancelled");
	if (j->migration && j->migration->state < MIG_COMMITTED)
		migration_abort(c, now_ms, j->migration, fx, "the job was cancelled");
	fx_desired(c, fx, j->node);
	fx_job(fx, j);
	return 0;
}

static void job_exited(struct cluster *c, uint64_t now_ms, struct job *j,
		       const struct job_report *r, struct effects *fx)
{
	char reason[CORE_REASON_MAX];

	/* Whoever sees the job over must find its whole output. */
	if (r->log_held < r->log_bytes) {
		if (!j->exited_ms || r->log_held > j->exit_held)
			j->exited_ms = now_ms;
		j->exit_held = r->log_held;
		if (now_ms < j->exited_ms + c->opt.log_ms)
			return;
	}
	j->exit_code = r->exit_code;
	j->signal = r->signal;
	if (j->ending != JOB_PENDING)
		job_end(c, now_ms, j, j->ending,
			j->ending == JOB_TIMEOUT ? "time limit reached" : "cancelled", fx);
	else if (!r->exit_code && !r->signal)
		job_end(c, now_ms, j, JOB_COMPLETED, "completed", fx);
	else {
		if (r->signal)
			(void)snprintf(reason, sizeof(reason), "ended by signal %" PRId32,
				       r->signal);
		else
			(void)snprintf(reason, sizeof(reason), "exit code %" PRId32, r->exit_code);
		job_end(c, now_ms, j, JOB_FAILED, reason, fx);
	}
}

/* The owner runs it: the end of an abort, of a start, of a hand-over. */
static void job_runs(struct cluster *c, struct job *j, const struct job_report *r,
		     uint64_t revision, struct effects *fx)
{
	if (r->state == SEEN_RUNNING && !j->confirmed)
		c->schedule = true; /* it may be moved from now on */
	j->confirmed = r->state == SEEN_RUNNING;
	if (j->aborting && j->confirmed && revision >= j->node->revision &&
	    r->migration_state != SEEN_MIG_SENDING && r->migration_state != SEEN_MIG_SENT) {
		j->aborting = 0;
		c->schedule = true;
		fx_desired(c, fx, j->node);
		fx_job(fx, j);
	}
}

void job_report(struct cluster *c, uint64_t now_ms, struct node *n, struct job *j,
		const struct job_report *r, uint64_t revision, struct effects *fx)
{
	const struct migration *m = j->migration;
	char why[CORE_REASON_MAX];

	if (n != j->node || r->attempt != j->attempt)
		return;
	/* A destination that hasn't heard of its commit still counts by the old epoch. */
	if (r->epoch != j->epoch && !(m && m->state == MIG_COMMITTED && r->epoch + 1 == j->epoch))
		return;
	j->present_ms = now_ms;
	if (r->cpu_us > j->cpu_us_here)
		j->cpu_us_here = r->cpu_us;
	switch (r->state) {
	case SEEN_STARTING:
	case SEEN_RUNNING:
		job_runs(c, j, r, revision, fx);
		break;
	case SEEN_FROZEN:
		/* Nobody will commit it: let it run on. */
		if (!m && !j->aborting && j->ending == JOB_PENDING) {
			j->aborting = r->migration;
			fx_desired(c, fx, n);
			fx_job(fx, j);
		}
		break;
	case SEEN_WAITING:
		break;
	case SEEN_EXITED:
		job_exited(c, now_ms, j, r, fx);
		break;
	case SEEN_LOST:
	case SEEN_FAILED:
		(void)snprintf(why, sizeof(why), "%s on %.50s: %.80s",
			       r->state == SEEN_LOST ? "lost" : "not started", n->name,
			       r->reason[0] ? r->reason : "no reason given");
		job_attempt_lost(c, now_ms, j, why, fx);
		break;
	case SEEN_STATE_COUNT:
		break;
	}
}

void job_due(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx)
{
	if (j->state == JOB_PENDING) {
		if (queue_add(c, now_ms, j))
			fx->failed = true;
		fx_reason(fx, j);
		return;
	}
	if (j->ending != JOB_PENDING || job_is_over(j))
		return;
	j->ending = JOB_TIMEOUT;
	set_reason(j, "time limit reached");
	if (j->migration && j->migration->state < MIG_COMMITTED)
		migration_abort(c, now_ms, j->migration, fx, "the job's time limit was reached");
	fx_desired(c, fx, j->node);
	fx_job(fx, j);
}
