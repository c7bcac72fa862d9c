/*
 * Energy readings as they age: each second's is kept for an hour, then those that
 * follow each other are added up to ten seconds, after a day to five minutes, and
 * in the end they are removed. Sums over any range whose ends are not within a
 * merged reading stay what they were, to the microjoule; sums of jobs and
 * segments, which are kept beside them, do not change at all.
 *
 * Only readings of one meter, with the same labels and the same jobs, that touch
 * are merged. So idle energy attributed to jobs stays with those who had it, and a
 * reading that comes late into a gap is still known to be new.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define HOUR_MS 3600000ull
#define DAY_MS  (24 * HOUR_MS)

static const struct level {
	uint64_t age_ms, bucket_ms;
	const char *mark; /* setting: until where this is done */
} levels[] = {
	{HOUR_MS, 10000, "energy_merged_10s"},
	{DAY_MS, 300000, "energy_merged_5min"},
};

/* Readings that become one. */
struct run {
	struct energy_interval sum;
	sqlite3_int64 keep; /* the row that stays; 0: none yet */
	uint32_t n;
};

static int64_t get_mark(struct sqlite_store *s, const char *key, struct err *e)
{
	char *text = NULL;
	int64_t mark;
	int r = sqlite_setting(&s->base, key, &text, e);

	if (r)
		return r;
	mark = text ? (int64_t)strtoull(text, NULL, 10) : 0;
	free(text);
	return mark;
}

static int set_mark(struct sqlite_store *s, const char *key, uint64_t mark, struct err *e)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, mark);
	return sqlite_set_setting(&s->base, key, text, e);
}

static int run_sql(struct sqlite_store *s, const char *sql, const int64_t *args, int n,
		   struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db, sql, &st, e);

	for (int i = 0; !r && i < n; i++)
		(void)sqlite3_bind_int64(st, i + 1, args[i]);
	if (!r && sqlite3_step(st) != SQLITE_DONE)
		r = db_error(s->db, e, "merging energy readings");
	return r;
}

/* Writes a run of several as one row. */
static int write_run(struct sqlite_store *s, const struct run *u, struct err *e)
{
	const struct energy_interval *i = &u->sum;
	const int64_t row[] = {u->keep,
			       (int64_t)i->to_ms,
			       (int64_t)i->energy_uj,
			       (int64_t)i->idle_uj,
			       (int64_t)i->system_uj,
			       (int64_t)i->gap_ms};
	int r;

	if (u->n < 2)
		return 0;
	r = run_sql(s,
		    "UPDATE energy SET to_ms = ?2, energy_uj = ?3, idle_uj = ?4, system_uj = ?5,"
		    " gap_ms = ?6 WHERE id = ?1",
		    row, 6, e);
	for (uint32_t k = 0; !r && k < i->njobs; k++) {
		const int64_t share[] = {u->keep, (int64_t)i->jobs[k].job, i->jobs[k].attempt,
					 (int64_t)i->jobs[k].energy_uj};

		r = run_sql(s,
			    "UPDATE energy_jobs SET energy_uj = ?4 WHERE interval = ?1 AND job = ?2"
			    " AND attempt = ?3",
			    share, 4, e);
	}
	return r;
}

static int drop_row(struct sqlite_store *s, sqlite3_int64 id, struct err *e)
{
	const int64_t arg[] = {id};
	int r = run_sql(s, "DELETE FROM energy_jobs WHERE interval = ?1", arg, 1, e);

	return r ? r : run_sql(s, "DELETE FROM energy WHERE id = ?1", arg, 1, e);
}

/* Does i go on where the run ends, with the same labels and the same jobs? */
static bool continues(const struct run *u, const struct energy_interval *i)
{
	const struct energy_interval *a = &u->sum;

	if (!u->keep || a->to_ms != i->from_ms || a->njobs != i->njobs ||
	    a->counted != i->counted || strcmp(a->node, i->node) != 0 ||
	    strcmp(a->instance, i->instance) != 0 || strcmp(a->meter, i->meter) != 0 ||
	    strcmp(a->source, i->source) != 0 || strcmp(a->scope, i->scope) != 0 ||
	    strcmp(a->kind, i->kind) != 0)
		return false;
	for (uint32_t k = 0; k < i->njobs; k++)
		if (a->jobs[k].job != i->jobs[k].job || a->jobs[k].attempt != i->jobs[k].attempt)
			return false;
	return true;
}

static void add(struct run *u, const struct energy_interval *i)
{
	u->sum.to_ms = i->to_ms;
	u->sum.energy_uj += i->energy_uj;
	u->sum.idle_uj += i->idle_uj;
	u->sum.system_uj += i->system_uj;
	u->sum.gap_ms += i->gap_ms;
	for (uint32_t k = 0; k < i->njobs; k++)
		u->sum.jobs[k].energy_uj += i->jobs[k].energy_uj;
	u->n++;
}

/* The readings that begin in [from, to), which are sorted before the first is changed. */
static int merge(struct sqlite_store *s, int64_t from, int64_t to, struct err *e)
{
	_cleanup_free_ struct energy_interval *i = calloc(1, sizeof(*i));
	_cleanup_free_ struct run *u = calloc(1, sizeof(*u));
	_cleanup_stmt_ sqlite3_stmt *st = NULL, *shares = NULL;
	int r, step = SQLITE_DONE;

	if (!i || !u)
		return err_set(e, -ENOMEM, "no memory to merge energy readings");
	r = store_prepare_energy(s->db,
				 "WHERE from_ms >= ? AND from_ms < ?"
				 " ORDER BY node, instance, meter, +from_ms",
				 &st, &shares, e);
	if (r)
		return r;
	(void)sqlite3_bind_int64(st, 1, from);
	(void)sqlite3_bind_int64(st, 2, to);
	while (!r && (step = sqlite3_step(st)) == SQLITE_ROW) {
		sqlite3_int64 id = sqlite3_column_int64(st, 0);

		r = store_read_energy(st, shares, i);
		if (r)
			return db_error(s->db, e, "reading energy");
		if (continues(u, i)) {
			add(u, i);
			r = drop_row(s, id, e);
			continue;
		}
		r = write_run(s, u, e);
		u->sum = *i;
		u->keep = id;
		u->n = 1;
	}
	if (!r && step != SQLITE_DONE)
		r = db_error(s->db, e, "reading energy");
	return r ? r : write_run(s, u, e);
}

/* The first reading that begins at or after from; INT64_MAX if there is none. */
static int first_from(struct sqlite_store *s, int64_t from, int64_t *out, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db, "SELECT min(from_ms) FROM energy WHERE from_ms >= ?", &st, e);

	*out = INT64_MAX;
	if (r)
		return r;
	(void)sqlite3_bind_int64(st, 1, from);
	if (sqlite3_step(st) != SQLITE_ROW)
		return db_error(s->db, e, "reading energy");
	if (sqlite3_column_type(st, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(st, 0);
	return 0;
}

static int step_level(struct sqlite_store *s, const struct level *l, uint64_t now_ms, bool *more,
		      struct err *e)
{
	int64_t mark = get_mark(s, l->mark, e), first, bucket = (int64_t)l->bucket_ms;
	int r;

	if (mark < 0 || now_ms < l->age_ms)
		return mark < 0 ? (int)mark : 0;
	r = first_from(s, mark, &first, e);
	if (r || first == INT64_MAX)
		return r;
	mark = first - first % bucket;
	if ((uint64_t)mark + l->bucket_ms + l->age_ms > now_ms)
		return 0;
	*more = true;
	r = merge(s, mark, mark + bucket, e);
	if (!r)
		r = set_mark(s, l->mark, (uint64_t)(mark + bucket), e);
	if (!r && l == levels)
		s->merged_ms = (uint64_t)(mark + bucket);
	return r;
}

/* An hour's worth at a time. */
static int step_removal(struct sqlite_store *s, uint64_t before_ms, bool *more, struct err *e)
{
	int64_t first, args[2];
	int r = first_from(s, 0, &first, e);

	if (r || first == INT64_MAX || (uint64_t)first + HOUR_MS > before_ms)
		return r;
	*more = true;
	args[0] = first;
	args[1] = first + (int64_t)HOUR_MS;
	r = run_sql(s,
		    "DELETE FROM energy_jobs WHERE interval IN"
		    " (SELECT id FROM energy WHERE from_ms >= ?1 AND from_ms < ?2)",
		    args, 2, e);
	return r ? r
		 : run_sql(s, "DELETE FROM energy WHERE from_ms >= ?1 AND from_ms < ?2", args, 2,
			   e);
}

int sqlite_age_energy(struct store *base, uint64_t now_ms, uint64_t keep_ms, bool *more,
		      struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	int r = 0;

	*more = false;
	for (size_t i = 0; !r && i < ARRAY_SIZE(levels); i++)
		r = step_level(s, &levels[i], now_ms, more, e);
	if (!r && keep_ms && now_ms > keep_ms)
		r = step_removal(s, now_ms - keep_ms, more, e);
	return r;
}

int store_load_marks(struct sqlite_store *s, struct err *e)
{
	int64_t mark = get_mark(s, levels[0].mark, e);

	s->merged_ms = mark > 0 ? (uint64_t)mark : 0;
	return mark < 0 ? (int)mark : 0;
}

/* ---- totals ------------------------------------------------------------- */

int sqlite_energy_totals(struct store *base, void (*fn)(const struct energy_total *t, void *arg),
			 void *arg, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db,
			   "SELECT node, source, kind, idle_uj, jobs_uj, system_uj"
			   " FROM energy_totals ORDER BY node, source, kind",
			   &st, e),
	    step = SQLITE_DONE;

	while (!r && (step = sqlite3_step(st)) == SQLITE_ROW) {
		struct energy_total t = {0};

		(void)snprintf(t.node, sizeof(t.node), "%s",
			       (const char *)sqlite3_column_text(st, 0));
		(void)snprintf(t.source, sizeof(t.source), "%s",
			       (const char *)sqlite3_column_text(st, 1));
		(void)snprintf(t.kind, sizeof(t.kind), "%s",
			       (const char *)sqlite3_column_text(st, 2));
		t.idle_uj = (uint64_t)sqlite3_column_int64(st, 3);
		t.jobs_uj = (uint64_t)sqlite3_column_int64(st, 4);
		t.system_uj = (uint64_t)sqlite3_column_int64(st, 5);
		fn(&t, arg);
	}
	return r || step == SQLITE_DONE ? r : db_error(s->db, e, "reading energy totals");
}
