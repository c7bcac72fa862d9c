/*
 * What a ferry says of its job, and its JSON form (docs/formats/ferry.md).
 */
#ifndef DROVER_FERRY_STATUS_H
#define DROVER_FERRY_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/err.h"
#include "common/isa.h"
#include "common/json.h"

#define FERRY_FORMAT_VERSION 1
#define FERRY_LINE_MAX       65536 /* longest line on the socket */
#define FERRY_ID_SIZE        64    /* job and migration ids, with the NUL */

enum ferry_state {
	FERRY_STARTING,
	FERRY_RUNNING,
	FERRY_CAPTURING,
	FERRY_FROZEN,
	FERRY_RECEIVING,
	FERRY_LOADED,
	FERRY_EXITED,
	FERRY_RELEASED,
	FERRY_FAILED,
};

enum ferry_migration_state {
	FERRY_MIGRATION_NONE,
	FERRY_MIGRATION_PREPARED,
	FERRY_MIGRATION_CAPTURING,
	FERRY_MIGRATION_DEFERRED,
	FERRY_MIGRATION_SENDING,
	FERRY_MIGRATION_RECEIVING,
	FERRY_MIGRATION_SENT,
	FERRY_MIGRATION_LOADED,
	FERRY_MIGRATION_RUNNING,
	FERRY_MIGRATION_RELEASED,
	FERRY_MIGRATION_ABORTED,
	FERRY_MIGRATION_FAILED,
};

struct ferry_migration {
	char id[FERRY_ID_SIZE]; /* empty: none */
	enum ferry_migration_state state;
	char reason[256];
	char endpoint[128]; /* destination: "address:port" */
	char secret[65];    /* destination: one-time secret, hex */
	uint64_t image_bytes, frames;
	uint64_t save_us, transfer_us, load_us, rebuild_us;
	uint64_t frozen_ms, resumed_ms;           /* real time */
	uint64_t frozen_mono_ns, resumed_mono_ns; /* this machine's monotonic clock */
};

/* Answer to a request; id 0: this status was not an answer. */
struct ferry_answer {
	uint64_t id;
	bool ok;
	int code; /* negative errno if not ok */
	char error[256];
	char hint[256];
};

struct ferry_status {
	char job[FERRY_ID_SIZE];
	uint64_t attempt, epoch;
	enum ferry_state state;
	char reason[256];
	pid_t ferry_pid, job_pid; /* job_pid 0: no process */
	enum isa isa;
	bool emulated;
	int exit_code, signal; /* state exited */
	uint64_t cpu_us, cpu_us_by_isa[ISA_COUNT];
	uint64_t log_base, log_bytes;
	uint64_t started_ms, ended_ms;
	uint64_t points;
	struct ferry_migration migration;
	struct ferry_answer answer;
};

/* The names of docs/formats/ferry.md. */
const char *ferry_state_name(enum ferry_state s);
const char *ferry_migration_state_name(enum ferry_migration_state s);

/* exited, released or failed: nothing more will change. */
static inline bool ferry_state_final(enum ferry_state s)
{
	return s >= FERRY_EXITED;
}

/* To JSON; a new reference, NULL without memory. The answer is included if its id isn't 0. */
json_t *ferry_status_pack(const struct ferry_status *s);

/* From JSON; trusts nothing. -EINVAL with the field's path. */
int ferry_status_parse(const json_t *v, struct ferry_status *s, struct err *e);

#endif
