/* drover nodes and migrations: lists that are fetched and shown. */
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

#define VIEW_USAGE "\n" CLI_LIST_USAGE

static const struct option options[] = {CLI_LIST_OPTIONS, {NULL, 0, NULL, 0}};

struct listing {
	const char *path, *key;
	const struct cli_column *columns;
};

static int round_trip(struct cli *c, void *arg, struct err *e)
{
	const struct listing *l = arg;
	_cleanup_json_ json_t *rows = NULL;
	int rc = cli_fetch_all(c, l->path, l->key, &rows, e);

	if (rc)
		return rc;
	if (!c->json)
		return cli_table(&c->view, l->columns, rows, e);
	cli_print_json(rows);
	return 0;
}

static int run_list(int argc, char **argv, const struct command *command, struct listing l)
{
	struct cli c = {.command = command};
	int rc = cli_parse(&c, argc, argv, NULL, NULL, 0, 0);

	return rc ? rc : cli_watch(&c, round_trip, &l);
}

/* ---- nodes -------------------------------------------------------------- */

/* sinfo's habit: a cordoned node that is up takes no new work. */
static void node_state(const json_t *row, const char *key, char *out, size_t size)
{
	char state[32];

	cli_any(row, key, state, sizeof(state));
	(void)snprintf(out, size, "%s%s", state,
		       json_is_true(json_object_get(row, "cordoned")) ? "+cordoned" : "");
}

static const struct cli_column node_columns[] = {
	{"NAME", "name", cli_any, false, false},
	{"STATE", "state", node_state, false, false},
	{"ISA", "isa", cli_isa, false, false},
	{"CPUS", "cpus", cli_any, true, false},
	{"USED", "used_cpus", cli_any, true, false},
	{"JOBS", "jobs", cli_any, true, false},
	{"LOAD %", "cpu_percent", cli_any, true, false},
	{"POWER W", "power_w", cli_watts, true, false},
	{"POWER IS", "power_kind", cli_any, false, false},
	{"PROFILE", "profile", cli_any, false, false},
	{"MEMORY", "memory_bytes", cli_bytes, true, true},
	{"USED MEMORY", "memory_used_bytes", cli_bytes, true, true},
	{"PREDICTED W", "predicted_w", cli_watts, true, true},
	{"SINCE", "since_ms", cli_time_ms, false, true},
	{"REASON", "state_reason", cli_any, false, true},
	{"ADDRESS", "address", cli_any, false, true},
	{NULL, NULL, NULL, false, false},
};

static int cmd_nodes(int argc, char **argv)
{
	return run_list(argc, argv, &command_nodes,
			(struct listing){"/v1/nodes", "nodes", node_columns});
}

const struct command command_nodes = {"nodes",
				      "",
				      "list nodes",
				      cmd_nodes,
				      options,
				      "usage: drover nodes [OPTION]...\n"
				      "Lists the cluster's nodes. POWER W follows from the load "
				      "and the machine's profile; POWER\n"
				      "IS says how power is known. `drover energy --meters NODE` "
				      "shows a node's meters.\n" VIEW_USAGE};

/* ---- migrations --------------------------------------------------------- */

static void route(const json_t *row, const char *key, char *out, size_t size)
{
	const char *from = json_string_value(json_object_get(row, "from"));
	const char *to = json_string_value(json_object_get(row, "to"));

	(void)key;
	(void)snprintf(out, size, "%s -> %s", from ? from : "?", to ? to : "?");
}

static void reason_or_error(const json_t *row, const char *key, char *out, size_t size)
{
	const char *error = json_string_value(json_object_get(row, "error"));
	const char *reason = json_string_value(json_object_get(row, key));

	if (error && *error)
		(void)snprintf(out, size, "%.100s [%.140s]", reason ? reason : "", error);
	else
		(void)snprintf(out, size, "%.200s", reason ? reason : "");
}

static const struct cli_column migration_columns[] = {
	{"ID", "id", cli_any, false, false},
	{"JOB", "job", cli_any, true, false},
	{"AT", "requested_ms", cli_time_ms, false, false},
	{"ROUTE", "", route, false, false},
	{"STATE", "state", cli_any, false, false},
	{"DOWNTIME", "downtime_us", cli_duration_us, true, false},
	{"SAVE", "save_us", cli_duration_us, true, false},
	{"TRANSFER", "transfer_us", cli_duration_us, true, false},
	{"LOAD", "load_us", cli_duration_us, true, false},
	{"REBUILD", "rebuild_us", cli_duration_us, true, false},
	{"IMAGE", "image_bytes", cli_bytes, true, false},
	{"REASON", "reason", reason_or_error, false, false},
	{"PREDICTED J", "predicted_saving_j", cli_joules_j, true, true},
	{"ENDED", "ended_ms", cli_time_ms, false, true},
	{NULL, NULL, NULL, false, false},
};

static int cmd_migrations(int argc, char **argv)
{
	return run_list(
		argc, argv, &command_migrations,
		(struct listing){"/v1/migrations?limit=1000", "migrations", migration_columns});
}

const struct command command_migrations = {"migrations",
					   "",
					   "list moves of jobs",
					   cmd_migrations,
					   options,
					   "usage: drover migrations [OPTION]...\n"
					   "Lists the moves of jobs between nodes: why, and how "
					   "long the job stood still.\n" VIEW_USAGE};
