/* drover queue, nodes, migrations, energy: what there is, as tables. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/buf.h"

/* Fetches every page of a list; *out is an array of all its rows. */
static int fetch_all(struct cli *c, const char *path, const char *key, json_t **out, struct err *e)
{
	json_t *all = json_array();
	char cursor[128] = "";
	int rc;

	do {
		_cleanup_json_ json_t *page = NULL;
		_cleanup_buf_ struct buf p = {0};
		const char *next;

		buf_init(&p, 2048);
		rc = buf_str(&p, path);
		if (!rc && *cursor) {
			rc = buf_printf(&p, "%ccursor=", strchr(path, '?') ? '&' : '?');
			if (!rc)
				rc = http_escape(&p, cursor);
		}
		if (rc)
			rc = err_set(e, rc, "the address of %s is too long", path);
		else
			rc = cli_json(c, "GET", p.data, NULL, &page, e);
		if (rc)
			break;
		(void)json_array_extend(all, json_object_get(page, key));
		next = json_string_value(json_object_get(page, "next"));
		(void)snprintf(cursor, sizeof(cursor), "%s", next ? next : "");
	} while (*cursor);
	if (rc) {
		json_decref(all);
		return rc;
	}
	*out = all;
	return 0;
}

static int show_list(struct cli *c, const char *path, const char *key,
		     const struct cli_column *columns)
{
	_cleanup_json_ json_t *rows = NULL;
	struct err e = ERR_INIT;
	int rc = cli_open(c, &e);

	if (!rc)
		rc = fetch_all(c, path, key, &rows, &e);
	cli_close(c);
	if (rc)
		return cli_fail(&e);
	if (c->json)
		cli_print_json(rows);
	else
		cli_table(columns, rows);
	return 0;
}

/* squeue's two letters. */
static void short_state(const json_t *row, const char *key, char *out, size_t size)
{
	static const char *const names[][2] = {
		{"PENDING", "PD"}, {"RUNNING", "R"},    {"MIGRATING", "MG"}, {"COMPLETED", "CD"},
		{"FAILED", "F"},   {"CANCELLED", "CA"}, {"TIMEOUT", "TO"},   {"NODE_FAIL", "NF"},
	};
	const char *s = json_string_value(json_object_get(row, key));

	(void)snprintf(out, size, "%s", s ? s : "-");
	for (size_t i = 0; s && i < ARRAY_SIZE(names); i++)
		if (!strcmp(s, names[i][0]))
			(void)snprintf(out, size, "%s", names[i][1]);
}

static void node_or_reason(const json_t *row, const char *key, char *out, size_t size)
{
	const char *node = json_string_value(json_object_get(row, key));
	const char *reason = json_string_value(json_object_get(row, "reason"));

	if (node)
		(void)snprintf(out, size, "%s", node);
	else
		(void)snprintf(out, size, "(%.80s)", reason && *reason ? reason : "none");
}

static void run_time(const json_t *row, const char *key, char *out, size_t size)
{
	json_int_t start = json_integer_value(json_object_get(row, "started_ms"));
	json_int_t end = json_integer_value(json_object_get(row, "ended_ms"));

	(void)key;
	if (!start) {
		(void)snprintf(out, size, "0:00");
		return;
	}
	if (!end)
		end = (json_int_t)time(NULL) * 1000;
	end = end > start ? (end - start) / 1000 : 0;
	(void)snprintf(out, size, "%" JSON_INTEGER_FORMAT ":%02d", end / 60, (int)(end % 60));
}

static const struct cli_column queue_columns[] = {
	{"JOBID", "id", cli_any, true},
	{"NAME", "name", cli_any, false},
	{"USER", "user", cli_any, false},
	{"ST", "state", short_state, false},
	{"TIME", "", run_time, true},
	{"CPUS", "cpus", cli_any, true},
	{"MOVES", "migrations", cli_any, true},
	{"ENERGY J", "energy_uj", cli_joules, true},
	{"ISA", "isa", cli_isa, false},
	{"NODE(REASON)", "node", node_or_reason, false},
	{NULL, NULL, NULL, false},
};

static const char queue_usage[] =
	"usage: drover queue [--all] [--state STATE] [--user USER] [--json] [--server URL]\n"
	"Lists jobs that wait or run; with --all also those that have ended. ENERGY is modelled\n"
	"where the node has no meter (`drover energy` says which).\n";

int cmd_queue(int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, 'a'},
						{"state", required_argument, NULL, 's'},
						{"user", required_argument, NULL, 'u'},
						CLI_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct cli c = {.usage = queue_usage};
	_cleanup_json_ json_t *rows = NULL;
	_cleanup_buf_ struct buf path = {0};
	const char *state = NULL, *user = NULL;
	struct err e = ERR_INIT;
	bool all = false;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "as:u:", options, NULL)) != -1) {
		if (cli_option(&c, opt))
			continue;
		all = all || opt == 'a' || opt == 's';
		state = opt == 's' ? optarg : state;
		user = opt == 'u' ? optarg : user;
	}
	if (optind < argc)
		return cli_usage(&c, "queue takes no arguments");
	buf_init(&path, 2048);
	rc = buf_str(&path, "/v1/jobs?limit=500");
	if (!rc && state && !(rc = buf_str(&path, "&state=")))
		rc = http_escape(&path, state);
	if (!rc && user && !(rc = buf_str(&path, "&user=")))
		rc = http_escape(&path, user);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = fetch_all(&c, path.data, "jobs", &rows, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	for (size_t i = json_array_size(rows); !all && i-- > 0;) {
		json_int_t ended =
			json_integer_value(json_object_get(json_array_get(rows, i), "ended_ms"));

		if (ended)
			(void)json_array_remove(rows, i);
	}
	if (c.json)
		cli_print_json(rows);
	else
		cli_table(queue_columns, rows);
	return 0;
}

/* The ledger knows jobs by their number; people know them by name. */
static void add_names(struct cli *c, const json_t *energy_jobs)
{
	_cleanup_json_ json_t *jobs = NULL, *names = json_object();
	size_t i;
	json_t *row;

	if (fetch_all(c, "/v1/jobs?limit=500", "jobs", &jobs, NULL))
		return;
	json_array_foreach(jobs, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "id"));

		if (id)
			(void)json_object_set(names, id, json_object_get(row, "name"));
	}
	json_array_foreach((json_t *)(uintptr_t)energy_jobs, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "job"));
		json_t *name = id ? json_object_get(names, id) : NULL;

		if (name)
			(void)json_object_set(row, "name", name);
	}
}

/* Subcommands that only list: common options and no arguments. */
static int simple_list(int argc, char **argv, const char *usage, const char *path, const char *key,
		       const struct cli_column *columns)
{
	static const struct option options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};
	struct cli c = {.usage = usage};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		(void)cli_option(&c, opt);
	if (optind < argc)
		return cli_usage(&c, "it takes no arguments");
	return show_list(&c, path, key, columns);
}

static const struct cli_column node_columns[] = {
	{"NAME", "name", cli_any, false},
	{"STATE", "state", cli_any, false},
	{"ISA", "isa", cli_isa, false},
	{"CPUS", "cpus", cli_any, true},
	{"USED", "used_cpus", cli_any, true},
	{"JOBS", "jobs", cli_any, true},
	{"LOAD %", "cpu_percent", cli_any, true},
	{"POWER W", "power_w", cli_watts, true},
	{"POWER IS", "power_kind", cli_any, false},
	{"PROFILE", "profile", cli_any, false},
	{NULL, NULL, NULL, false},
};

int cmd_nodes(int argc, char **argv)
{
	return simple_list(argc, argv,
			   "usage: drover nodes [--json] [--server URL]\n"
			   "Lists the cluster's nodes; POWER IS says how its power is known.\n",
			   "/v1/nodes", "nodes", node_columns);
}

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
	{"ID", "id", cli_any, false},
	{"JOB", "job", cli_any, true},
	{"AT", "requested_ms", cli_time_ms, false},
	{"ROUTE", "", route, false},
	{"STATE", "state", cli_any, false},
	{"DOWNTIME", "downtime_us", cli_duration_us, true},
	{"SAVE", "save_us", cli_duration_us, true},
	{"TRANSFER", "transfer_us", cli_duration_us, true},
	{"LOAD", "load_us", cli_duration_us, true},
	{"REBUILD", "rebuild_us", cli_duration_us, true},
	{"IMAGE", "image_bytes", cli_bytes, true},
	{"REASON", "reason", reason_or_error, false},
	{NULL, NULL, NULL, false},
};

int cmd_migrations(int argc, char **argv)
{
	return simple_list(
		argc, argv,
		"usage: drover migrations [--json] [--server URL]\n"
		"Lists the moves of jobs between nodes: why, how long the job stood still.\n",
		"/v1/migrations?limit=500", "migrations", migration_columns);
}

static const struct cli_column energy_node_columns[] = {
	{"NODE", "node", cli_any, false},
	{"ENERGY J", "energy_uj", cli_joules, true},
	{"IDLE J", "idle_uj", cli_joules, true},
	{"JOBS J", "jobs_uj", cli_joules, true},
	{"SYSTEM J", "system_uj", cli_joules, true},
	{"KIND", "kind", cli_any, false},
	{"SOURCE", "source", cli_any, false},
	{"SCOPE", "scope", cli_any, false},
	{NULL, NULL, NULL, false},
};

static const struct cli_column energy_job_columns[] = {
	{"JOB", "job", cli_any, true},
	{"NAME", "name", cli_any, false},
	{"ENERGY J", "energy_uj", cli_joules, true},
	{"KIND", "kind", cli_any, false},
	{"SOURCE", "source", cli_any, false},
	{NULL, NULL, NULL, false},
};

static const char energy_usage[] =
	"usage: drover energy [--from-ms MS] [--to-ms MS] [--json] [--server URL]\n"
	"Energy by node and by job over an interval (of wall-clock milliseconds) or since the\n"
	"beginning. For each node: energy = idle + jobs + system. KIND says whether it was\n"
	"measured or modelled.\n";

int cmd_energy(int argc, char **argv)
{
	static const struct option options[] = {{"from-ms", required_argument, NULL, 'f'},
						{"to-ms", required_argument, NULL, 't'},
						CLI_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct cli c = {.usage = energy_usage};
	_cleanup_json_ json_t *j = NULL;
	const char *from = "", *to = "";
	struct err e = ERR_INIT;
	char path[160];
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (cli_option(&c, opt))
			continue;
		if (!*optarg || optarg[strspn(optarg, "0123456789")] || strlen(optarg) > 18)
			return cli_usage(&c, "times are whole milliseconds since 1970");
		from = opt == 'f' ? optarg : from;
		to = opt == 't' ? optarg : to;
	}
	if (optind < argc)
		return cli_usage(&c, "energy takes no arguments");
	(void)snprintf(path, sizeof(path), "/v1/energy?%s%s%s%s", *from ? "from_ms=" : "", from,
		       *to ? "&to_ms=" : "", to);
	rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, "GET", path, NULL, &j, &e);
	if (!rc)
		add_names(&c, json_object_get(j, "jobs"));
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	if (c.json) {
		cli_print_json(j);
		return 0;
	}
	cli_table(energy_node_columns, json_object_get(j, "nodes"));
	(void)putchar('\n');
	cli_table(energy_job_columns, json_object_get(j, "jobs"));
	return 0;
}
