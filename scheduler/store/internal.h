/*
 * Shared by the files of store/.
 */
#ifndef DROVER_SCHEDULER_STORE_INTERNAL_H
#define DROVER_SCHEDULER_STORE_INTERNAL_H

#include <pthread.h>

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
	ST_ENERGY_PUT,
	ST_ENERGY_JOB_PUT,
	ST_ENERGY_COVERING,
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

struct store {
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
struct reader *store_reader_get(struct store *s, struct err *e);
void store_reader_put(struct store *s, struct reader *r);
void store_readers_init(struct store *s);
void store_readers_close(struct store *s);

extern const struct table table_jobs, table_migrations, table_nodes, table_bundles;

/* energy.c: the columns that store_read_energy() reads. */
int store_prepare_energy(sqlite3 *db, const char *tail, sqlite3_stmt **st, sqlite3_stmt **shares,
			 struct err *e);
int store_read_energy(sqlite3_stmt *st, sqlite3_stmt *shares, struct energy_interval *i);
/* compact.c: after opening. */
int store_load_marks(struct store *s, struct err *e);

/* Steps a statement that gives no rows, then resets it. */
int store_run(struct store *s, enum store_stmt which, const char *doing, struct err *e);
/* The current row of a selection of table_jobs. -ENOMEM. */
int store_read_job(sqlite3_stmt *st, struct job_record *out);
int store_path(const struct store *s, const char *name, char *out, size_t size, struct err *e);

/* history.c: effects of these kinds, and the models into an empty cluster. */
int store_put_segment(struct store *s, const struct effect *f, struct err *e);
int store_put_decision(struct store *s, const struct effect *f, struct err *e);
int store_put_change(struct store *s, const struct effect *f, struct err *e);
int store_put_program(struct store *s, const struct program *p, struct err *e);
int store_load_programs(struct store *s, struct cluster *c, struct err *e);

#endif
