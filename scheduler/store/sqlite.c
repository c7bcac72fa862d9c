#include "scheduler/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include "common/file.h"

#define SCHEMA_VERSION 2

static const char *const schema[] = {
	"DROP INDEX IF EXISTS jobs_by_state",
	"DROP INDEX IF EXISTS jobs_by_user",
	"CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (submitted_ms)",
	"CREATE INDEX IF NOT EXISTS jobs_by_state_time ON jobs (state, submitted_ms)",
	"CREATE INDEX IF NOT EXISTS jobs_by_user_state ON jobs (user, state, submitted_ms)",
	"CREATE INDEX IF NOT EXISTS jobs_by_name ON jobs (name, submitted_ms)",
	"CREATE INDEX IF NOT EXISTS jobs_by_node_state ON jobs (last_node, state, submitted_ms)",
	"CREATE INDEX IF NOT EXISTS jobs_by_array ON jobs (array, submitted_ms)",
	"CREATE INDEX IF NOT EXISTS migrations_by_job ON migrations (job, id)",
	"CREATE INDEX IF NOT EXISTS migrations_by_state ON migrations (state, id)",
	"CREATE TABLE IF NOT EXISTS attempts (job INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" node TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
	" outcome TEXT NOT NULL, PRIMARY KEY (job, attempt)) WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)"
	" WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS idempotency (key TEXT PRIMARY KEY NOT NULL,"
	" job INTEGER NOT NULL, digest TEXT NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID",
	"CREATE INDEX IF NOT EXISTS idempotency_by_time ON idempotency (created_ms)",
	"CREATE TABLE IF NOT EXISTS energy (id INTEGER PRIMARY KEY, node TEXT NOT NULL,"
	" instance TEXT NOT NULL, meter TEXT NOT NULL, source TEXT NOT NULL, scope TEXT NOT NULL,"
	" kind TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
	" energy_uj INTEGER NOT NULL, idle_uj INTEGER NOT NULL, system_uj INTEGER NOT NULL,"
	" gap_ms INTEGER NOT NULL, counted INTEGER NOT NULL,"
	" UNIQUE (node, instance, meter, from_ms))",
	"CREATE INDEX IF NOT EXISTS energy_by_time ON energy (from_ms)",
	"CREATE INDEX IF NOT EXISTS energy_by_node ON energy (node, from_ms)",
	"CREATE TABLE IF NOT EXISTS energy_jobs (interval INTEGER NOT NULL, job INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL, energy_uj INTEGER NOT NULL,"
	" PRIMARY KEY (interval, job, attempt)) WITHOUT ROWID",
	"CREATE INDEX IF NOT EXISTS energy_jobs_by_job ON energy_jobs (job)",
	"CREATE TABLE IF NOT EXISTS energy_totals (node TEXT NOT NULL, source TEXT NOT NULL,"
	" kind TEXT NOT NULL, idle_uj INTEGER NOT NULL, jobs_uj INTEGER NOT NULL,"
	" system_uj INTEGER NOT NULL, PRIMARY KEY (node, source, kind)) WITHOUT ROWID",
	"INSERT INTO energy_totals SELECT node, source, kind, sum(idle_uj),"
	" sum(energy_uj - idle_uj - system_uj), sum(system_uj) FROM energy"
	" WHERE NOT EXISTS (SELECT 1 FROM energy_totals) AND counted GROUP BY node, source, kind",
	"CREATE TABLE IF NOT EXISTS segments (job INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL, node TEXT NOT NULL, isa INTEGER NOT NULL,"
	" emulated INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
	" cpu_us INTEGER NOT NULL, energy_uj INTEGER NOT NULL DEFAULT 0,"
	" energy_kind TEXT NOT NULL DEFAULT '', predicted_j REAL, outcome TEXT NOT NULL,"
	" PRIMARY KEY (job, attempt, epoch)) WITHOUT ROWID",
	"CREATE TABLE IF NOT EXISTS decisions (id INTEGER PRIMARY KEY, job INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL, epoch INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
	" kind TEXT NOT NULL, node TEXT NOT NULL, reason TEXT NOT NULL, predicted_j REAL,"
	" stay_j REAL NOT NULL, go_s REAL NOT NULL)",
	"CREATE INDEX IF NOT EXISTS decisions_by_job ON decisions (job, id)",
	"CREATE TABLE IF NOT EXISTS node_changes (id INTEGER PRIMARY KEY, node TEXT NOT NULL,"
	" time_ms INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, predicted_j REAL,"
	" actual_j REAL)",
	"CREATE INDEX IF NOT EXISTS node_changes_by_node ON node_changes (node, id)",
	"DROP TABLE IF EXISTS models",
	"CREATE TABLE IF NOT EXISTS beliefs (bundle TEXT NOT NULL, name TEXT NOT NULL,"
	" args TEXT NOT NULL, isa INTEGER NOT NULL, emulated INTEGER NOT NULL,"
	" runs INTEGER NOT NULL, work_s REAL NOT NULL, spread REAL NOT NULL, watts REAL NOT NULL,"
	" watt_runs INTEGER NOT NULL, PRIMARY KEY (bundle, name, args, isa, emulated)) WITHOUT "
	"ROWID",
};

static const char *const statements[ST_COUNT] = {
	[ST_ATTEMPT_PUT] =
		"INSERT INTO attempts (job, attempt, node, started_ms, ended_ms, outcome)"
		" VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job, attempt) DO UPDATE SET"
		" node = excluded.node, ended_ms = excluded.ended_ms,"
		" outcome = excluded.outcome",
	[ST_SETTING_GET] = "SELECT value FROM settings WHERE key = ?",
	[ST_SETTING_PUT] = "INSERT INTO settings (key, value) VALUES (?, ?)"
			   " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	[ST_KEY_GET] = "SELECT job, digest FROM idempotency WHERE key = ?",
	[ST_KEY_PUT] = "INSERT INTO idempotency (key, job, digest, created_ms) VALUES (?, ?, ?, ?)",
	[ST_KEY_FORGET] = "DELETE FROM idempotency WHERE key IN"
			  " (SELECT key FROM idempotency WHERE created_ms < ? LIMIT 1000)",
	[ST_ENERGY_PUT] =
		"INSERT OR IGNORE INTO energy (node, instance, meter, source, scope, kind,"
		" from_ms, to_ms, energy_uj, idle_uj, system_uj, gap_ms, counted)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ST_ENERGY_COVERING] = "SELECT to_ms FROM energy WHERE node = ? AND instance = ?"
			       " AND meter = ? AND from_ms <= ? ORDER BY from_ms DESC LIMIT 1",
	[ST_ENERGY_BEFORE] = "SELECT from_ms, to_ms FROM energy WHERE node = ? AND from_ms < ?"
			     " AND counted ORDER BY from_ms DESC",
	[ST_ENERGY_FILLED] = "SELECT from_ms, to_ms FROM energy WHERE node = ? AND instance = ?"
			     " AND meter = ? AND from_ms < ? ORDER BY from_ms DESC",
	[ST_ENERGY_TOTAL] =
		"INSERT INTO energy_totals (node, source, kind, idle_uj, jobs_uj, system_uj)"
		" VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (node, source, kind) DO UPDATE SET"
		" idle_uj = idle_uj + excluded.idle_uj, jobs_uj = jobs_uj + excluded.jobs_uj,"
		" system_uj = system_uj + excluded.system_uj",
	[ST_ENERGY_JOB_PUT] =
		"INSERT OR IGNORE INTO energy_jobs (interval, job, attempt, energy_uj)"
		" VALUES (?, ?, ?, ?)",
	[ST_JOB_ENERGY_ADD] = "UPDATE jobs SET energy_uj = energy_uj + ?1, energy_kind ="
			      " CASE WHEN energy_kind IN ('', ?2) THEN ?2 ELSE 'mixed' END"
			      " WHERE id = ?3",
	[ST_SEGMENT_PUT] =
		"INSERT INTO segments (job, attempt, epoch, node, isa, emulated, from_ms, to_ms,"
		" cpu_us, predicted_j, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (job, attempt, epoch) DO UPDATE SET to_ms = excluded.to_ms,"
		" cpu_us = excluded.cpu_us, outcome = excluded.outcome",
	[ST_SEGMENT_ENERGY] =
		"UPDATE segments SET energy_uj = energy_uj + ?1, energy_kind ="
		" CASE WHEN energy_kind IN ('', ?2) THEN ?2 ELSE 'mixed' END"
		" WHERE job = ?3 AND attempt = ?4 AND epoch = (SELECT max(epoch) FROM segments"
		" WHERE job = ?3 AND attempt = ?4 AND node = ?5 AND from_ms <= ?6)",
	[ST_DECISION_PUT] = "INSERT INTO decisions (job, attempt, epoch, time_ms, kind, node,"
			    " reason, predicted_j, stay_j, go_s)"
			    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ST_CHANGE_PUT] = "INSERT INTO node_changes (node, time_ms, state, reason, predicted_j)"
			  " VALUES (?, ?, ?, ?, ?)",
	[ST_CHANGE_ACTUAL] = "UPDATE node_changes SET actual_j = ?1 WHERE id = (SELECT max(id)"
			     " FROM node_changes WHERE node = ?2 AND state = 'sleeping')",
	[ST_MODEL_PUT] = "INSERT OR REPLACE INTO beliefs (bundle, name, args, isa, emulated, runs,"
			 " work_s, spread, watts, watt_runs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

int store_path(const struct sqlite_store *s, const char *name, char *out, size_t size,
	       struct err *e)
{
	if (file_join(out, size, s->dir, name))
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	return 0;
}

static int lock_dir(struct sqlite_store *s, struct err *e)
{
	char path[4096];
	int r = store_path(s, "lock", path, sizeof(path), e);

	if (r)
		return r;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_sys(e, -errno, "can't open %s", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB)) {
		err_set(e, -EBUSY, "another scheduler runs on %s", s->dir);
		return err_hint(e, "end it, or choose another --state-dir");
	}
	return 0;
}

/* The first complaint of SQLite's own check, if any. */
static int check_database(struct sqlite_store *s, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	const char *text;
	int r = db_prepare(s->db, "PRAGMA quick_check(1)", &st, e);

	if (r)
		return r;
	if (sqlite3_step(st) != SQLITE_ROW)
		return db_error(s->db, e, "checking the database");
	text = (const char *)sqlite3_column_text(st, 0);
	if (text && !strcmp(text, "ok"))
		return 0;
	err_set(e, -EUCLEAN, "%s/drover.db is damaged: %.300s", s->dir, text ? text : "no answer");
	return err_hint(e, "see \"A damaged database\" in docs/scheduler.md");
}

static int check_version(struct sqlite_store *s, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db, "PRAGMA user_version", &st, e), version;

	if (r)
		return r;
	if (sqlite3_step(st) != SQLITE_ROW)
		return db_error(s->db, e, "reading the schema's version");
	version = sqlite3_column_int(st, 0);
	if (version > SCHEMA_VERSION) {
		err_set(e, -EPROTO, "%s/drover.db has schema %d; this program knows %d", s->dir,
			version, SCHEMA_VERSION);
		return err_hint(e, "use the newer version of droverd that wrote it");
	}
	return 0;
}

static int create_schema(struct sqlite_store *s, struct err *e)
{
	const struct table *const tables[] = {&table_jobs, &table_migrations, &table_nodes,
					      &table_bundles};
	char version[48];
	int r = sqlite_begin(&s->base, e);

	for (size_t i = 0; !r && i < ARRAY_SIZE(tables); i++)
		r = table_create(s->db, tables[i], e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(tables); i++)
		r = table_upgrade(s->db, tables[i], e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(schema); i++)
		r = db_exec(s->db, schema[i], e);
	(void)snprintf(version, sizeof(version), "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (!r)
		r = db_exec(s->db, version, e);
	if (!r)
		r = sqlite_commit(&s->base, e);
	if (r)
		sqlite_rollback(&s->base);
	return r;
}

static int prepare_all(struct sqlite_store *s, struct err *e)
{
	int r = table_prepare_upsert(s->db, &table_jobs, &s->st[ST_JOB_PUT], e);

	if (!r)
		r = table_prepare_upsert(s->db, &table_migrations, &s->st[ST_MIGRATION_PUT], e);
	if (!r)
		r = table_prepare_upsert(s->db, &table_nodes, &s->st[ST_NODE_PUT], e);
	for (size_t i = 0; !r && i < ST_COUNT; i++)
		if (statements[i])
			r = db_prepare(s->db, statements[i], &s->st[i], e);
	return r;
}

static int raise_epoch(struct sqlite_store *s, struct err *e)
{
	_cleanup_free_ char *old = NULL;
	char text[24];
	int r = sqlite_begin(&s->base, e);

	if (!r)
		r = sqlite_setting(&s->base, "scheduler_epoch", &old, e);
	s->epoch = (old ? strtoull(old, NULL, 10) : 0) + 1;
	(void)snprintf(text, sizeof(text), "%" PRIu64, s->epoch);
	if (!r)
		r = sqlite_set_setting(&s->base, "scheduler_epoch", text, e);
	if (!r)
		r = sqlite_commit(&s->base, e);
	if (r)
		sqlite_rollback(&s->base);
	return r;
}

static int open_database(struct sqlite_store *s, struct err *e)
{
	char path[4096];
	int r = store_path(s, "drover.db", path, sizeof(path), e);

	if (r)
		return r;
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		return s->db ? db_error(s->db, e, "opening the database")
			     : err_set(e, -ENOMEM, "no memory for the database");
	(void)sqlite3_extended_result_codes(s->db, 0);
	(void)sqlite3_busy_timeout(s->db, 2000);
	r = db_exec(s->db, "PRAGMA journal_mode = WAL", e);
	if (!r)
		r = db_exec(s->db, "PRAGMA synchronous = FULL", e);
	/* 16 MiB of log between two checkpoints: a page that changes often is written back once. */
	if (!r)
		r = db_exec(s->db, "PRAGMA wal_autocheckpoint = 4000", e);
	if (!r)
		r = check_version(s, e);
	if (!r)
		r = check_database(s, e);
	if (!r)
		r = create_schema(s, e);
	if (!r)
		r = prepare_all(s, e);
	if (!r)
		r = store_load_marks(s, e);
	if (!r)
		r = raise_epoch(s, e);
	return r;
}

static int sqlite_open(struct store **out, const char *state_dir, struct err *e)
{
	static const char *const subdirs[] = {"bundles", "logs", "spool"};
	struct sqlite_store *s = calloc(1, sizeof(*s));
	char path[4096];
	int r;

	*out = NULL;
	if (!s)
		return err_set(e, -ENOMEM, "no memory for the store");
	s->lock_fd = -1;
	store_readers_init(s);
	if (strlen(state_dir) >= sizeof(s->dir)) {
		sqlite_close(&s->base);
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	}
	strcpy(s->dir, state_dir);
	r = file_mkdir_p(s->dir, 0700, e);
	for (size_t i = 0; !r && i < ARRAY_SIZE(subdirs); i++) {
		r = store_path(s, subdirs[i], path, sizeof(path), e);
		if (!r)
			r = file_mkdir_p(path, 0700, e);
	}
	if (!r)
		r = lock_dir(s, e);
	if (!r)
		r = open_database(s, e);
	if (r) {
		sqlite_close(&s->base);
		return r;
	}
	s->base.backend = &store_sqlite;
	*out = &s->base;
	return 0;
}

void sqlite_close(struct store *base)
{
	struct sqlite_store *s = sqlite_of(base);

	if (!s)
		return;
	for (size_t i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(s->st[i]);
	store_readers_close(s);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

uint64_t sqlite_epoch(const struct store *base)
{
	const struct sqlite_store *s = sqlite_of(base);

	return s->epoch;
}

const char *sqlite_dir(const struct store *base)
{
	const struct sqlite_store *s = sqlite_of(base);

	return s->dir;
}

int sqlite_ping(struct store *base, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_free_ char *value = NULL;

	return sqlite_setting(&s->base, "scheduler_epoch", &value, e);
}

int sqlite_begin(struct store *base, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	int r = db_exec(s->db, "BEGIN IMMEDIATE", e);

	s->in_transaction = !r;
	return r;
}

int sqlite_commit(struct store *base, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	int r = db_exec(s->db, "COMMIT", e);

	if (!r)
		s->in_transaction = false;
	return r;
}

void sqlite_rollback(struct store *base)
{
	struct sqlite_store *s = sqlite_of(base);

	if (s->in_transaction && !sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_transaction = false;
}

int store_run(struct sqlite_store *s, enum store_stmt which, const char *doing, struct err *e)
{
	int r = sqlite3_step(s->st[which]) == SQLITE_DONE ? 0 : db_error(s->db, e, doing);

	(void)sqlite3_reset(s->st[which]);
	(void)sqlite3_clear_bindings(s->st[which]);
	return r;
}

const struct store_backend store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.epoch = sqlite_epoch,
	.dir = sqlite_dir,
	.ping = sqlite_ping,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.load = sqlite_load,
	.apply = sqlite_apply,
	.job = sqlite_job,
	.migration = sqlite_migration,
	.has_handed_on = sqlite_has_handed_on,
	.jobs = sqlite_jobs,
	.count_jobs = sqlite_count_jobs,
	.migrations = sqlite_migrations,
	.segments = sqlite_segments,
	.decisions = sqlite_decisions,
	.changes = sqlite_changes,
	.setting = sqlite_setting,
	.set_setting = sqlite_set_setting,
	.idempotency = sqlite_idempotency,
	.add_idempotency = sqlite_add_idempotency,
	.forget_keys = sqlite_forget_keys,
	.add_energy = sqlite_add_energy,
	.fill_energy = sqlite_fill_energy,
	.energy = sqlite_energy,
	.job_energy = sqlite_job_energy,
	.age_energy = sqlite_age_energy,
	.energy_totals = sqlite_energy_totals,
	.add_bundle = sqlite_add_bundle,
	.bundle = sqlite_bundle,
	.bundles = sqlite_bundles,
	.open_bundle = sqlite_open_bundle,
	.log_size = sqlite_log_size,
	.append_log = sqlite_append_log,
	.open_log = sqlite_open_log,
};
