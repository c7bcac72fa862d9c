/* See reconcile.h. */
#include "agent/reconcile.h"

#include <string.h>

static const char *const names[ACT_TYPES] = {
	[ACT_NONE] = "none",           [ACT_ADD] = "add",     [ACT_ADD_LOST] = "add-lost",
	[ACT_ADD_ENDED] = "add-ended", [ACT_START] = "start", [ACT_RECEIVE] = "receive",
	[ACT_SEND] = "send",           [ACT_ABORT] = "abort", [ACT_GO] = "go",
	[ACT_CANCEL] = "cancel",       [ACT_KILL] = "kill",   [ACT_RELEASE] = "release",
	[ACT_FORGET] = "forget",
};

const char *action_name(enum action_type t)
{
	return t < ACT_TYPES ? names[t] : "unknown";
}

uint64_t want_epoch(const struct want *w)
{
	return w->role == ROLE_DESTINATION ? w->mig.next_epoch : w->epoch;
}

/*
 * An entry belongs to a desired job when it is the same attempt at the same
 * epoch; a receiving one also has to be of the same migration, because an
 * aborted migration's epoch may be given out again.
 */
static bool matches(const struct job *j, const struct want *w)
{
	if (strcmp(j->key.id, w->id) != 0 || j->key.attempt != w->attempt ||
	    j->key.epoch != want_epoch(w) || j->state == JOB_RELEASED)
		return false;
	if (w->role == ROLE_DESTINATION)
		return j->origin == ROLE_DESTINATION && strcmp(j->mig_id, w->mig.id) == 0;
	return true;
}

/* Not to be given now: it was given and there has been no time to answer. */
static bool just_asked(const struct job *j, enum action_type t, int64_t now_ms)
{
	return j->asked == t && now_ms - j->asked_ms < ASK_AGAIN_MS;
}

/* A migration out of here is under way or has frozen the job. */
static bool leaving(const struct job *j)
{
	return j->state == JOB_FROZEN ||
	       (j->state == JOB_RUNNING &&
		(j->mig == MIG_SENDING || j->mig == MIG_DEFERRED || j->mig == MIG_SENT));
}

static enum action_type act_run(const struct job *j)
{
	if (j->state == JOB_NEW)
		return j->origin == ROLE_RUN && j->bundle_ready ? ACT_START : ACT_NONE;
	if (j->state == JOB_WAITING && j->origin == ROLE_DESTINATION)
		return j->mig == MIG_LOADED ? ACT_GO : ACT_NONE;
	return leaving(j) ? ACT_ABORT : ACT_NONE;
}

static enum action_type act_source(const struct job *j, const struct want *w)
{
	bool other = strcmp(j->mig_id, w->mig.id) != 0;

	/* It must be running here before it can be sent, also when it has just come. */
	if (j->state == JOB_NEW || j->state == JOB_WAITING)
		return act_run(j);
	if (leaving(j) && other)
		return ACT_ABORT;
	if (w->mig.phase == PHASE_SEND && j->state == JOB_RUNNING && other)
		return ACT_SEND;
	return ACT_NONE;
}

static enum action_type act_cancel(const struct job *j, int64_t now_ms)
{
	if (j->state == JOB_NEW || j->state == JOB_FROZEN || j->state == JOB_WAITING)
		return ACT_KILL; /* nothing in it can answer a SIGTERM */
	if (!job_has_ferry(j->state))
		return ACT_NONE;
	if (!j->cancel_ms)
		return ACT_CANCEL;
	return now_ms - j->cancel_ms >= CANCEL_GRACE_MS ? ACT_KILL : ACT_NONE;
}

static enum action_type act_existing(const struct job *j, const struct want *w, int64_t now_ms)
{
	switch (w->role) {
	case ROLE_RUN:
		return act_run(j);
	case ROLE_SOURCE:
		return act_source(j, w);
	case ROLE_DESTINATION:
		return j->state == JOB_NEW && j->bundle_ready ? ACT_RECEIVE : ACT_NONE;
	case ROLE_CANCEL:
		return act_cancel(j, now_ms);
	default:
		return ACT_NONE;
	}
}

static enum action_type act_absent(const struct want *w)
{
	switch (w->role) {
	case ROLE_RUN:
		/* Only at epoch 1 is it to be started; later it must have been here. */
		return w->epoch == 1 && w->mig.phase == PHASE_NONE ? ACT_ADD : ACT_ADD_LOST;
	case ROLE_DESTINATION:
		return w->mig.phase == PHASE_PREPARE ? ACT_ADD : ACT_NONE;
	case ROLE_SOURCE:
		return ACT_ADD_LOST;
	case ROLE_CANCEL:
		return ACT_ADD_ENDED;
	default:
		return ACT_NONE;
	}
}

static size_t find(const struct job *const *jobs, size_t njobs, const struct want *w)
{
	for (size_t i = 0; i < njobs; i++)
		if (matches(jobs[i], w))
			return i;
	return SIZE_MAX;
}

static bool wanted(const struct want *wants, size_t nwants, const struct job *j)
{
	for (size_t i = 0; i < nwants; i++)
		if (matches(j, &wants[i]))
			return true;
	return false;
}

size_t reconcile(const struct want *wants, size_t nwants, const struct job *const *jobs,
		 size_t njobs, int64_t now_ms, struct action *out)
{
	size_t n = 0;

	for (size_t i = 0; i < njobs; i++) {
		enum action_type t = ACT_RELEASE;

		if (wanted(wants, nwants, jobs[i]))
			continue;
		if (jobs[i]->state == JOB_RELEASED || !job_has_ferry(jobs[i]->state))
			t = jobs[i]->settled ? ACT_FORGET : ACT_NONE;
		if (t != ACT_NONE && !just_asked(jobs[i], t, now_ms))
			out[n++] = (struct action){t, i, SIZE_MAX};
	}
	for (size_t i = 0; i < nwants; i++) {
		size_t at = find(jobs, njobs, &wants[i]);
		enum action_type t = at == SIZE_MAX ? act_absent(&wants[i])
						    : act_existing(jobs[at], &wants[i], now_ms);

		if (t == ACT_NONE || (at != SIZE_MAX && just_asked(jobs[at], t, now_ms)))
			continue;
		out[n++] = (struct action){t, at, i};
	}
	return n;
}
