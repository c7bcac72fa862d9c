/*
 * Aligned tables like squeue's: columns by name, sorted, again every few seconds.
 */
#ifndef DROVER_CLI_TABLE_H
#define DROVER_CLI_TABLE_H

#include "cli/client.h"

#define CLI_VALUE_MAX   320
#define CLI_COLUMNS_MAX 32

/* How a table shows one value. */
typedef void cli_format(const json_t *row, const char *key, char *out, size_t size);

/*
 * A column's name for --columns and --sort is its title in small letters without
 * what isn't a letter or digit ("NODE(REASON)" is nodereason), or its key.
 */
struct cli_column {
	const char *title;
	const char *key;
	cli_format *format;
	bool right;  /* aligned to the right */
	bool hidden; /* shown only when asked for */
};

/* Strings, numbers and booleans as they are; null and what is missing as "-". */
cli_format cli_any;
cli_format cli_duration_us; /* "1.234 ms" */
cli_format cli_time_ms;     /* local time, "14:03:07", with the date if that is not today's */
cli_format cli_span_ms;     /* "1-02:03:04", "3:07" */
cli_format cli_joules;      /* from microjoules */
cli_format cli_joules_j;    /* from joules */
cli_format cli_watts;
cli_format cli_bytes;
cli_format cli_isa; /* with "(emulated)" when the row says so */

/*
 * Prints rows (an array of objects; it may be put in another order). Columns end
 * with a NULL title. -EINVAL when the view names a column there isn't; then e says
 * which there are.
 */
int cli_table(const struct cli_view *v, const struct cli_column *columns, json_t *rows,
	      struct err *e);

/* Prints the object's fields one to a line. */
void cli_fields(const json_t *object);

/* One round of a command that lists: asks and prints. Negative errno with e set. */
typedef int cli_round(struct cli *c, void *arg, struct err *e);

/*
 * Opens, runs the round once, or with --watch again and again until it is
 * interrupted, closes; returns the exit status.
 */
int cli_watch(struct cli *c, cli_round *round, void *arg);

/* The first columns of a table of segments: where a job ran, and when. */
#define CLI_SEGMENT_COLUMNS                                                                        \
	{"ATTEMPT", "attempt", cli_any, true, false}, {"NODE", "node", cli_any, false, false},     \
		{"ISA", "isa", cli_isa, false, false},                                             \
		{"FROM", "from_ms", cli_time_ms, false, false},                                    \
	{                                                                                          \
		"TO", "to_ms", cli_time_ms, false, false                                           \
	}

#endif
