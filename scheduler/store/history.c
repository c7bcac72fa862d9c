/*
 * What was decided and what came of it: segments of jobs, decisions on them,
 * changes of nodes, and what is believed of programs.
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/buf.h"

#define LAUNCH_MAX ((size_t)2 * 1024 * 1024)

static void bind_joules(sqlite3_stmt *st, int at, double j)
{
	if (isnan(j))
		(void)sqlite3_bind_null(st, at);
	else
		(void)sqlite3_bind_double(st, at, j);
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	(void)sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static void bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
	(void)sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

int store_put_segment(struct sqlite_store *s, const struct effect *f, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_SEGMENT_PUT];

	bind_u64(st, 1, f->job->id);
	bind_u64(st, 2, f->attempt);
	bind_u64(st, 3, f->epoch);
	bind_text(st, 4, f->node_name);
	bind_u64(st, 5, f->isa);
	bind_u64(st, 6, f->emulated);
	bind_u64(st, 7, f->started_ms);
	bind_u64(st, 8, f->ended_ms);
	bind_u64(st, 9, f->cpu_us);
	bind_joules(st, 10, f->predicted_j);
	bind_text(st, 11, f->outcome);
	return store_run(s, ST_SEGMENT_PUT, "writing a segment", e);
}

int store_put_decision(struct sqlite_store *s, const struct effect *f, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_DECISION_PUT];

	bind_u64(st, 1, f->job->id);
	bind_u64(st, 2, f->attempt);
	bind_u64(st, 3, f->epoch);
	bind_u64(st, 4, f->started_ms);
	bind_text(st, 5, f->what);
	bind_text(st, 6, f->node_name);
	bind_text(st, 7, f->outcome);
	bind_joules(st, 8, f->predicted_j);
	(void)sqlite3_bind_double(st, 9, f->stay_j);
	(void)sqlite3_bind_double(st, 10, f->go_s);
	return store_run(s, ST_DECISION_PUT, "writing a decision", e);
}

int store_put_change(struct sqlite_store *s, const struct effect *f, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_CHANGE_ACTUAL];
	int r = 0;

	if (!isnan(f->actual_j)) {
		/* What the sleep that ends here has saved. */
		(void)sqlite3_bind_double(st, 1, f->actual_j);
		bind_text(st, 2, f->node->name);
		r = store_run(s, ST_CHANGE_ACTUAL, "writing what a sleep saved", e);
	}
	if (r)
		return r;
	st = s->st[ST_CHANGE_PUT];
	bind_text(st, 1, f->node->name);
	bind_u64(st, 2, f->started_ms);
	bind_text(st, 3, f->what);
	bind_text(st, 4, f->outcome);
	bind_joules(st, 5, f->predicted_j);
	return store_run(s, ST_CHANGE_PUT, "writing a node's change", e);
}

int store_put_program(struct sqlite_store *s, const struct program *p, struct err *e)
{
	sqlite3_stmt *st = s->st[ST_MODEL_PUT];
	int r = 0;

	for (int k = 0; !r && k < 2 * ISA_COUNT; k++) {
		const struct belief *b = &p->of[k / 2][k % 2];

		if (!b->runs && !b->watt_runs)
			continue;
		bind_text(st, 1, p->bundle);
		bind_text(st, 2, p->name);
		bind_text(st, 3, p->args ? p->args : "");
		(void)sqlite3_bind_int(st, 4, k / 2);
		(void)sqlite3_bind_int(st, 5, k % 2);
		bind_u64(st, 6, b->runs);
		(void)sqlite3_bind_double(st, 7, b->work_s);
		(void)sqlite3_bind_double(st, 8, b->spread);
		(void)sqlite3_bind_double(st, 9, b->watts);
		bind_u64(st, 10, b->watt_runs);
		r = store_run(s, ST_MODEL_PUT, "writing a program's model", e);
	}
	return r;
}

int store_load_programs(struct sqlite_store *s, struct cluster *c, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(s->db,
			   "SELECT bundle, name, isa, emulated, runs, work_s, spread, watts,"
			   " watt_runs, args FROM beliefs",
			   &st, e),
	    step;

	if (r)
		return r;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		int isa = sqlite3_column_int(st, 2), emulated = sqlite3_column_int(st, 3);
		const char *args = (const char *)sqlite3_column_text(st, 9);
		_cleanup_buf_ struct buf launch;
		struct job_spec spec = {0};
		struct program *p;

		buf_init(&launch, LAUNCH_MAX);
		if (args && *args && buf_printf(&launch, "{\"args\":%s,\"env\":", args))
			return err_set(e, -ENOMEM, "no memory for the models");

		(void)snprintf(spec.bundle, sizeof(spec.bundle), "%s",
			       (const char *)sqlite3_column_text(st, 0));
		(void)snprintf(spec.name, sizeof(spec.name), "%s",
			       (const char *)sqlite3_column_text(st, 1));
		spec.launch = launch.len ? (char *)(uintptr_t)buf_cstr(&launch) : NULL;
		p = core_program(c, &spec);
		if (!p || isa < 0 || isa >= ISA_COUNT || emulated < 0 || emulated > 1)
			continue;
		p->of[isa][emulated] = (struct belief){
			.runs = (uint32_t)sqlite3_column_int64(st, 4),
			.work_s = sqlite3_column_double(st, 5),
			.spread = sqlite3_column_double(st, 6),
			.watts = sqlite3_column_double(st, 7),
			.watt_runs = (uint32_t)sqlite3_column_int64(st, 8),
		};
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading the models");
}

/* ---- reading ---------------------------------------------------------------- */

static double read_joules(sqlite3_stmt *st, int at)
{
	return sqlite3_column_type(st, at) == SQLITE_NULL ? (double)NAN
							  : sqlite3_column_double(st, at);
}

struct segment_call {
	void (*fn)(const struct segment_record *r, void *arg);
	void *arg;
};

static void segment_row(sqlite3_stmt *st, const void *to)
{
	const struct segment_call *call = to;
	struct segment_record rec = {
		.attempt = (uint32_t)sqlite3_column_int64(st, 0),
		.epoch = (uint32_t)sqlite3_column_int64(st, 1),
		.isa = sqlite3_column_int(st, 3) ? ISA_AARCH64 : ISA_X86_64,
		.emulated = sqlite3_column_int(st, 4) != 0,
		.from_ms = (uint64_t)sqlite3_column_int64(st, 5),
		.to_ms = (uint64_t)sqlite3_column_int64(st, 6),
		.cpu_us = (uint64_t)sqlite3_column_int64(st, 7),
		.energy_uj = (uint64_t)sqlite3_column_int64(st, 8),
		.predicted_j = read_joules(st, 10),
	};

	_Static_assert(ISA_X86_64 == 0, "the database keeps ISAs as their numbers");
	read_text(st, 2, rec.node, sizeof(rec.node));
	read_text(st, 9, rec.energy_kind, sizeof(rec.energy_kind));
	read_text(st, 11, rec.outcome, sizeof(rec.outcome));
	call->fn(&rec, call->arg);
}

struct decision_call {
	void (*fn)(const struct decision_record *r, void *arg);
	void *arg;
};

static void decision_row(sqlite3_stmt *st, const void *to)
{
	const struct decision_call *call = to;
	struct decision_record rec = {
		.attempt = (uint32_t)sqlite3_column_int64(st, 0),
		.epoch = (uint32_t)sqlite3_column_int64(st, 1),
		.time_ms = (uint64_t)sqlite3_column_int64(st, 2),
		.predicted_j = read_joules(st, 6),
		.stay_j = sqlite3_column_double(st, 7),
		.go_s = sqlite3_column_double(st, 8),
	};

	read_text(st, 3, rec.kind, sizeof(rec.kind));
	read_text(st, 4, rec.node, sizeof(rec.node));
	read_text(st, 5, rec.reason, sizeof(rec.reason));
	call->fn(&rec, call->arg);
}

struct change_call {
	void (*fn)(const struct change_record *r, void *arg);
	void *arg;
};

static void change_row(sqlite3_stmt *st, const void *to)
{
	const struct change_call *call = to;
	struct change_record rec = {
		.id = (uint64_t)sqlite3_column_int64(st, 0),
		.time_ms = (uint64_t)sqlite3_column_int64(st, 1),
		.predicted_j = read_joules(st, 4),
		.actual_j = read_joules(st, 5),
	};

	read_text(st, 2, rec.state, sizeof(rec.state));
	read_text(st, 3, rec.reason, sizeof(rec.reason));
	call->fn(&rec, call->arg);
}

/* A selection's columns and the rows that it wants. */
struct selection {
	const char *sql, *doing;
	const char *text;   /* its first parameter, or NULL: there is none of text */
	uint64_t number[2]; /* the parameters after that */
	int numbers;
	void (*row)(sqlite3_stmt *st, const void *to);
};

static int select_rows(sqlite3 *db, const struct selection *q, const void *to, struct err *e)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = db_prepare(db, q->sql, &st, e), at = 1, step;

	if (r)
		return r;
	if (q->text)
		bind_text(st, at++, q->text);
	for (int i = 0; i < q->numbers; i++)
		bind_u64(st, at++, q->number[i]);
	while ((step = sqlite3_step(st)) == SQLITE_ROW)
		q->row(st, to);
	return step == SQLITE_DONE ? 0 : db_error(db, e, q->doing);
}

int sqlite_segments(struct store *base, uint64_t job,
		    void (*fn)(const struct segment_record *r, void *arg), void *arg, struct err *e)
{
	const struct selection q = {
		.sql = "SELECT attempt, epoch, node, isa, emulated, from_ms, to_ms, cpu_us,"
		       " energy_uj, energy_kind, predicted_j, outcome FROM segments"
		       " WHERE job = ? ORDER BY attempt, epoch",
		.doing = "reading segments",
		.number = {job},
		.numbers = 1,
		.row = segment_row};
	struct sqlite_store *s = sqlite_of(base);
	struct reader *reader = store_reader_get(s, e);
	int r;

	if (!reader)
		return e ? e->code : -EIO;
	r = select_rows(reader->db, &q, &(struct segment_call){fn, arg}, e);
	store_reader_put(s, reader);
	return r;
}

int sqlite_decisions(struct store *base, uint64_t job,
		     void (*fn)(const struct decision_record *r, void *arg), void *arg,
		     struct err *e)
{
	const struct selection q = {
		.sql = "SELECT attempt, epoch, time_ms, kind, node, reason, predicted_j, stay_j,"
		       " go_s FROM decisions WHERE job = ? ORDER BY id",
		.doing = "reading decisions",
		.number = {job},
		.numbers = 1,
		.row = decision_row};

	return select_rows(sqlite_of(base)->db, &q, &(struct decision_call){fn, arg}, e);
}

#define CHANGES "SELECT id, time_ms, state, reason, predicted_j, actual_j FROM node_changes"

int sqlite_changes(struct store *base, const char *node, bool newest, uint64_t after,
		   unsigned int limit, void (*fn)(const struct change_record *r, void *arg),
		   void *arg, struct err *e)
{
	const struct selection q = {
		.sql = newest ? CHANGES " WHERE node = ? AND id < ? ORDER BY id DESC LIMIT ?"
			      : CHANGES " WHERE node = ? AND id > ? ORDER BY id LIMIT ?",
		.doing = "reading a node's changes",
		.text = node,
		.number = {newest && !after ? INT64_MAX : after, limit},
		.numbers = 2,
		.row = change_row};

	return select_rows(sqlite_of(base)->db, &q, &(struct change_call){fn, arg}, e);
}
