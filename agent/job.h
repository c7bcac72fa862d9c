/*
 * A job attempt as this node knows it, and the state it should be in.
 *
 * An entry is one ferry: it is keyed by job, attempt and the epoch at which
 * this node owns (or is about to own) the job. A job that leaves and comes back
 * is therefore two entries, and one that is still being released can never be
 * mistaken for the one that is being received. See docs/formats/agent-protocol.md.
 *
 * Plain types only: reconcile.c decides over them without clock, socket or file.
 */
#ifndef DROVER_AGENT_JOB_H
#define DROVER_AGENT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_ID_MAX    32
#define MIG_ID_MAX    32
#define JOB_NAME_MAX  128
#define ENDPOINT_MAX  64
#define SECRET_MAX    80
#define SHA256_HEX    65
#define REASON_MAX    256
#define JOBS_PER_NODE 4096

enum job_state {
	JOB_NEW,      /* known, nothing spawned yet: its bundle is being fetched */
	JOB_STARTING, /* its ferry was spawned, the process does not run yet */
	JOB_RUNNING,
	JOB_FROZEN,  /* captured, waits for release or abort */
	JOB_WAITING, /* destination: being received, or loaded and waiting for go */
	JOB_EXITED,
	JOB_LOST,     /* was here; gone without an exit status */
	JOB_FAILED,   /* could not be started */
	JOB_RELEASED, /* no longer wanted here; kept only until its output is delivered */
	JOB_STATES
};

enum mig_state {
	MIG_NONE,
	MIG_PREPARED,
	MIG_SENDING,
	MIG_SENT,
	MIG_LOADED,
	MIG_RUNNING,
	MIG_ABORTED,
	MIG_DEFERRED,
	MIG_FAILED,
	MIG_STATES
};

enum want_role { ROLE_RUN, ROLE_SOURCE, ROLE_DESTINATION, ROLE_CANCEL, WANT_ROLES };
enum want_phase { PHASE_NONE, PHASE_PREPARE, PHASE_SEND, PHASE_COMMIT, PHASE_ABORT, WANT_PHASES };

/* Names as they stand in the protocol; "unknown" for a value out of range. */
const char *job_state_name(enum job_state s);
const char *mig_state_name(enum mig_state s);

struct job_key {
	char id[JOB_ID_MAX];
	uint32_t attempt;
	uint64_t epoch;
};

/* What the scheduler wants of one job on this node. */
struct want {
	char id[JOB_ID_MAX];
	uint32_t attempt;
	uint64_t epoch;
	enum want_role role;
	char bundle[SHA256_HEX];
	char name[JOB_NAME_MAX];
	char **args;      /* NULL-terminated */
	char **env;       /* NULL-terminated, "K=V" */
	char *stdin_text; /* NULL: nothing */
	uint32_t cpus;
	uint32_t time_limit_s;
	struct {
		char id[MIG_ID_MAX]; /* "" when there is no migration */
		enum want_phase phase;
		char endpoint[ENDPOINT_MAX];
		char secret[SECRET_MAX];
		uint64_t next_epoch;
	} mig;
};

enum action_type {
	ACT_NONE,
	ACT_ADD,       /* make an entry and fetch the bundle */
	ACT_ADD_LOST,  /* make an entry that only reports that the job is not here */
	ACT_ADD_ENDED, /* make an entry that only reports that a cancelled job never ran here */
	ACT_START,     /* record the start durably, then run from the beginning */
	ACT_RECEIVE,   /* record, then start a receiving ferry */
	ACT_SEND,      /* capture and send */
	ACT_ABORT,     /* end the migration here: rebuild and run on */
	ACT_GO,        /* received, owned now: run */
	ACT_CANCEL,    /* SIGTERM */
	ACT_KILL,      /* SIGKILL */
	ACT_RELEASE,   /* end whatever is here without running anything further */
	ACT_FORGET,    /* delete the entry and its files */
	ACT_TYPES
};

/* Timings of one move, as this side knows them. */
struct mig_facts {
	uint64_t image_bytes, frames, save_us, transfer_us, load_us, rebuild_us;
	int64_t frozen_ms, resumed_ms;           /* wall clock */
	int64_t frozen_mono_ns, resumed_mono_ns; /* CLOCK_MONOTONIC of this machine */
};

/* An entry, as far as decisions and reports need it. */
struct job {
	struct job_key key;
	enum job_state state;
	enum want_role origin; /* ROLE_RUN: started here; ROLE_DESTINATION: received */
	char bundle[SHA256_HEX];
	bool bundle_ready;
	bool log_delivered; /* the scheduler holds all output this entry has */
	bool settled;       /* log delivered and energy charged: nothing is lost by forgetting it */
	char mig_id[MIG_ID_MAX];
	enum mig_state mig;
	char mig_reason[REASON_MAX];
	char endpoint[ENDPOINT_MAX];
	char secret[SECRET_MAX];
	struct mig_facts facts;
	enum action_type
		asked; /* last command given to the ferry and not yet answered by a change */
	int64_t asked_ms;
	int64_t cancel_ms; /* when SIGTERM was sent; 0: never */

	int exit_code, exit_signal;
	char reason[REASON_MAX];
	uint64_t cpu_us, log_base, log_bytes, points;
	int64_t started_ms, ended_ms; /* wall clock */
};

/* True in the states in which a ferry exists that can be told something. */
bool job_has_ferry(enum job_state s);
/* True in the states after which nothing runs here any more. */
bool job_is_over(enum job_state s);

#endif
