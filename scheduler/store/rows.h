/*
 * Plain structures as rows of SQLite: one column table per structure drives
 * creation, writing and reading.
 */
#ifndef DROVER_SCHEDULER_STORE_ROWS_H
#define DROVER_SCHEDULER_STORE_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

enum column_kind {
	COL_U64,
	COL_U32, /* also enums and int32_t */
	COL_BOOL,
	COL_F64,
	COL_TEXT,  /* a char array in the structure */
	COL_TEXTP, /* a char pointer: allocated at reading */
};

struct column {
	const char *name;
	enum column_kind kind;
	size_t offset;
	size_t size;
	bool apart; /* kept by statements of its own: created and read, but not written with the row
		     */
};

#define COLUMN(type, kind, member, name)                                                           \
	{name, kind, offsetof(type, member), sizeof(((type *)0)->member), false}
#define COLUMN_APART(type, kind, member, name)                                                     \
	{name, kind, offsetof(type, member), sizeof(((type *)0)->member), true}

struct table {
	const char *name;
	const struct column *columns; /* the first is the primary key */
	size_t ncolumns;
};

/* "CREATE TABLE IF NOT EXISTS ..." */
int table_create(sqlite3 *db, const struct table *t, struct err *e);
/* Adds the columns that a table made by an earlier version lacks. */
int table_upgrade(sqlite3 *db, const struct table *t, struct err *e);
/* Prepares a statement that inserts or replaces the written columns; parameters in their order. */
int table_prepare_upsert(sqlite3 *db, const struct table *t, sqlite3_stmt **out, struct err *e);
int table_write(sqlite3_stmt *st, const struct table *t, const void *row, struct err *e);
/* "SELECT <columns> FROM t <tail>" */
int table_prepare_select(sqlite3 *db, const struct table *t, const char *tail, sqlite3_stmt **out,
			 struct err *e);
/* Reads the current row into *row, which the caller has zeroed; -ENOMEM. */
int table_read(sqlite3_stmt *st, const struct table *t, void *row);

/* Fills e from the last failure on db: what was done, what SQLite says, what to do about it. */
int db_error(sqlite3 *db, struct err *e, const char *doing);
int db_exec(sqlite3 *db, const char *sql, struct err *e);
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e);

static inline void cleanup_stmt(sqlite3_stmt **st)
{
	sqlite3_finalize(*st);
}
#define _cleanup_stmt_ __attribute__((cleanup(cleanup_stmt)))

#endif
