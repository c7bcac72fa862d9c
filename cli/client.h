/*
 * What the subcommands that talk to a scheduler share: finding it, asking it,
 * and showing its answers as aligned tables or as JSON.
 */
#ifndef DROVER_CLI_CLIENT_H
#define DROVER_CLI_CLIENT_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include "cli/command.h"
#include "common/err.h"
#include "common/http_client.h"
#include "common/json.h"

#define CLI_DEFAULT_SERVER "http://127.0.0.1:7700"
#define CLI_VALUE_MAX      320

/* Options every such subcommand takes, as values of getopt_long's last field. */
enum { CLI_OPT_SERVER = 1000, CLI_OPT_JSON, CLI_OPT_HELP, CLI_OPT_OWN };
/* clang-format off */
#define CLI_OPTIONS                                              \
	{ "server", required_argument, NULL, CLI_OPT_SERVER },   \
	{ "json", no_argument, NULL, CLI_OPT_JSON },             \
	{ "help", no_argument, NULL, CLI_OPT_HELP }
/* clang-format on */

struct cli {
	const char *usage;  /* shown by --help */
	const char *server; /* as given; NULL: see cli_open */
	bool json;
	struct http_client *http;
	char found[256]; /* the server that was found */
};

/*
 * Takes a common option. 1: taken; 0: it is not one. --help prints and exits the
 * program with 0, an unknown option exits with EXIT_USAGE.
 */
int cli_option(struct cli *c, int opt);

/*
 * Makes the connection's client: --server, else $DROVER_SERVER, else the cluster
 * that `drover up` started, else CLI_DEFAULT_SERVER.
 */
int cli_open(struct cli *c, struct err *e);
void cli_close(struct cli *c);

/* As http_json(), with a hint when there is no scheduler. */
int cli_json(struct cli *c, const char *method, const char *path, const json_t *in, json_t **out,
	     struct err *e);

/* Prints the error and returns EXIT_DROVER. */
int cli_fail(const struct err *e);
/* Prints "drover COMMAND: text" and the usage's first line; returns EXIT_USAGE. */
int cli_usage(const struct cli *c, const char *text);

/* Prints j as indented JSON on stdout. */
void cli_print_json(const json_t *j);

/* How a table shows one value. */
typedef void cli_format(const json_t *row, const char *key, char *out, size_t size);

struct cli_column {
	const char *title;
	const char *key;
	cli_format *format;
	bool right; /* aligned to the right */
};

/* Strings, numbers and booleans as they are; null and what is missing as "-". */
cli_format cli_any;
cli_format cli_duration_us; /* "1.234 ms" */
cli_format cli_time_ms;     /* local time of day, "14:03:07" */
cli_format cli_joules;      /* from microjoules */
cli_format cli_watts;
cli_format cli_bytes;
cli_format cli_isa; /* with "*" when the row says it is emulated */

/* Prints rows (an array of objects) under the titles; columns end with a NULL title. */
void cli_table(const struct cli_column *columns, const json_t *rows);

#endif
