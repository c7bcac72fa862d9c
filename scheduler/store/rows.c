#include "scheduler/store/rows.h"

#include <errno.h>
#include <string.h>

#include "common/buf.h"

#define SQL_MAX 8192

int db_error(sqlite3 *db, struct err *e, const char *doing)
{
	int code = sqlite3_errcode(db);
	const char *file = sqlite3_db_filename(db, "main");
	struct err own;

	if (!e)
		e = &own;
	switch (code & 0xff) {
	case SQLITE_FULL:
		err_set(e, -ENOSPC, "%s: the disk with %s is full", doing, file);
		return err_hint(e, "make room; nothing that was acknowledged is lost");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_set(e, -EAGAIN, "%s: %s is locked by another program", doing, file);
		return err_hint(e, "end the program that holds it; see fuser(1)");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err_set(e, -EUCLEAN, "%s: %s is damaged: %s", doing, file, sqlite3_errmsg(db));
		return err_hint(e, "see \"A damaged database\" in docs/scheduler.md");
	case SQLITE_READONLY:
		return err_set(e, -EROFS, "%s: %s can't be written", doing, file);
	case SQLITE_NOMEM:
		return err_set(e, -ENOMEM, "%s: no memory", doing);
	default:
		return err_set(e, -EIO, "%s: %s: %s", doing, file, sqlite3_errmsg(db));
	}
}

int db_exec(sqlite3 *db, const char *sql, struct err *e)
{
	char doing[96];

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	(void)snprintf(doing, sizeof(doing), "database: %.*s", (int)strcspn(sql, "\n("), sql);
	return db_error(db, e, doing);
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e)
{
	char doing[96];

	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) == SQLITE_OK)
		return 0;
	(void)snprintf(doing, sizeof(doing), "preparing \"%.60s\"", sql);
	return db_error(db, e, doing);
}

static const char *sql_type(enum column_kind kind)
{
	switch (kind) {
	case COL_U64:
	case COL_U32:
	case COL_BOOL:
		return "INTEGER NOT NULL DEFAULT 0";
	case COL_F64:
		return "REAL NOT NULL DEFAULT 0";
	case COL_TEXT:
		return "TEXT NOT NULL DEFAULT ''";
	case COL_TEXTP:
		return "TEXT";
	}
	return "";
}

int table_create(sqlite3 *db, const struct table *t, struct err *e)
{
	_cleanup_buf_ struct buf sql;

	buf_init(&sql, SQL_MAX);
	(void)buf_printf(&sql, "CREATE TABLE IF NOT EXISTS %s (", t->name);
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		const char *type = i ? sql_type(c->kind)
				     : (c->kind == COL_U64 ? "INTEGER PRIMARY KEY"
							   : "TEXT PRIMARY KEY NOT NULL");

		(void)buf_printf(&sql, "%s%s %s", i ? ", " : "", c->name, type);
	}
	(void)buf_str(&sql, ")");
	return db_exec(db, buf_cstr(&sql), e);
}

int table_upgrade(sqlite3 *db, const struct table *t, struct err *e)
{
	for (size_t i = 1; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		char sql[160];
		int r;

		if (sqlite3_table_column_metadata(db, "main", t->name, c->name, NULL, NULL, NULL,
						  NULL, NULL) == SQLITE_OK)
			continue;
		(void)snprintf(sql, sizeof(sql), "ALTER TABLE %s ADD COLUMN %s %s", t->name,
			       c->name, sql_type(c->kind));
		r = db_exec(db, sql, e);
		if (r)
			return r;
	}
	return 0;
}

int table_prepare_upsert(sqlite3 *db, const struct table *t, sqlite3_stmt **out, struct err *e)
{
	_cleanup_buf_ struct buf sql, values, updates;
	bool first = true;

	buf_init(&sql, SQL_MAX);
	buf_init(&values, SQL_MAX);
	buf_init(&updates, SQL_MAX);
	(void)buf_printf(&sql, "INSERT INTO %s (", t->name);
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];

		if (c->apart)
			continue;
		(void)buf_printf(&sql, "%s%s", i ? ", " : "", c->name);
		(void)buf_str(&values, i ? ", ?" : "?");
		if (i) {
			(void)buf_printf(&updates, "%s%s = excluded.%s", first ? "" : ", ", c->name,
					 c->name);
			first = false;
		}
	}
	(void)buf_printf(&sql, ") VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s", buf_cstr(&values),
			 t->columns[0].name, buf_cstr(&updates));
	return db_prepare(db, buf_cstr(&sql), out, e);
}

static int bind_column(sqlite3_stmt *st, int at, const struct column *c, const void *row)
{
	const char *p = (const char *)row + c->offset;
	uint64_t u64;
	uint32_t u32;
	double f64;
	bool b;
	const char *text;

	switch (c->kind) {
	case COL_U64:
		memcpy(&u64, p, sizeof(u64));
		return sqlite3_bind_int64(st, at, (sqlite3_int64)u64);
	case COL_U32:
		memcpy(&u32, p, sizeof(u32));
		return sqlite3_bind_int64(st, at, (int32_t)u32);
	case COL_BOOL:
		memcpy(&b, p, sizeof(b));
		return sqlite3_bind_int(st, at, b);
	case COL_F64:
		memcpy(&f64, p, sizeof(f64));
		return sqlite3_bind_double(st, at, f64);
	case COL_TEXT:
		return sqlite3_bind_text(st, at, p, -1, SQLITE_STATIC);
	case COL_TEXTP:
		memcpy(&text, p, sizeof(text));
		return sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

int table_write(sqlite3_stmt *st, const struct table *t, const void *row, struct err *e)
{
	char doing[64];
	int at = 1, r = SQLITE_OK;

	for (size_t i = 0; i < t->ncolumns && r == SQLITE_OK; i++)
		if (!t->columns[i].apart)
			r = bind_column(st, at++, &t->columns[i], row);
	if (r == SQLITE_OK)
		r = sqlite3_step(st) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
	(void)snprintf(doing, sizeof(doing), "writing to table %s", t->name);
	if (r != SQLITE_OK)
		r = db_error(sqlite3_db_handle(st), e, doing);
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	return r;
}

int table_prepare_select(sqlite3 *db, const struct table *t, const char *tail, sqlite3_stmt **out,
			 struct err *e)
{
	_cleanup_buf_ struct buf sql;

	buf_init(&sql, SQL_MAX);
	(void)buf_str(&sql, "SELECT ");
	for (size_t i = 0; i < t->ncolumns; i++)
		(void)buf_printf(&sql, "%s%s", i ? ", " : "", t->columns[i].name);
	(void)buf_printf(&sql, " FROM %s %s", t->name, tail);
	return db_prepare(db, buf_cstr(&sql), out, e);
}

int table_read(sqlite3_stmt *st, const struct table *t, void *row)
{
	for (size_t i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		char *p = (char *)row + c->offset;
		int at = (int)i;
		uint64_t u64 = (uint64_t)sqlite3_column_int64(st, at);
		uint32_t u32 = (uint32_t)u64;
		double f64 = sqlite3_column_double(st, at);
		bool b = u64 != 0;
		const char *text = (const char *)sqlite3_column_text(st, at);
		char *copy = NULL;

		switch (c->kind) {
		case COL_U64:
			memcpy(p, &u64, sizeof(u64));
			break;
		case COL_U32:
			memcpy(p, &u32, sizeof(u32));
			break;
		case COL_BOOL:
			memcpy(p, &b, sizeof(b));
			break;
		case COL_F64:
			memcpy(p, &f64, sizeof(f64));
			break;
		case COL_TEXT:
			(void)snprintf(p, c->size, "%s", text ? text : "");
			break;
		case COL_TEXTP:
			if (text && !(copy = strdup(text)))
				return -ENOMEM;
			memcpy(p, &copy, sizeof(copy));
			break;
		}
	}
	return 0;
}
