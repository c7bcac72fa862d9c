/*
 * A job's life: waiting, owned by one node, over.
 */
#include "scheduler/core/core.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define RESTART_DELAY_MS 500

void job_attach(struct job *j, struct node *n)
{
	j->node = n;
	n->used_cpus += j->spec.cpus;
	list_push(&n->jobs, &j->queue);
	j->last_isa = n->isa;
	j->last_emulated = n->emulated;
	memcpy(j->last_node, n->name, sizeof(j->last_node));
}

void job_detach(struct job *j)
{
	if (!j->node)
		return;
	j->node->used_cpus -= j->spec.cpus;
	list_remove(&j->queue);
	j->node = NULL;
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
	set_reason(j, "waits for placement");
	j->why = WHY_PRIORITY;
	r = cluster_adopt_job(c, j, NULL);
	if (r) {
		free(j);
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
	list_remove(&j->queue);
	c->npending--;
	job_attach(j, n);
	j->state = JOB_RUNNING;
	j->attempt++;
	j->epoch = 1;
	j->confirmed = false;
	j->aborting = 0;
	j->exited_ms = 0;
	j->started_ms = j->settled_ms = j->present_ms = now_ms;
	set_reason(j, reason);
	fx_desired(c, fx, n);
	j->placed_revision = n->revision;
	fx_attempt(fx, j, 0, "running");
	fx_job(fx, j);
}

void job_end(struct cluster *c, uint64_t now_ms, struct job *j, enum job_state state,
	     const char *reason, struct effects *fx)
{
	struct node *n = j->node;

	if (j->attempt && n)
		fx_attempt(fx, j, now_ms, reason);
	if (j->migration)
		migration_job_gone(c, now_ms, j->migration, reason, fx);
	if (n) {
		job_detach(j);
		fx_desired(c, fx, n);
	} else {
		list_remove(&j->queue);
		c->npending--;
	}
	j->state = state;
	j->ended_ms = now_ms;
	j->cpu_us_before += j->cpu_us_here;
	j->cpu_us_here = 0;
	j->aborting = 0;
	set_reason(j, reason);
	list_remove(&j->all);
	list_push(&c->over, &j->all);
	c->jobs_ended[state]++;
	c->schedule = true;
	fx_job(fx, j);
}

void job_attempt_lost(struct cluster *c, uint64_t now_ms, struct job *j, const char *why,
		      struct effects *fx)
{
	struct node *n = j->node;
	char reason[CORE_REASON_MAX];

	if (j->ending != JOB_PENDING) {
		job_end(c, now_ms, j, j->ending,
			j->ending == JOB_TIMEOUT ? "time limit reached" : "cancelled", fx);
		return;
	}
	if (j->restarts >= j->spec.max_restarts) {
		(void)snprintf(reason, sizeof(reason), "%.100s; no restart left of %" PRIu32, why,
			       j->spec.max_restarts);
		job_end(c, now_ms, j, JOB_NODE_FAIL, reason, fx);
		return;
	}
	fx_attempt(fx, j, now_ms, why);
	if (j->migration)
		migration_job_gone(c, now_ms, j->migration, why, fx);
	job_detach(j);
	fx_desired(c, fx, n);
	j->restarts++;
	j->not_before_ms = now_ms + (j->restarts < 60 ? j->restarts : 60) * RESTART_DELAY_MS;
	j->state = JOB_PENDING;
	j->confirmed = false;
	j->aborting = 0;
	j->exited_ms = 0;
	j->cpu_us_before += j->cpu_us_here;
	j->cpu_us_here = 0;
	(void)snprintf(j->reason, sizeof(j->reason), "restarts: %.140s", why);
	/* Ahead of the queue: it has waited its turn before. */
	list_push(c->pending.next, &j->queue);
	c->npending++;
	c->schedule = true;
	fx_job(fx, j);
}

int core_cancel(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx)
{
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
		if (!j->exited_ms)
			j->exited_ms = now_ms;
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
	j->confirmed = r->state == SEEN_RUNNING;
	if (j->aborting && j->confirmed && revision >= j->node->revision &&
	    r->migration_state != SEEN_MIG_SENDING && r->migration_state != SEEN_MIG_SENT) {
		j->aborting = 0;
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

void job_tick(struct cluster *c, uint64_t now_ms, struct job *j, struct effects *fx)
{
	if (!j->spec.time_limit_s || j->ending != JOB_PENDING ||
	    now_ms < j->started_ms + j->spec.time_limit_s * 1000)
		return;
	j->ending = JOB_TIMEOUT;
	set_reason(j, "time limit reached");
	if (j->migration && j->migration->state < MIG_COMMITTED)
		migration_abort(c, now_ms, j->migration, fx, "the job's time limit was reached");
	fx_desired(c, fx, j->node);
	fx_job(fx, j);
}
