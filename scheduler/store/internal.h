/*
 * Shared by the files of store/.
 */
#ifndef DROVER_SCHEDULER_STORE_INTERNAL_H
#define DROVER_SCHEDULER_STORE_INTERNAL_H

#include <pthread.h>

#include "scheduler/store/backend.h"
#include "scheduler/store/rows.h"
#include "scheduler/store/store.h"

enum store_stmt {
	ST_JOB_PUT,
	ST_MIGRATION_PUT,
	ST_NODE_PUT,
	ST_ATTEMPT_PUT,
	ST_SETTING_GET,
	ST_SETTING_PUT,
	ST_KEY_GET,
	ST_KEY_PUT,
	ST_KEY_FORGET,
	ST_ENERGY_PUT,
	ST_ENERGY_JOB_PUT,
	ST_ENERGY_COVERING,
	ST_ENERGY_BEFORE,
	ST_ENERGY_FILLED,
	ST_ENERGY_TOTAL,
	ST_JOB_ENERGY_ADD,
	ST_SEGMENT_PUT,
	ST_SEGMENT_ENERGY,
	ST_DECISION_PUT,
	ST_CHANGE_PUT,
	ST_CHANGE_ACTUAL,
	ST_MODEL_PUT,
	ST_COUNT
};

#define READERS 4

struct reader {
	sqlite3 *db;
	bool lent;
};

struct sqlite_store {
	struct store base; /* first: sqlite_of() */
	sqlite3 *db;
	char dir[3072];
	int lock_fd;
	uint64_t epoch;
	bool in_transaction;
	uint64_t merged_ms; /* readings from before may have been merged */
	sqlite3_stmt *st[ST_COUNT];
	pthread_mutex_t reader_lock;
	pthread_cond_t reader_back;
	struct reader readers[READERS];
};

/* reader.c: NULL with e set; waits while all are lent. Give it back with nothing open on it. */
struct reader *store_reader_get(struct sqlite_store *s, struct err *e);
void store_reader_put(struct sqlite_store *s, struct reader *r);
void store_readers_init(struct sqlite_store *s);
void store_readers_close(struct sqlite_store *s);

static inline struct sqlite_store *sqlite_of(const struct store *base)
{
	return (struct sqlite_store *)(uintptr_t)base;
}

static inline void read_text(sqlite3_stmt *st, int at, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(st, at);

	(void)snprintf(out, size, "%s", text ? text : "");
}

extern const struct table table_jobs, table_migrations, table_nodes, table_bundles;

/* energy.c: the columns that store_read_energy() reads. */
int store_prepare_energy(sqlite3 *db, const char *tail, sqlite3_stmt **st, sqlite3_stmt **shares,
			 struct err *e);
int store_read_energy(sqlite3_stmt *st, sqlite3_stmt *shares, struct energy_interval *i);
/* A reading and its shares, unless it is there. */
int store_put_energy(struct sqlite_store *s, const struct energy_interval *i, struct err *e);
/* fill.c: how much of a reading's time is that of a sleep that is counted already; and takes that
 * off a reading: first of its gap, then of idle and system energy. Jobs don't run in a sleep, so
 * theirs stays. */
int store_filled_ms(struct sqlite_store *s, const struct energy_interval *i, uint64_t *out,
		    struct err *e);
void store_take_off(struct energy_interval *i, uint64_t filled_ms);
/* compact.c: after opening. */
int store_load_marks(struct sqlite_store *s, struct err *e);

/* Steps a statement that gives no rows, then resets it. */
int store_run(struct sqlite_store *s, enum store_stmt which, const char *doing, struct err *e);
/* The current row of a selection of table_jobs. -ENOMEM. */
int store_read_job(sqlite3_stmt *st, struct job_record *out);
int store_path(const struct sqlite_store *s, const char *name, char *out, size_t size,
	       struct err *e);

/* history.c: effects of these kinds, and the models into an empty cluster. */
int store_put_segment(struct sqlite_store *s, const struct effect *f, struct err *e);
int store_put_decision(struct sqlite_store *s, const struct effect *f, struct err *e);
int store_put_change(struct sqlite_store *s, const struct effect *f, struct err *e);
int store_put_program(struct sqlite_store *s, const struct program *p, struct err *e);
int store_load_programs(struct sqlite_store *s, struct cluster *c, struct err *e);

/* The back end's functions (backend.h), by file. */
void sqlite_close(struct store *base);
uint64_t sqlite_epoch(const struct store *base);
const char *sqlite_dir(const struct store *base);
int sqlite_ping(struct store *base, struct err *e);
int sqlite_begin(struct store *base, struct err *e);
int sqlite_commit(struct store *base, struct err *e);
void sqlite_rollback(struct store *base);
int sqlite_load(struct store *base, struct cluster *c, uint64_t now_ms, struct err *e);
int sqlite_apply(struct store *base, const struct effects *fx, struct err *e);
int sqlite_job(struct store *base, uint64_t id, struct job_record *out, struct err *e);
int sqlite_migration(struct store *base, uint64_t id, struct migration_record *out, struct err *e);
bool sqlite_has_handed_on(struct store *base, uint64_t job, uint32_t attempt, const char *node);
int sqlite_jobs(struct store *base, const struct job_filter *f,
		void (*fn)(struct job_record *r, void *arg), void *arg, struct job_cursor *next,
		struct err *e);
int sqlite_count_jobs(struct store *base, const struct job_filter *f, uint64_t *n, struct err *e);
int sqlite_migrations(struct store *base, uint64_t job, bool newest, uint64_t after,
		      unsigned int limit, void (*fn)(struct migration_record *r, void *arg),
		      void *arg, struct err *e);
int sqlite_segments(struct store *base, uint64_t job,
		    void (*fn)(const struct segment_record *r, void *arg), void *arg,
		    struct err *e);
int sqlite_decisions(struct store *base, uint64_t job,
		     void (*fn)(const struct decision_record *r, void *arg), void *arg,
		     struct err *e);
int sqlite_changes(struct store *base, const char *node, bool newest, uint64_t after,
		   unsigned int limit, void (*fn)(const struct change_record *r, void *arg),
		   void *arg, struct err *e);
int sqlite_setting(struct store *base, const char *key, char **out, struct err *e);
int sqlite_set_setting(struct store *base, const char *key, const char *value, struct err *e);
int sqlite_idempotency(struct store *base, const char *key, uint64_t *job,
		       char digest[CORE_SHA_SIZE], struct err *e);
int sqlite_add_idempotency(struct store *base, const char *key, uint64_t job, const char *digest,
			   uint64_t now_ms, struct err *e);
int sqlite_forget_keys(struct store *base, uint64_t before_ms, struct err *e);
int sqlite_add_energy(struct store *base, const struct energy_interval *i, struct err *e);
int sqlite_fill_energy(struct store *base, const struct energy_interval *i, struct err *e);
int sqlite_energy(struct store *base, uint64_t from_ms, uint64_t to_ms,
		  void (*fn)(const struct energy_interval *i, void *arg), void *arg, struct err *e);
int sqlite_job_energy(struct store *base, uint64_t job,
		      void (*fn)(const struct energy_interval *i, uint32_t attempt,
				 uint64_t energy_uj, uint64_t idle_uj, void *arg),
		      void *arg, struct err *e);
int sqlite_age_energy(struct store *base, uint64_t now_ms, uint64_t keep_ms, bool *more,
		      struct err *e);
int sqlite_energy_totals(struct store *base, void (*fn)(const struct energy_total *t, void *arg),
			 void *arg, struct err *e);
int sqlite_add_bundle(struct store *base, const struct bundle_record *b, int fd, struct err *e);
int sqlite_bundle(struct store *base, const char *sha, struct bundle_record *out, struct err *e);
int sqlite_bundles(struct store *base, void (*fn)(const struct bundle_record *b, void *arg),
		   void *arg, struct err *e);
int sqlite_open_bundle(struct store *base, const char *sha, struct err *e);
uint64_t sqlite_log_size(struct store *base, uint64_t job, uint32_t attempt);
int sqlite_append_log(struct store *base, uint64_t job, uint32_t attempt, uint64_t offset,
		      const void *data, size_t len, uint64_t *held, struct err *e);
int sqlite_open_log(struct store *base, uint64_t job, uint32_t attempt);

#endif
