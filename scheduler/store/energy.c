/*
 * Energy readings in the store.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <string.h>

static int put_job_share(struct sqlite_store *s, sqlite3_int64 interval,
			 const struct energy_interval *i, const struct energy_job *j, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ENERGY_JOB_PUT];
	int r;

	(void)sqlite3_bind_int64(st, 1, interval);
	(void)sqlite3_bind_int64(st, 2, (sqlite3_int64)j->job);
	(void)sqlite3_bind_int64(st, 3, j->attempt);
	(void)sqlite3_bind_int64(st, 4, (sqlite3_int64)j->energy_uj);
	r = store_run(s, ST_ENERGY_JOB_PUT, "writing a job's energy", e);
	/* Two meters of overlapping scope must not count a joule twice. */
	if (r || !i->counted)
		return r;
	st = s->st[ST_JOB_ENERGY_ADD];
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)j->energy_uj);
	(void)sqlite3_bind_text(st, 2, i->kind, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 3, (sqlite3_int64)j->job);
	r = store_run(s, ST_JOB_ENERGY_ADD, "adding to a job's energy", e);
	if (r)
		return r;
	st = s->st[ST_SEGMENT_ENERGY];
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)j->energy_uj);
	(void)sqlite3_bind_text(st, 2, i->kind, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 3, (sqlite3_int64)j->job);
	(void)sqlite3_bind_int64(st, 4, j->attempt);
	(void)sqlite3_bind_text(st, 5, i->node, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 6, (sqlite3_int64)i->to_ms);
	return store_run(s, ST_SEGMENT_ENERGY, "adding to a segment's energy", e);
}

/* Is it part of a reading that was merged since? 1: yes. */
static int is_merged(struct sqlite_store *s, const struct energy_interval *i, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ENERGY_COVERING];
	int step, r = 0;

	if (i->from_ms >= s->merged_ms)
		return 0;
	(void)sqlite3_bind_text(st, 1, i->node, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 2, i->instance, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 3, i->meter, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 4, (sqlite3_int64)i->from_ms);
	step = sqlite3_step(st);
	if (step == SQLITE_ROW)
		r = (uint64_t)sqlite3_column_int64(st, 0) > i->from_ms;
	else if (step != SQLITE_DONE)
		r = db_error(s->db, e, "looking for an energy reading");
	(void)sqlite3_reset(st);
	return r;
}

static int add_to_total(struct sqlite_store *s, const struct energy_interval *i, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ENERGY_TOTAL];

	if (!i->counted)
		return 0;
	(void)sqlite3_bind_text(st, 1, i->node, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 2, i->source, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 3, i->kind, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 4, (sqlite3_int64)i->idle_uj);
	(void)sqlite3_bind_int64(st, 5, (sqlite3_int64)(i->energy_uj - i->idle_uj - i->system_uj));
	(void)sqlite3_bind_int64(st, 6, (sqlite3_int64)i->system_uj);
	return store_run(s, ST_ENERGY_TOTAL, "adding to a node's energy", e);
}

int store_put_energy(struct sqlite_store *s, const struct energy_interval *i, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_ENERGY_PUT];
	const char *const texts[] = {i->node, i->instance, i->meter, i->source, i->scope, i->kind};
	const uint64_t numbers[] = {i->from_ms,   i->to_ms,  i->energy_uj, i->idle_uj,
				    i->system_uj, i->gap_ms, i->counted};
	sqlite3_int64 id;
	int at = 1, r;

	for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
		(void)sqlite3_bind_text(st, at++, texts[k], -1, SQLITE_STATIC);
	for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
		(void)sqlite3_bind_int64(st, at++, (sqlite3_int64)numbers[k]);
	r = store_run(s, ST_ENERGY_PUT, "writing an energy reading", e);
	if (r || !sqlite3_changes(s->db))
		return r; /* here already */
	id = sqlite3_last_insert_rowid(s->db);
	r = add_to_total(s, i, e);
	for (uint32_t k = 0; !r && k < i->njobs; k++)
		r = put_job_share(s, id, i, &i->jobs[k], e);
	return r;
}

int sqlite_add_energy(struct store *base, const struct energy_interval *i, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_free_ struct energy_interval *less = NULL;
	uint64_t filled = 0;
	int r = is_merged(s, i, e);

	if (r)
		return r < 0 ? r : 0;
	r = i->counted ? store_filled_ms(s, i, &filled, e) : 0;
	if (r || !filled)
		return r ? r : store_put_energy(s, i, e);
	less = malloc(sizeof(*less));
	if (!less)
		return err_set(e, -ENOMEM, "no memory for an energy reading");
	*less = *i;
	store_take_off(less, filled);
	return store_put_energy(s, less, e);
}

/* ---- reading ---------------------------------------------------------------- */

static int read_shares(sqlite3_stmt *st, sqlite3_int64 interval, struct energy_interval *i)
{
	int step;

	(void)sqlite3_reset(st);
	(void)sqlite3_bind_int64(st, 1, interval);
	i->njobs = 0;
	while ((step = sqlite3_step(st)) == SQLITE_ROW && i->njobs < ENERGY_JOBS_MAX)
		i->jobs[i->njobs++] = (struct energy_job){
			.job = (uint64_t)sqlite3_column_int64(st, 0),
			.attempt = (uint32_t)sqlite3_column_int64(st, 1),
			.energy_uj = (uint64_t)sqlite3_column_int64(st, 2),
		};
	return step == SQLITE_DONE || step == SQLITE_ROW ? 0 : -EIO;
}

static void read_interval(sqlite3_stmt *st, struct energy_interval *i)
{
	uint64_t *const numbers[] = {&i->from_ms, &i->to_ms,     &i->energy_uj,
				     &i->idle_uj, &i->system_uj, &i->gap_ms};
	int at = 7;

	read_text(st, 1, i->node, sizeof(i->node));
	read_text(st, 2, i->instance, sizeof(i->instance));
	read_text(st, 3, i->meter, sizeof(i->meter));
	read_text(st, 4, i->source, sizeof(i->source));
	read_text(st, 5, i->scope, sizeof(i->scope));
	read_text(st, 6, i->kind, sizeof(i->kind));
	for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
		*numbers[k] = (uint64_t)sqlite3_column_int64(st, at++);
	i->counted = sqlite3_column_int(st, at) != 0;
}

int store_prepare_energy(sqlite3 *db, const char *tail, sqlite3_stmt **st, sqlite3_stmt **shares,
			 struct err *e)
{
	char sql[512];
	int r;

	(void)snprintf(sql, sizeof(sql),
		       "SELECT id, node, instance, meter, source, scope, kind, from_ms, to_ms,"
		       " energy_uj, idle_uj, system_uj, gap_ms, counted FROM energy %s",
		       tail);
	r = db_prepare(db, sql, st, e);
	return r ? r
		 : db_prepare(db,
			      "SELECT job, attempt, energy_uj FROM energy_jobs WHERE interval = ?",
			      shares, e);
}

int store_read_energy(sqlite3_stmt *st, sqlite3_stmt *shares, struct energy_interval *i)
{
	read_interval(st, i);
	return read_shares(shares, sqlite3_column_int64(st, 0), i);
}

/* Everything of the interval, on a connection of its own. */
static int read_energy(sqlite3 *db, uint64_t from_ms, uint64_t to_ms,
		       void (*fn)(const struct energy_interval *i, void *arg), void *arg,
		       struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL, *shares = NULL;
	_cleanup_free_ struct energy_interval *i = calloc(1, sizeof(*i));
	int r, step;

	if (!i)
		return err_set(e, -ENOMEM, "no memory for energy readings");
	r = store_prepare_energy(
		db,
		"WHERE from_ms > ?1 - ?3 AND from_ms < ?2 AND (to_ms > ?1 OR from_ms >= ?1)"
		" ORDER BY node, from_ms",
		&st, &shares, e);
	if (r)
		return r;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)from_ms);
	(void)sqlite3_bind_int64(st, 2, to_ms > INT64_MAX ? INT64_MAX : (sqlite3_int64)to_ms);
	(void)sqlite3_bind_int64(st, 3, ENERGY_LONGEST_MS);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		if (store_read_energy(st, shares, i))
			return db_error(db, e, "reading energy of jobs");
		fn(i, arg);
	}
	return step == SQLITE_DONE ? 0 : db_error(db, e, "reading energy");
}

int sqlite_energy(struct store *base, uint64_t from_ms, uint64_t to_ms,
		  void (*fn)(const struct energy_interval *i, void *arg), void *arg, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	struct reader *reader = store_reader_get(s, e);
	int r;

	if (!reader)
		return e ? e->code : -EIO;
	r = read_energy(reader->db, from_ms, to_ms, fn, arg, e);
	store_reader_put(s, reader);
	return r;
}

int sqlite_job_energy(struct store *base, uint64_t job,
		      void (*fn)(const struct energy_interval *i, uint32_t attempt,
				 uint64_t energy_uj, uint64_t idle_uj, void *arg),
		      void *arg, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_free_ struct energy_interval *i = calloc(1, sizeof(*i));
	int step, r;

	if (!i)
		return err_set(e, -ENOMEM, "no memory for energy readings");
	r = db_prepare(s->db,
		       "SELECT e.id, node, instance, meter, source, scope, kind, from_ms, to_ms,"
		       " e.energy_uj, idle_uj, system_uj, gap_ms, counted, j.attempt, j.energy_uj,"
		       " (SELECT SUM(energy_uj) FROM energy_jobs WHERE interval = e.id)"
		       " FROM energy_jobs j JOIN energy e ON e.id = j.interval"
		       " WHERE j.job = ? AND counted ORDER BY from_ms",
		       &st, e);
	if (r)
		return r;
	(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)job);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		uint64_t own = (uint64_t)sqlite3_column_int64(st, 15);
		uint64_t all = (uint64_t)sqlite3_column_int64(st, 16);

		read_interval(st, i);
		fn(i, (uint32_t)sqlite3_column_int64(st, 14), own,
		   all ? (uint64_t)((unsigned __int128)i->idle_uj * own / all) : 0, arg);
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading a job's energy");
}
