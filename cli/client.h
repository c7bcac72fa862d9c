/*
 * What the subcommands that talk to a scheduler share: options, finding the
 * scheduler, asking it. Tables are in table.h.
 */
#ifndef DROVER_CLI_CLIENT_H
#define DROVER_CLI_CLIENT_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include "cli/command.h"
#include "common/config.h"
#include "common/err.h"
#include "common/http_client.h"
#include "common/json.h"

#define CLI_DEFAULT_SERVER "http://127.0.0.1:7700"

/* Options every such subcommand takes, as values of getopt_long's last field; a command's own are
 * letters (then also short options) or begin at CLI_OPT_OWN. */
enum {
	CLI_OPT_SERVER = 1000,
	CLI_OPT_JSON,
	CLI_OPT_CONFIG,
	CLI_OPT_HELP,
	CLI_OPT_COLUMNS,
	CLI_OPT_SORT,
	CLI_OPT_WATCH,
	CLI_OPT_NO_HEADER,
	CLI_OPT_CA,
	CLI_OPT_TOKEN_FILE,
	CLI_OPT_OWN = 1100
};
/* clang-format off */
#define CLI_OPTIONS                                              \
	{ "server", required_argument, NULL, CLI_OPT_SERVER },   \
	{ "ca", required_argument, NULL, CLI_OPT_CA },           \
	{ "token-file", required_argument, NULL, CLI_OPT_TOKEN_FILE }, \
	{ "json", no_argument, NULL, CLI_OPT_JSON },             \
	{ "config", required_argument, NULL, CLI_OPT_CONFIG },   \
	{ "help", no_argument, NULL, CLI_OPT_HELP }
/* Of commands that print tables. -o is short for --columns. */
#define CLI_LIST_OPTIONS                                         \
	{ "columns", required_argument, NULL, CLI_OPT_COLUMNS }, \
	{ "sort", required_argument, NULL, CLI_OPT_SORT },       \
	{ "watch", optional_argument, NULL, CLI_OPT_WATCH },     \
	{ "no-header", no_argument, NULL, CLI_OPT_NO_HEADER },   \
	CLI_OPTIONS
/* The ends of their usage texts. */
#define CLI_USAGE                                                \
	"      --json, --server URL, --ca FILE, --token-file FILE, --config FILE, --help\n"
#define CLI_TABLE_USAGE                                          \
	"      --sort COLUMN    in this order; -COLUMN reverses it\n" \
	"      --watch[=S]      again every S seconds [2] until interrupted\n" \
	"      --no-header      without the line of titles\n"      \
	CLI_USAGE
#define CLI_LIST_USAGE                                           \
	"  -o, --columns LIST   these columns, separated by commas (any field of --json too)\n" \
	CLI_TABLE_USAGE
/* clang-format on */

/* How a table is shown; see table.h. */
struct cli_view {
	const char *columns; /* --columns: names separated by commas; NULL: all of the table's */
	const char *sort;    /* --sort: a column's name, '-' before it reverses; NULL: as it came */
	double watch_s;      /* --watch: seconds between two tables; 0: once */
	bool no_header;
};

struct cli {
	const struct command *command;
	const char *server; /* as given; NULL: see cli_open */
	bool json;
	struct cli_view view;
	char **args; /* what is left of the command line */
	int nargs;
	struct http_client *http;
	char found[256]; /* the server that was found */
	const char *config_server;
	const char *ca, *token_file; /* NULL: $DROVER_CA, $DROVER_TOKEN_FILE */
	struct config config;
};

/* Takes an option of the command's own. */
typedef int cli_take(void *arg, int opt, const char *value, struct err *e);

/*
 * Reads the configuration file (drover.conf, or --config) and the command line.
 * take may be NULL when the command has no options of its own. With fewer than min
 * or more than max arguments, or a wrong option, it says so and returns
 * EXIT_USAGE; 0 when the command is to go on. --help prints and exits with 0.
 */
int cli_parse(struct cli *c, int argc, char **argv, cli_take *take, void *arg, int min, int max);

/* getopt's short options for a table: the letters among its values. */
void cli_short_options(const struct option *options, char *out, size_t size);

/*
 * Makes the connection's client: --server, else $DROVER_SERVER, else `server` of
 * the configuration, else the cluster that `drover up` started, else
 * CLI_DEFAULT_SERVER.
 */
int cli_open(struct cli *c, struct err *e);
void cli_close(struct cli *c);

/* As http_json(), with a hint when there is no scheduler. */
int cli_json(struct cli *c, const char *method, const char *path, const json_t *in, json_t **out,
	     struct err *e);

/* Fetches every page of a list; *out is an array of all its rows. */
int cli_fetch_all(struct cli *c, const char *path, const char *key, json_t **out, struct err *e);

/* One GET. */
int cli_get(struct cli *c, const char *path, json_t **out, struct err *e);

/* "before" + escaped name + "after" into p, which it initialises. */
int cli_path(struct buf *p, const char *before, const char *name, const char *after, struct err *e);
/* Appends ?key=value or &key=value, escaped. */
int cli_query(struct buf *p, const char *key, const char *value);

/* Prints the error and returns EXIT_DROVER. */
int cli_fail(const struct err *e);
/* Prints "drover COMMAND: text" and the usage's first line; returns EXIT_USAGE. */
int cli_usage(const struct cli *c, const char *text);

/* Prints j as indented JSON on stdout. */
void cli_print_json(const json_t *j);

/*
 * A moment: "now", "-90s", "-15m", "-2h", "-7d" (before now), "14:30" (today),
 * "2026-05-01", "2026-05-01T14:30[:00]" (local time), or milliseconds since 1970.
 */
int cli_parse_time(const char *text, int64_t *ms, struct err *e);

#endif
