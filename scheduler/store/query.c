/*
 * Reading what is over as well as what lives; settings and idempotency keys.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

int sqlite_job(struct store *base, uint64_t id, struct job_record *out, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_jobs, "WHERE id = ?", &st, e), step;

	memset(out, 0, sizeof(*out));
	if (r)
		return r;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
	step = sqlite3_step(st);
	if (step == SQLITE_DONE)
		return err_set(e, -ENOENT, "there is no job %" PRIu64, id);
	if (step != SQLITE_ROW)
		return db_error(s->db, e, "reading a job");
	return store_read_job(st, out) ? err_set(e, -ENOMEM, "no memory for the job") : 0;
}

int sqlite_migration(struct store *base, uint64_t id, struct migration_record *out, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_migrations, "WHERE id = ?", &st, e), step;

	memset(out, 0, sizeof(*out));
	if (r)
		return r;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
	step = sqlite3_step(st);
	if (step == SQLITE_DONE)
		return err_set(e, -ENOENT, "there is no migration m%" PRIu64, id);
	if (step != SQLITE_ROW)
		return db_error(s->db, e, "reading a migration");
	return table_read(st, &table_migrations, out);
}

int sqlite_migrations(struct store *base, uint64_t job, bool newest, uint64_t after,
		      unsigned int limit, void (*fn)(struct migration_record *r, void *arg),
		      void *arg, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	static const char *const where[2][2] = {
		{"WHERE id > ?1 ORDER BY id LIMIT ?2",
		 "WHERE id > ?1 AND job = ?3 ORDER BY id LIMIT ?2"},
		{"WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
		 "WHERE id < ?1 AND job = ?3 ORDER BY id DESC LIMIT ?2"},
	};
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_migrations, where[newest][job != 0], &st, e);
	int step;

	if (r)
		return r;
	if (newest && !after)
		after = INT64_MAX;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)after);
	(void)sqlite3_bind_int64(st, 2, limit);
	if (job)
		(void)sqlite3_bind_int64(st, 3, (sqlite3_int64)job);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct migration_record rec = {0};

		r = table_read(st, &table_migrations, &rec);
		if (r)
			return r;
		fn(&rec, arg);
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading migrations");
}

bool sqlite_has_handed_on(struct store *base, uint64_t job, uint32_t attempt, const char *node)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;

	if (db_prepare(s->db,
		       "SELECT 1 FROM migrations WHERE job = ? AND attempt = ? AND from_node = ?"
		       " AND committed_ms > 0 LIMIT 1",
		       &st, NULL))
		return false;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)job);
	(void)sqlite3_bind_int64(st, 2, attempt);
	(void)sqlite3_bind_text(st, 3, node, -1, SQLITE_STATIC);
	return sqlite3_step(st) == SQLITE_ROW;
}

/* ---- settings ----------------------------------------------------------- */

int sqlite_setting(struct store *base, const char *key, char **out, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *st = s->st[ST_SETTING_GET];
	int step, r = 0;

	*out = NULL;
	(void)sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		*out = strdup((const char *)sqlite3_column_text(st, 0));
		if (!*out)
			r = err_set(e, -ENOMEM, "no memory for a setting");
	} else if (step != SQLITE_DONE) {
		r = db_error(s->db, e, "reading a setting");
	}
	(void)sqlite3_reset(st);
	return r;
}

int sqlite_set_setting(struct store *base, const char *key, const char *value, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *st = s->st[ST_SETTING_PUT];

	(void)sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
	return store_run(s, ST_SETTING_PUT, "writing a setting", e);
}

int sqlite_idempotency(struct store *base, const char *key, uint64_t *job,
		       char digest[CORE_SHA_SIZE], struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *st = s->st[ST_KEY_GET];
	int step, r = 0;

	*job = 0;
	digest[0] = '\0';
	(void)sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		*job = (uint64_t)sqlite3_column_int64(st, 0);
		(void)snprintf(digest, CORE_SHA_SIZE, "%s",
			       (const char *)sqlite3_column_text(st, 1));
	} else if (step != SQLITE_DONE) {
		r = db_error(s->db, e, "reading an idempotency key");
	}
	(void)sqlite3_reset(st);
	return r;
}

int sqlite_add_idempotency(struct store *base, const char *key, uint64_t job, const char *digest,
			   uint64_t now_ms, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	sqlite3_stmt *st = s->st[ST_KEY_PUT];

	(void)sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, (sqlite3_int64)job);
	(void)sqlite3_bind_text(st, 3, digest, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 4, (sqlite3_int64)now_ms);
	return store_run(s, ST_KEY_PUT, "writing an idempotency key", e);
}

int sqlite_forget_keys(struct store *base, uint64_t before_ms, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);

	(void)sqlite3_bind_int64(s->st[ST_KEY_FORGET], 1, (sqlite3_int64)before_ms);
	return store_run(s, ST_KEY_FORGET, "forgetting idempotency keys", e);
}
