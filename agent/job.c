/* Names and classes of job states; see job.h. */
#include "agent/job.h"

static const char *const state_names[JOB_STATES] = {
	[JOB_NEW] = "starting",  [JOB_STARTING] = "starting", [JOB_RUNNING] = "running",
	[JOB_FROZEN] = "frozen", [JOB_WAITING] = "waiting",   [JOB_EXITED] = "exited",
	[JOB_LOST] = "lost",     [JOB_FAILED] = "failed",     [JOB_RELEASED] = "released",
};

static const char *const mig_names[MIG_STATES] = {
	[MIG_NONE] = "none",       [MIG_PREPARED] = "prepared", [MIG_SENDING] = "sending",
	[MIG_SENT] = "sent",       [MIG_LOADED] = "loaded",     [MIG_RUNNING] = "running",
	[MIG_ABORTED] = "aborted", [MIG_DEFERRED] = "deferred", [MIG_FAILED] = "failed",
};

const char *job_state_name(enum job_state s)
{
	return s < JOB_STATES ? state_names[s] : "unknown";
}

const char *mig_state_name(enum mig_state s)
{
	return s < MIG_STATES ? mig_names[s] : "unknown";
}

bool job_has_ferry(enum job_state s)
{
	return s == JOB_STARTING || s == JOB_RUNNING || s == JOB_FROZEN || s == JOB_WAITING;
}

bool job_is_over(enum job_state s)
{
	return s == JOB_EXITED || s == JOB_LOST || s == JOB_FAILED || s == JOB_RELEASED;
}
