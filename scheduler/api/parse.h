/*
 * What comes from outside, checked and turned into structures. Pure: bytes in,
 * structure or error out; every function here is a fuzz target's.
 */
#ifndef DROVER_SCHEDULER_API_PARSE_H
#define DROVER_SCHEDULER_API_PARSE_H

#include <jansson.h>
#include "scheduler/core/core.h"
#include "scheduler/policy/policy.h"
#include "scheduler/store/store.h"

#define PARSE_BODY_MAX   (1024 * 1024)
#define PARSE_BULK_MAX   1000      /* jobs in one submission */
#define ARRAY_UNNUMBERED INT64_MAX /* job_spec.array of an array before its first job has an id */
#define PARSE_ARRAY_MAX  10000     /* elements of an array */
#define PARSE_JOBS_MAX   4096      /* jobs in one report */
#define PARSE_ENERGY_MAX 512       /* intervals in one report */

/* docs/formats/rest.md, POST /v1/jobs. The caller owns what spec owns; user is empty if none was
 * named. */
int parse_job(const char *text, size_t len, struct job_spec *spec, struct err *e);

/* The same of a document that was read already; path names it in messages. */
int parse_job_value(const json_t *doc, const char *path, struct job_spec *spec, struct err *e);
/* A job, or {"jobs":[...]} (*bulk). The caller frees *specs and, also after an error, what each of
 * the *n owns. */
int parse_jobs(const char *text, size_t len, struct job_spec **specs, size_t *n, bool *bulk,
	       struct err *e);

/* {"node":...,"reason":...}, both optional; an empty text is fine. */
int parse_migrate(const char *text, size_t len, char node[CORE_NAME_MAX],
		  char reason[CORE_REASON_MAX], struct err *e);

/* {"hold":...,"priority":...}, at least one of them. */
struct job_patch {
	bool has_hold, hold, has_priority;
	int32_t priority;
};
int parse_job_patch(const char *text, size_t len, struct job_patch *p, struct err *e);
/* {"action":...,"reason":...} */
int parse_node_patch(const char *text, size_t len, enum node_action *action,
		     char reason[CORE_REASON_MAX], struct err *e);
/* {"cap_w":null or watts}; 0 for null. */
int parse_power_cap(const char *text, size_t len, double *cap_w, struct err *e);

/* "0-9", "0-9:2", "1,3,5", "0-99%4": indexes, ascending and each once, and how many at once (0: any
 * number). -EINVAL: not of this form, or more than max. */
int parse_array(const char *text, uint32_t *indexes, size_t max, size_t *n, uint32_t *limit,
		struct err *e);

int parse_policy(const char *text, size_t len, const struct policy **p, struct policy_options *o,
		 struct err *e);

/* docs/formats/agent-protocol.md. The caller owns intro->meters. */
int parse_introduction(const char *text, size_t len, const char *node, struct node *intro,
		       struct err *e);

struct report {
	char instance[CORE_NAME_MAX];
	uint64_t scheduler_epoch, seq;
	struct node_report node;
	struct job_report *jobs;
	struct energy_interval *energy;
	size_t nenergy;
};

int parse_report(const char *text, size_t len, struct report *out, struct err *e);
void report_free(struct report *r);

/* A node's or user's name: letters, digits, '.', '_', '-'. */
bool parse_name_ok(const char *name);
/* "17" or "m5" (with prefix 'm'); 0 if it is none. */
uint64_t parse_id(const char *text, char prefix);

#endif
