/*
 * Lists of jobs, page by page, in order of their submission.
 *
 * A page costs the same whatever it asks for, also with millions of jobs: one
 * index is walked, or one for each state merged, and after SCAN_MAX rows the page
 * ends, full or not, with a cursor that goes on from there. It reads through a
 * connection of its own, so it neither waits for the writer nor holds it up.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/buf.h"

#define SCAN_MAX    10000
#define COUNT_OPS   1000 /* virtual machine steps between two looks at a count */
#define COUNT_MAX   1200 /* that often: then counting would take too long */
#define STATES_ANY  ((1u << JOB_STATE_COUNT) - 1)
#define STATES_LIVE ((1u << JOB_PENDING) | (1u << JOB_RUNNING) | (1u << JOB_MIGRATING))

/* ---- which index -------------------------------------------------------- */

struct plan {
	const char *index;
	const char *key; /* column that ?1 is compared with; NULL: none */
	bool by_state;   /* the index has the state next: one walk for each */
};

/* The index that leaves the fewest rows to look at, as far as that can be told beforehand. */
static struct plan choose(const struct job_filter *f)
{
	if (f->array)
		return (struct plan){"jobs_by_array", "array", false};
	if (f->user && f->states && f->states != STATES_ANY)
		return (struct plan){"jobs_by_user_state", "user", true};
	if (f->name)
		return (struct plan){"jobs_by_name", "name", false};
	if (f->states && !(f->states & ~STATES_LIVE))
		return (struct plan){"jobs_by_state_time", NULL, true};
	if (f->user)
		return (struct plan){"jobs_by_user_state", "user", true};
	if (f->node)
		return (struct plan){"jobs_by_node_state", "last_node", true};
	if (f->states)
		return (struct plan){"jobs_by_state_time", NULL, true};
	return (struct plan){"jobs_by_time", NULL, false};
}

static void bind_key(sqlite3_stmt *st, const struct plan *p, const struct job_filter *f)
{
	if (!p->key)
		return;
	if (!strcmp(p->key, "array"))
		(void)sqlite3_bind_int64(st, 1, (sqlite3_int64)f->array);
	else
		(void)sqlite3_bind_text(st, 1,
					!strcmp(p->key, "name")   ? f->name
					: !strcmp(p->key, "user") ? f->user
								  : f->node,
					-1, SQLITE_STATIC);
}

/* Bounds of submitted_ms, both inclusive, by the filter and the cursor. */
static void bounds(const struct job_filter *f, sqlite3_int64 *lo, sqlite3_int64 *hi)
{
	*lo = f->since_ms > INT64_MAX ? INT64_MAX : (sqlite3_int64)f->since_ms;
	*hi = !f->until_ms || f->until_ms > INT64_MAX ? INT64_MAX : (sqlite3_int64)f->until_ms - 1;
	if (!f->after.id)
		return;
	if (f->newest_first && (sqlite3_int64)f->after.ms < *hi)
		*hi = (sqlite3_int64)f->after.ms;
	if (!f->newest_first && (sqlite3_int64)f->after.ms > *lo)
		*lo = (sqlite3_int64)f->after.ms;
}

static int prepare_walk(sqlite3 *db, const struct plan *p, const struct job_filter *f, int state,
			sqlite3_stmt **out, struct err *e)
{
	_cleanup_buf_ struct buf tail = {0};
	sqlite3_int64 lo, hi;
	int r;

	buf_init(&tail, 1024);
	(void)buf_printf(&tail, "INDEXED BY %s WHERE submitted_ms >= ?3 AND submitted_ms <= ?4",
			 p->index);
	if (p->key)
		(void)buf_printf(&tail, " AND %s = ?1", p->key);
	if (state >= 0)
		(void)buf_str(&tail, " AND state = ?2");
	if (f->after.id)
		(void)buf_str(&tail, f->newest_first ? " AND (submitted_ms < ?5 OR id < ?6)"
						     : " AND (submitted_ms > ?5 OR id > ?6)");
	(void)buf_printf(&tail, " ORDER BY submitted_ms%s, id%s", f->newest_first ? " DESC" : "",
			 f->newest_first ? " DESC" : "");
	r = table_prepare_select(db, &table_jobs, buf_cstr(&tail), out, e);
	if (r)
		return r;
	bounds(f, &lo, &hi);
	bind_key(*out, p, f);
	if (state >= 0)
		(void)sqlite3_bind_int(*out, 2, state);
	(void)sqlite3_bind_int64(*out, 3, lo);
	(void)sqlite3_bind_int64(*out, 4, hi);
	if (f->after.id) {
		(void)sqlite3_bind_int64(*out, 5, (sqlite3_int64)f->after.ms);
		(void)sqlite3_bind_int64(*out, 6, (sqlite3_int64)f->after.id);
	}
	return 0;
}

/* ---- the walk ----------------------------------------------------------- */

struct walk {
	sqlite3_stmt *st[JOB_STATE_COUNT];
	bool row[JOB_STATE_COUNT]; /* st stands on one */
	int n;
	struct {
		int id, state, user, name, node, isa, array, submitted;
	} col;
	bool newest_first;
};

static int column_of(const char *name)
{
	for (size_t i = 0; i < table_jobs.ncolumns; i++)
		if (!strcmp(table_jobs.columns[i].name, name))
			return (int)i;
	return -1;
}

static int step_one(struct walk *w, int i, struct err *e)
{
	int step = sqlite3_step(w->st[i]);

	w->row[i] = step == SQLITE_ROW;
	return step == SQLITE_ROW || step == SQLITE_DONE
		       ? 0
		       : db_error(sqlite3_db_handle(w->st[i]), e, "reading jobs");
}

static int walk_open(struct walk *w, sqlite3 *db, const struct job_filter *f, struct err *e)
{
	struct plan p = choose(f);
	uint32_t states = f->states ? f->states : STATES_ANY;
	int r = 0;

	memset(w, 0, sizeof(*w));
	w->newest_first = f->newest_first;
	w->col.id = column_of("id");
	w->col.state = column_of("state");
	w->col.user = column_of("user");
	w->col.name = column_of("name");
	w->col.node = column_of("last_node");
	w->col.isa = column_of("last_isa");
	w->col.array = column_of("array");
	w->col.submitted = column_of("submitted_ms");
	for (int s = 0; !r && s < (p.by_state ? JOB_STATE_COUNT : 1); s++) {
		if (p.by_state && !(states & (1u << s)))
			continue;
		r = prepare_walk(db, &p, f, p.by_state ? s : -1, &w->st[w->n], e);
		if (!r)
			r = step_one(w, w->n++, e);
	}
	return r;
}

static void walk_close(struct walk *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(w->st); i++)
		sqlite3_finalize(w->st[i]);
}

static bool before(const struct walk *w, sqlite3_stmt *a, sqlite3_stmt *b)
{
	sqlite3_int64 ta = sqlite3_column_int64(a, w->col.submitted),
		      tb = sqlite3_column_int64(b, w->col.submitted),
		      ia = sqlite3_column_int64(a, w->col.id),
		      ib = sqlite3_column_int64(b, w->col.id);
	bool less = ta != tb ? ta < tb : ia < ib;

	return w->newest_first ? !less : less;
}

/* The walk whose row comes next, -1 at the end. */
static int walk_next(const struct walk *w)
{
	int best = -1;

	for (int i = 0; i < w->n; i++)
		if (w->row[i] && (best < 0 || before(w, w->st[i], w->st[best])))
			best = i;
	return best;
}

static bool text_is(sqlite3_stmt *st, int col, const char *wanted)
{
	const char *text = (const char *)sqlite3_column_text(st, col);

	return !wanted || (text && !strcmp(text, wanted));
}

/* Does q occur in the job's name or user, or is it its id? */
static bool contains(sqlite3_stmt *st, const struct walk *w, const char *q)
{
	const char *name = (const char *)sqlite3_column_text(st, w->col.name);
	const char *user = (const char *)sqlite3_column_text(st, w->col.user);
	char id[24];

	if ((name && strcasestr(name, q)) || (user && strcasestr(user, q)))
		return true;
	(void)snprintf(id, sizeof(id), "%lld", (long long)sqlite3_column_int64(st, w->col.id));
	return !strcmp(id, q);
}

static bool matches(sqlite3_stmt *st, const struct walk *w, const struct job_filter *f)
{
	int state = sqlite3_column_int(st, w->col.state);

	/* The ISA of a job that waits is that of its last attempt: not shown, so not found. */
	return (!f->states || (f->states & (1u << state))) && text_is(st, w->col.user, f->user) &&
	       text_is(st, w->col.name, f->name) && text_is(st, w->col.node, f->node) &&
	       (!f->array || (uint64_t)sqlite3_column_int64(st, w->col.array) == f->array) &&
	       (f->isa < 0 || (sqlite3_column_int(st, w->col.isa) == f->isa &&
			       state != JOB_PENDING && text_is(st, w->col.node, NULL) &&
			       *(const char *)sqlite3_column_text(st, w->col.node))) &&
	       (!f->q || contains(st, w, f->q));
}

int sqlite_jobs(struct store *base, const struct job_filter *f,
		void (*fn)(struct job_record *r, void *arg), void *arg, struct job_cursor *next,
		struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	struct reader *reader = store_reader_get(s, e);
	unsigned int found = 0, scanned = 0;
	struct walk w;
	int i, r;

	*next = (struct job_cursor){0, 0};
	if (!reader)
		return e ? e->code : -EIO;
	r = walk_open(&w, reader->db, f, e);
	while (!r && (i = walk_next(&w)) >= 0) {
		sqlite3_stmt *st = w.st[i];
		struct job_cursor here = {(uint64_t)sqlite3_column_int64(st, w.col.submitted),
					  (uint64_t)sqlite3_column_int64(st, w.col.id)};

		if (found == f->limit || scanned == SCAN_MAX)
			break;
		*next = here;
		scanned++;
		if (matches(st, &w, f)) {
			struct job_record rec = {0};

			found++;
			r = store_read_job(st, &rec) ? err_set(e, -ENOMEM, "no memory for the jobs")
						     : 0;
			if (!r)
				fn(&rec, arg);
			job_record_free(&rec);
		}
		if (!r)
			r = step_one(&w, i, e);
	}
	if (!r && walk_next(&w) < 0)
		*next = (struct job_cursor){0, 0};
	walk_close(&w);
	store_reader_put(s, reader);
	return r;
}

/* ---- counting ----------------------------------------------------------- */

static int too_long(void *arg)
{
	unsigned int *looks = arg;

	return ++*looks > COUNT_MAX;
}

static void count_conditions(struct buf *sql, const struct job_filter *f)
{
	(void)buf_str(sql, "SELECT count(*) FROM jobs WHERE 1");
	if (f->states)
		for (uint32_t s = 0, first = 1; s < JOB_STATE_COUNT; s++)
			if (f->states & (1u << s)) {
				(void)buf_printf(sql, "%s%" PRIu32,
						 first ? " AND state IN (" : ", ", s);
				first = 0;
			}
	if (f->states)
		(void)buf_str(sql, ")");
	if (f->user)
		(void)buf_str(sql, " AND user = ?1");
	if (f->name)
		(void)buf_str(sql, " AND name = ?2");
	if (f->node)
		(void)buf_str(sql, " AND last_node = ?3");
	if (f->isa >= 0)
		(void)buf_str(sql, " AND last_isa = ?4 AND state != 0 AND last_node != ''");
	if (f->array)
		(void)buf_str(sql, " AND array = ?5");
	if (f->since_ms)
		(void)buf_str(sql, " AND submitted_ms >= ?6");
	if (f->until_ms)
		(void)buf_str(sql, " AND submitted_ms < ?7");
	if (f->q)
		(void)buf_str(sql, " AND (instr(lower(name), lower(?8)) OR"
				   " instr(lower(user), lower(?8)) OR CAST(id AS TEXT) = ?8)");
	_Static_assert(JOB_PENDING == 0, "the condition on the ISA leaves out waiting jobs");
}

int sqlite_count_jobs(struct store *base, const struct job_filter *f, uint64_t *n, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	struct reader *reader = store_reader_get(s, e);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	_cleanup_buf_ struct buf sql = {0};
	unsigned int looks = 0;
	int r, step;

	*n = 0;
	if (!reader)
		return e ? e->code : -EIO;
	buf_init(&sql, 1024);
	count_conditions(&sql, f);
	r = db_prepare(reader->db, buf_cstr(&sql), &st, e);
	if (!r) {
		(void)sqlite3_bind_text(st, 1, f->user, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 2, f->name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 3, f->node, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int(st, 4, f->isa);
		(void)sqlite3_bind_int64(st, 5, (sqlite3_int64)f->array);
		(void)sqlite3_bind_int64(st, 6, (sqlite3_int64)f->since_ms);
		(void)sqlite3_bind_int64(st, 7, (sqlite3_int64)f->until_ms);
		(void)sqlite3_bind_text(st, 8, f->q, -1, SQLITE_STATIC);
		sqlite3_progress_handler(reader->db, COUNT_OPS, too_long, &looks);
		step = sqlite3_step(st);
		sqlite3_progress_handler(reader->db, 0, NULL, NULL);
		if (step == SQLITE_ROW)
			*n = (uint64_t)sqlite3_column_int64(st, 0);
		else if (looks > COUNT_MAX)
			r = -ERANGE;
		else
			r = db_error(reader->db, e, "counting jobs");
	}
	/* Before the connection goes back: it is another thread's then. */
	sqlite3_finalize(st);
	st = NULL;
	store_reader_put(s, reader);
	return r;
}
