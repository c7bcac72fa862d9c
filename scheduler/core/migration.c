/*
 * A migration: a hand-over of one job between two nodes in two phases.
 *
 * Up to LOADED the source owns the job and any failure ends in ABORTED: the
 * source runs on. Commit is one step: owner and epoch change together. After it
 * there is no way back; what remains is to see the job run at the destination
 * and the source let go.
 */
#include "scheduler/core/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

static void close_migration(struct cluster *c, uint64_t now_ms, struct migration *m,
			    enum migration_state state)
{
	m->state = state;
	m->ended_ms = now_ms;
	if (m->live && m->live->migration == m)
		m->live->migration = NULL;
	list_remove(&m->at);
	node_refresh(c, m->from); /* it may be empty now */
	list_remove(&m->active);
	list_push(&c->closed, &m->active);
	c->nactive--;
	c->migrations_ended[state]++;
	c->schedule = true;
}

struct migration *migration_start(struct cluster *c, uint64_t now_ms, struct job *j,
				  struct node *to, const char *reason, const struct saving *saving,
				  bool manual, struct effects *fx)
{
	struct migration *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->id = c->next_migration++;
	m->job = j->id;
	m->live = j;
	m->attempt = j->attempt;
	m->next_epoch = j->epoch + 1;
	m->from = j->node;
	m->to = to;
	m->manual = manual;
	m->predicted_j = saving->net_j;
	m->stay_j = saving->stay_j;
	m->go_j = saving->go_j;
	m->go_s = saving->go_s;
	m->idle_j = saving->idle_j;
	m->move_w = saving->move_w;
	m->requested_ms = m->phase_ms = now_ms;
	m->state = MIG_PREPARING;
	(void)snprintf(m->reason, sizeof(m->reason), "%s", reason);
	list_push(&c->active, &m->active);
	list_init(&m->at);
	list_push(&to->incoming, &m->at);
	c->nactive++;
	node_claim(c, to, j);
	m->from->leaving_cpus += j->spec.cpus;
	j->migration = m;
	j->state = JOB_MIGRATING;
	(void)snprintf(j->reason, sizeof(j->reason), "%s", reason);
	fx_migration(fx, m, "prepare");
	fx_job(fx, j);
	fx_desired(c, fx, m->from);
	fx_desired(c, fx, to);
	return m;
}

void migration_abort(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx,
		     const char *fmt, ...)
{
	struct job *j = m->live;
	bool asked = m->state >= MIG_SENDING;
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(m->error, sizeof(m->error), fmt, ap) < 0)
		m->error[0] = '\0';
	va_end(ap);
	node_unclaim(c, m->to, j);
	m->from->leaving_cpus -= j->spec.cpus;
	close_migration(c, now_ms, m, MIG_ABORTED);
	j->state = JOB_RUNNING;
	j->settled_ms = now_ms;
	/* The source may be frozen: it is told until it says that it runs. */
	if (asked)
		j->aborting = m->id;
	fx_migration(fx, m, "abort");
	fx_job(fx, j);
	fx_desired(c, fx, m->from);
	fx_desired(c, fx, m->to);
}

void migration_job_gone(struct cluster *c, uint64_t now_ms, struct migration *m, const char *why,
			struct effects *fx)
{
	bool committed = m->state >= MIG_COMMITTED;

	/* A job that ends at its new place is no error of the migration that brought it. */
	if (!committed || !m->resumed)
		(void)snprintf(m->error, sizeof(m->error), "the job's attempt ended: %s", why);
	if (!committed) {
		node_unclaim(c, m->to, m->live);
		m->from->leaving_cpus -= m->live->spec.cpus;
		fx_desired(c, fx, m->to);
	}
	close_migration(c, now_ms, m, committed ? MIG_DONE : MIG_ABORTED);
	fx_migration(fx, m, committed ? "release" : "abort");
}

/* Monotonic clocks compare only on one machine: nodes that share an address. */
static void set_downtime(struct migration *m)
{
	uint64_t before = m->downtime_us;

	m->downtime_monotonic = m->frozen_mono_ns && m->resumed_mono_ns &&
				!strcmp(m->from->address, m->to->address);
	m->downtime_us = 0;
	if (m->downtime_monotonic) {
		if (m->resumed_mono_ns > m->frozen_mono_ns)
			m->downtime_us = (m->resumed_mono_ns - m->frozen_mono_ns) / 1000;
	} else if (m->frozen_ms && m->resumed_ms > m->frozen_ms) {
		m->downtime_us = (m->resumed_ms - m->frozen_ms) * 1000;
	}
	if (m->live)
		m->live->downtime_us += m->downtime_us - before;
}

static void finish(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx)
{
	if (!m->resumed || !m->released)
		return;
	set_downtime(m); /* the source's half may have come last */
	close_migration(c, now_ms, m, MIG_DONE);
	fx_migration(fx, m, "release");
	fx_desired(c, fx, m->to);
}

void migration_released(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx)
{
	m->released = true;
	finish(c, now_ms, m, fx);
}

static void decide_move(struct migration *m, uint64_t now_ms, struct effects *fx)
{
	struct effect *f;

	fx_decision(fx, now_ms, m->live, "migrate", m->to, m->reason, m->predicted_j);
	f = fx->failed ? NULL : &fx->v[fx->n - 1];
	if (f) {
		f->stay_j = m->stay_j + m->idle_j;
		f->go_s = m->go_s;
	}
}

static void commit(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx)
{
	struct job *j = m->live;
	char reason[64];

	(void)snprintf(reason, sizeof(reason), "moved by m%" PRIu64, m->id);
	segment_end(c, now_ms, j, reason, fx);
	m->state = MIG_COMMITTED;
	m->committed_ms = m->phase_ms = now_ms;
	list_remove(&m->at);
	list_push(&m->from->outgoing, &m->at);
	node_unclaim(c, m->to, j); /* its claim becomes the job's own */
	m->from->leaving_cpus -= j->spec.cpus;
	job_detach(c, j);
	job_attach(c, j, m->to);
	j->epoch = m->next_epoch;
	j->confirmed = false;
	j->present_ms = j->settled_ms = now_ms;
	j->migrations++;
	j->hole_ms = 0;
	j->cpu_us_before += j->cpu_us_here;
	j->cpu_us_here = 0;
	segment_begin(c, now_ms, j, m->go_j, fx);
	decide_move(m, now_ms, fx);
	fx_migration(fx, m, "commit");
	fx_job(fx, j);
	fx_desired(c, fx, m->from);
	m->release_revision = m->from->revision;
	fx_desired(c, fx, m->to);
	j->placed_revision = m->to->revision;
}

static bool take(uint64_t *to, uint64_t from)
{
	if (!from || *to == from)
		return false;
	*to = from;
	return true;
}

/* Each side measures its half; what it doesn't know it leaves out. True if anything is new. */
static bool take_figures(struct migration *m, const struct job_report *r)
{
	bool is_new = take(&m->image_bytes, r->image_bytes);

	is_new |= take(&m->frames, r->frames);
	is_new |= take(&m->save_us, r->save_us);
	is_new |= take(&m->transfer_us, r->transfer_us);
	is_new |= take(&m->load_us, r->load_us);
	is_new |= take(&m->rebuild_us, r->rebuild_us);
	is_new |= take(&m->frozen_ms, r->frozen_ms);
	is_new |= take(&m->resumed_ms, r->resumed_ms);
	is_new |= take(&m->frozen_mono_ns, r->frozen_mono_ns);
	is_new |= take(&m->resumed_mono_ns, r->resumed_mono_ns);
	return is_new;
}

static void destination_reports(struct cluster *c, uint64_t now_ms, struct migration *m,
				const struct job_report *r, struct effects *fx)
{
	if (r->migration_state == SEEN_MIG_FAILED || r->migration_state == SEEN_MIG_ABORTED ||
	    r->state == SEEN_FAILED || r->state == SEEN_LOST) {
		migration_abort(c, now_ms, m, fx, "%.60s could not take the job: %.180s",
				m->to->name,
				r->migration_reason[0] ? r->migration_reason : r->reason);
		return;
	}
	if (!r->endpoint[0])
		return;
	if (m->state == MIG_PREPARING && r->migration_state == SEEN_MIG_PREPARED) {
		memcpy(m->endpoint, r->endpoint, sizeof(m->endpoint));
		memcpy(m->secret, r->secret, sizeof(m->secret));
		m->state = MIG_SENDING;
		m->phase_ms = now_ms;
		fx_migration(fx, m, "send");
		fx_desired(c, fx, m->from);
		return;
	}
	if (m->state == MIG_SENDING &&
	    (strcmp(m->endpoint, r->endpoint) || strcmp(m->secret, r->secret)))
		migration_abort(c, now_ms, m, fx, "the receiver on %.60s was replaced",
				m->to->name);
}

static void source_reports(struct cluster *c, uint64_t now_ms, struct migration *m,
			   const struct job_report *r, struct effects *fx)
{
	switch (r->migration_state) {
	case SEEN_MIG_DEFERRED:
		memcpy(m->note, r->migration_reason, sizeof(m->note));
		break;
	case SEEN_MIG_FAILED:
	case SEEN_MIG_ABORTED:
		migration_abort(c, now_ms, m, fx, "%.60s could not send the job: %.180s",
				m->from->name,
				r->migration_reason[0] ? r->migration_reason : "no reason given");
		break;
	default:
		break;
	}
}

static void arrived(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx)
{
	struct job *j = m->live;

	if (m->resumed)
		return;
	m->resumed = true;
	set_downtime(m);
	/* What moves take is learned for the next ones: exponentially, over about eight. */
	if (m->downtime_us)
		c->move_s += ((double)m->downtime_us / 1e6 - c->move_s) / 8;
	j->state = JOB_RUNNING;
	j->settled_ms = now_ms;
	fx_migration(fx, m, NULL);
	fx_job(fx, j);
	finish(c, now_ms, m, fx);
}

void migration_report(struct cluster *c, uint64_t now_ms, struct node *n,
		      const struct job_report *r, struct effects *fx)
{
	struct job *j = cluster_job(c, r->id);
	struct migration *m = j ? j->migration : NULL;

	if (!m || r->migration != m->id || r->attempt != m->attempt || (n != m->from && n != m->to))
		return;
	/* Saved at once: the side that measured may be gone after a restart. */
	if (take_figures(m, r))
		fx_migration(fx, m, NULL);
	if (m->state >= MIG_COMMITTED) {
		/* A job that ran and ended between two reports has arrived, too. */
		if (n == m->to && r->epoch == m->next_epoch &&
		    (r->state == SEEN_RUNNING || r->state == SEEN_EXITED))
			arrived(c, now_ms, m, fx);
	} else if (n == m->to && m->state == MIG_SENDING && r->migration_state == SEEN_MIG_LOADED &&
		   r->state == SEEN_WAITING) {
		commit(c, now_ms, m, fx);
	} else if (n == m->to) {
		destination_reports(c, now_ms, m, r, fx);
	} else {
		source_reports(c, now_ms, m, r, fx);
	}
}

void migration_tick(struct cluster *c, uint64_t now_ms, struct migration *m, struct effects *fx)
{
	uint64_t in_phase = now_ms > m->phase_ms ? now_ms - m->phase_ms : 0;

	if (m->state == MIG_PREPARING && in_phase >= c->opt.prepare_ms)
		migration_abort(c, now_ms, m, fx,
				"%.60s was not ready to receive within %" PRIu64 " s", m->to->name,
				c->opt.prepare_ms / 1000);
	else if (m->state == MIG_SENDING && in_phase >= c->opt.send_ms)
		migration_abort(c, now_ms, m, fx,
				"not sent and loaded within %" PRIu64 " s%s%.180s",
				c->opt.send_ms / 1000, m->note[0] ? ": " : "", m->note);
	else if (m->state == MIG_COMMITTED && !m->released && m->from->alive != ALIVE_UP)
		migration_released(c, now_ms, m, fx);
}
