/*
 * An entry of the job table with what belongs to it on disk.
 *
 * Directory <state>/jobs/<id>.<attempt>.<epoch>: `agent.json` (this module's
 * record, written durably before a ferry is spawned) and the ferry's own files
 * (docs/formats/ferry.md). After a restart of the agent the records are the
 * table: a record without a living or finished ferry is a lost job, and what has
 * a record is never started again.
 */
#ifndef DROVER_AGENT_ENTRY_H
#define DROVER_AGENT_ENTRY_H

#include <jansson.h>

#include "agent/job.h"
#include "common/err.h"
#include "migrator/ferry/client.h"

#define ENTRY_RECORD_MAX (4u << 20)

struct entry {
	struct job job;
	json_t *record; /* agent.json: what to run */
	char dir[256];
	struct ferry_client *ferry; /* NULL: not connected */
	pid_t ferry_pid;
	uint64_t shipped;       /* output delivered: offset within the attempt */
	bool ship_known;        /* shipped is what the scheduler said */
	bool cpu_known;         /* cpu_last is set */
	uint64_t cpu_last;      /* cpu_us of the last status */
	uint64_t cpu_base;      /* cpu_us at the job's arrival here */
	uint64_t cpu_local_us;  /* used on this node by this entry */
	uint64_t cpu_billed_us; /* part of it that is in an energy interval */
	int64_t over_ms;        /* monotonic: when it was over; 0: not yet */
};

/* A new entry for w below jobs_dir, in state JOB_NEW, without files. NULL: no memory. */
struct entry *entry_new(const char *jobs_dir, const struct want *w);

/* Writes the record durably, making the directory. */
int entry_record(struct entry *en, struct err *e);

/*
 * The entry whose record is in dir, in the state its ferry is in: connected if
 * it lives, else by its last status, else JOB_LOST. -ENOENT: no record (the
 * directory is of an entry that never got to the point of being started).
 */
int entry_adopt(const char *dir, struct entry **out, struct err *e);

/* Takes over what a ferry says. True if anything changed that a report shows at once. */
bool entry_update(struct entry *en, const struct ferry_status *s);

/* The ferry is gone: take its final status, or the job is lost. */
void entry_ferry_gone(struct entry *en);

/* Sets a state that nothing here leads out of, with its reason. */
void entry_over(struct entry *en, enum job_state state, const char *reason);

/* Bytes of output there are, as an offset within the attempt; what the log file says. */
uint64_t entry_log_end(const struct entry *en);

/* Closes the connection and frees; files stay. */
void entry_free(struct entry *en);

#endif
