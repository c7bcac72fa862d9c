/*
 * The scheduler's answer to GET /v1/agents/{node}/desired, parsed.
 *
 * Format: docs/formats/agent-protocol.md. The parser trusts nothing: a message
 * that breaks the format in any field is refused whole, and the node keeps what
 * it had. Fields it doesn't know are allowed (a newer scheduler).
 */
#ifndef DROVER_AGENT_DESIRED_H
#define DROVER_AGENT_DESIRED_H

#include "agent/job.h"
#include "common/err.h"

#define DESIRED_MAX_BYTES (8u << 20)
#define WANT_MAX_ARGS     1024
#define WANT_MAX_ENV      1024

struct desired {
	uint64_t scheduler_epoch;
	uint64_t revision;
	struct want *jobs;
	size_t njobs;
};

/* Parses text of len bytes into *out, which desired_free frees. -EINVAL, -EFBIG, -ENOMEM. */
int desired_parse(const char *text, size_t len, struct desired *out, struct err *e);

void desired_free(struct desired *d);
#define _cleanup_desired_ _cleanup_(desired_free)

/* "" for none; the protocol's word otherwise. */
const char *want_role_name(enum want_role r);

#endif
