/*
 * A replay as it is asked for over REST (docs/formats/rest.md, POST /v1/replays): which trace,
 * cluster and policies. Reading one checks all that can be said before it runs.
 */
#ifndef DROVER_SCHEDULER_REPLAY_REQUEST_H
#define DROVER_SCHEDULER_REPLAY_REQUEST_H

#include <jansson.h>

#include "scheduler/replay/replay.h"

#define REQUEST_POLICIES_MAX 16
#define REQUEST_JOBS_MAX     1000000u

/* One column of the comparison. */
struct request_run {
	char name[96]; /* the policy's, or POLICY@CLUSTER of a baseline elsewhere */
	const struct policy *policy;
	const struct machines *machines;
};

struct request {
	struct machines machines, other; /* other: the baseline's cluster, if it names one */
	struct request_run runs[REQUEST_POLICIES_MAX + 1];
	size_t nruns;
	struct policy_options options;
	enum trace_form form;
	uint64_t seed, limit_jobs;
	double speedup;
	bool clamp;
	const char *trace_name, *trace_text,
		*trace_upload; /* one of them; borrowed from the document */
};

/* -EINVAL with the field; *r must be freed by request_free() when this returns 0. */
int request_parse(const json_t *doc, struct request *r, struct err *e);
void request_free(struct request *r);

/*
 * The trace it names; traces: the directory of uploaded ones. -ENOENT: not there; -EINVAL: the
 * trace's own errors, with the line. Free *t by trace_free().
 */
int request_trace(const struct request *r, const char *traces, struct trace *t, struct err *e);

/*
 * Traces that need no file: the sets of the heterogeneous-ISA study (Barbalace et al., ASPLOS 2017)
 * by seed. Periodic: 5 waves of up to 14 jobs, 60 to 240 s apart; sustained: 40 jobs, 14 at once.
 */
extern const char *const request_made_traces[]; /* "study-periodic", "study-sustained" */
int request_make_trace(const char *name, uint64_t seed, struct trace *t, struct err *e);

#endif
