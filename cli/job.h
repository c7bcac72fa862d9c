/* Submitting bundles as jobs, for `drover submit` and `drover run`. */
#ifndef DROVER_CLI_JOB_H
#define DROVER_CLI_JOB_H

#include "cli/client.h"

/* A bundle the scheduler has. */
struct cli_bundle {
	char path[1024];
	char sha256[65];
};

/*
 * Finds the bundle (a path, or the name of one of our workloads, "drover-ep"),
 * and uploads it unless the scheduler has it.
 */
int cli_bundle_ensure(struct cli *c, const char *name, struct cli_bundle *b, struct err *e);

/* The hash of the bundle of that path or name. */
int cli_bundle_hash(const char *name, char sha256[65], struct err *e);

/* Submits once, however often it is sent: body is POST /v1/jobs'. *out is the job. */
int cli_job_submit(struct cli *c, const json_t *body, json_t **out, struct err *e);

/* Whether a job (as the scheduler shows it) has ended. */
bool cli_job_ended(const json_t *job);

/* Waits until the job has ended; *out is the job. Survives a scheduler that is away for a while. */
int cli_job_wait(struct cli *c, const char *id, json_t **out, struct err *e);

#endif
