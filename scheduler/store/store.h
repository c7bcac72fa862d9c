/*
 * What the scheduler remembers: an SQLite database and files below a state directory.
 *
 *	drover.db	jobs, attempts, migrations, nodes, bundles, energy, settings
 *	bundles/SHA	bundles
 *	logs/N/ID.A	output of attempt A of job ID, N = ID / 1000
 *	spool/		uploads on their way
 *	lock		held while a scheduler runs on the directory
 *
 * Writing happens in transactions (store_begin ... store_commit): either all of
 * one is there after a crash, or nothing. When store_commit returns it is on the
 * disk (WAL, synchronous=FULL). Errors: -ENOSPC, -EAGAIN (locked), -EUCLEAN
 * (damaged), -EIO, -EROFS, each with a text that says what to do.
 *
 * One thread at a time, but for what says otherwise.
 */
#ifndef DROVER_SCHEDULER_STORE_STORE_H
#define DROVER_SCHEDULER_STORE_STORE_H

#include "common/err.h"
#include "scheduler/core/core.h"

struct store;

/* Opens, creates or refuses (-EBUSY: another scheduler runs on it; -EUCLEAN: damaged; -EPROTO: made
 * by a newer version). Raises the scheduler epoch. */
int store_open(struct store **out, const char *state_dir, struct err *e);
void store_close(struct store *s);
uint64_t store_epoch(const struct store *s);
const char *store_dir(const struct store *s);
/* Is the database readable? */
int store_ping(struct store *s, struct err *e);

int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

/* ---- the cluster -------------------------------------------------------- */

/* Fills an empty cluster with nodes, live jobs and active migrations. */
int store_load(struct store *s, struct cluster *c, uint64_t now_ms, struct err *e);
/* Writes the effects of one step; inside a transaction. */
int store_apply(struct store *s, const struct effects *fx, struct err *e);

/* ---- reading ------------------------------------------------------------ */

struct job_record {
	struct job job;     /* without links */
	char *dependencies; /* of job.spec as text; owned */
	uint64_t energy_uj;
	char energy_kind[16]; /* "" before the first reading, "mixed" if readings differ in kind */
};

struct migration_record {
	struct migration m; /* without links; job, from and to by name */
	char from[CORE_NAME_MAX], to[CORE_NAME_MAX];
	enum isa from_isa, to_isa;
};

void job_record_free(struct job_record *r);

/* -ENOENT. */
int store_job(struct store *s, uint64_t id, struct job_record *out, struct err *e);
int store_migration(struct store *s, uint64_t id, struct migration_record *out, struct err *e);

/* Has the node handed this attempt on to another? Then the rest of its output may still come from
 * it. */
bool store_has_handed_on(struct store *s, uint64_t job, uint32_t attempt, const char *node);

/* A place in the list of jobs, which is in order of (submitted_ms, id). id 0: its beginning. */
struct job_cursor {
	uint64_t ms, id;
};

struct job_filter {
	uint32_t states;                /* bit mask by enum job_state; 0: any */
	int isa;                        /* of the node that runs or ran it; -1: any */
	uint64_t array;                 /* 0: any */
	const char *user, *name, *node; /* NULL: any */
	const char *q;                  /* part of the name or user, or the id; NULL: any */
	uint64_t since_ms, until_ms;    /* submitted: since <= t < until; 0: open */
	bool newest_first;
	struct job_cursor after;
	unsigned int limit;
};
/*
 * A page. *next is where the next one begins, id 0 at the end. So that a page
 * takes no longer with many jobs it may hold fewer than limit, even none, before
 * the end. fn may keep what it takes out of the record (r->job.spec's pointers),
 * setting it NULL there. Any thread, at any time.
 */
int store_jobs(struct store *s, const struct job_filter *f,
	       void (*fn)(struct job_record *r, void *arg), void *arg, struct job_cursor *next,
	       struct err *e);
/* How many match, whatever cursor and limit say; -ERANGE: counting them would take too long. Any
 * thread. */
int store_count_jobs(struct store *s, const struct job_filter *f, uint64_t *n, struct err *e);
/* job 0: of all. newest: from the newest backwards, and after is the id they come before (0: the
 * newest). */
int store_migrations(struct store *s, uint64_t job, bool newest, uint64_t after, unsigned int limit,
		     void (*fn)(struct migration_record *r, void *arg), void *arg, struct err *e);

/* ---- history ------------------------------------------------------------ */

/* A part of an attempt on one node. */
struct segment_record {
	uint32_t attempt, epoch;
	char node[CORE_NAME_MAX];
	enum isa isa;
	bool emulated;
	uint64_t from_ms, to_ms; /* to_ms 0: under way */
	uint64_t cpu_us, energy_uj;
	char energy_kind[16]; /* "" before the first reading */
	double predicted_j;   /* NAN: nothing was predicted */
	char outcome[CORE_REASON_MAX];
};

struct decision_record {
	uint32_t attempt, epoch; /* of the segment that it began, if it began one */
	uint64_t time_ms;
	char kind[16]; /* "place", "migrate", "hold", "release", "requeue" */
	char node[CORE_NAME_MAX], reason[CORE_REASON_MAX];
	double predicted_j; /* NAN: nothing was predicted */
	/* Of a move: joules of the rest of the job if it stayed, with the idle power that it then
	 * keeps up; seconds of that rest where it went. */
	double stay_j, go_s;
};

struct change_record {
	uint64_t id, time_ms;
	char state[16], reason[CORE_REASON_MAX];
	double predicted_j, actual_j; /* NAN: none */
};

/* In the order of their time. fn may keep nothing of what it is given. Any thread for segments, of
 * what was committed. */
int store_segments(struct store *s, uint64_t job,
		   void (*fn)(const struct segment_record *r, void *arg), void *arg, struct err *e);
int store_decisions(struct store *s, uint64_t job,
		    void (*fn)(const struct decision_record *r, void *arg), void *arg,
		    struct err *e);
/* ids above after; newest: from the newest backwards, ids below it (0: the newest) */
int store_changes(struct store *s, const char *node, bool newest, uint64_t after,
		  unsigned int limit, void (*fn)(const struct change_record *r, void *arg),
		  void *arg, struct err *e);

/* ---- settings and idempotency keys -------------------------------------- */

/* *out is allocated, NULL if there is none. */
int store_setting(struct store *s, const char *key, char **out, struct err *e);
int store_set_setting(struct store *s, const char *key, const char *value, struct err *e);
/* The job that was submitted under key, 0 if none; digest receives its request's. */
int store_idempotency(struct store *s, const char *key, uint64_t *job, char digest[CORE_SHA_SIZE],
		      struct err *e);
int store_add_idempotency(struct store *s, const char *key, uint64_t job, const char *digest,
			  uint64_t now_ms, struct err *e);

/* Forgets some of the keys that were used before that time; inside a transaction. */
int store_forget_keys(struct store *s, uint64_t before_ms, struct err *e);

/* ---- energy ------------------------------------------------------------- */

/* Adds an interval and its shares to the jobs' totals; one that is there already is ignored. Where
 * store_fill_energy() has counted the node's time before it came, its gap closes, and its idle and
 * system energy count only for the rest of it. Inside a transaction. */
int store_add_energy(struct store *s, const struct energy_interval *i, struct err *e);
/* Adds of a modelled interval without jobs (scheduler/ledger/sleep.h) the parts that no counted
 * reading of its node covers; so it may be given twice. Inside a transaction. */
int store_fill_energy(struct store *s, const struct energy_interval *i, struct err *e);
/* No interval is longer; agents end one at every reading. */
#define ENERGY_LONGEST_MS (24u * 3600u * 1000u)

/* Those of which some part lies in from_ms <= t < to_ms, whole, by node and time; of what was
 * committed. Any thread; fn must not list jobs. */
int store_energy(struct store *s, uint64_t from_ms, uint64_t to_ms,
		 void (*fn)(const struct energy_interval *i, void *arg), void *arg, struct err *e);

/*
 * A job's share of every interval that is counted, by time: of what its node drew above
 * idle, and of its idle energy in proportion. i has no jobs.
 */
int store_job_energy(struct store *s, uint64_t job,
		     void (*fn)(const struct energy_interval *i, uint32_t attempt,
				uint64_t energy_uj, uint64_t idle_uj, void *arg),
		     void *arg, struct err *e);

/*
 * One step of making old readings fewer: merges some of those that are older than
 * an hour, removes some that are older than keep_ms (0: none ever). *more: there
 * is more to do at once. Inside a transaction.
 */
int store_age_energy(struct store *s, uint64_t now_ms, uint64_t keep_ms, bool *more, struct err *e);

/* What was ever counted of a node, by how it is known. */
struct energy_total {
	char node[CORE_NAME_MAX], source[16], kind[16];
	uint64_t idle_uj, jobs_uj, system_uj;
};
int store_energy_totals(struct store *s, void (*fn)(const struct energy_total *t, void *arg),
			void *arg, struct err *e);

/* ---- bundles ------------------------------------------------------------ */

struct bundle_record {
	char sha[CORE_SHA_SIZE];
	char name[CORE_NAME_MAX];
	uint64_t size;
	uint32_t isas;
	uint64_t created_ms;
};

/* Copies len bytes of fd (from its start) in; its transaction is its own. */
int store_add_bundle(struct store *s, const struct bundle_record *b, int fd, struct err *e);
/* -ENOENT */
int store_bundle(struct store *s, const char *sha, struct bundle_record *out, struct err *e);
int store_bundles(struct store *s, void (*fn)(const struct bundle_record *b, void *arg), void *arg,
		  struct err *e);
/* A descriptor of its file. */
int store_open_bundle(struct store *s, const char *sha, struct err *e);

/* ---- logs --------------------------------------------------------------- */

/* Bytes held; 0 if there is no log. */
uint64_t store_log_size(struct store *s, uint64_t job, uint32_t attempt);
/* Appends what of data (which begins at offset) isn't held yet. *held is the length afterwards;
 * -ERANGE when offset is beyond what is held. */
int store_append_log(struct store *s, uint64_t job, uint32_t attempt, uint64_t offset,
		     const void *data, size_t len, uint64_t *held, struct err *e);
/* A descriptor for reading; -ENOENT if there is none. */
int store_open_log(struct store *s, uint64_t job, uint32_t attempt);

#endif
