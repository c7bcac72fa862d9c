/* drover queue: jobs, as squeue shows them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "common/buf.h"

static const char usage[] =
	"usage: drover queue [OPTION]...\n"
	"Lists jobs that wait or run, like squeue.\n"
	"\n"
	"  -a, --all            also those that have ended\n"
	"  -s, --state STATE    only these states: PENDING, RUNNING, MIGRATING, COMPLETED, "
	"FAILED,\n"
	"                       CANCELLED, TIMEOUT, NODE_FAIL; several separated by commas\n"
	"  -u, --user USER      only this user's\n"
	"  -n, --name NAME      only jobs of this name\n"
	"  -w, --node NODE      only those on this node\n"
	"  -A, --array JOB      only elements of this array\n"
	"  -i, --isa ISA        only those on this ISA\n"
	"  -l, --last N         only the newest N (at most 1000)\n" CLI_LIST_USAGE "\n"
	"ENERGY is what the job's own work took, modelled where its node has no meter (`drover\n"
	"energy` says which). An element of array 12 is shown as 12_3.\n";

static const struct option options[] = {{"all", no_argument, NULL, 'a'},
					{"state", required_argument, NULL, 's'},
					{"user", required_argument, NULL, 'u'},
					{"name", required_argument, NULL, 'n'},
					{"node", required_argument, NULL, 'w'},
					{"array", required_argument, NULL, 'A'},
					{"isa", required_argument, NULL, 'i'},
					{"last", required_argument, NULL, 'l'},
					CLI_LIST_OPTIONS,
					{NULL, 0, NULL, 0}};

struct queue {
	bool all;
	const char *state, *user, *name, *node, *array, *isa;
	const char *last; /* a number; NULL: all */
};

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

static void job_id(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *array = json_object_get(row, "array");
	const json_t *index = json_object_get(array, "index");

	cli_any(row, key, out, size);
	if (json_is_integer(index))
		(void)snprintf(out, size, "%s_%" JSON_INTEGER_FORMAT,
			       json_string_value(json_object_get(array, "id")),
			       json_integer_value(index));
}

/* Where it is, or in a word why it waits, with the sentence behind it. */
static void node_or_reason(const json_t *row, const char *key, char *out, size_t size)
{
	const char *node = json_string_value(json_object_get(row, key));
	const char *reason = json_string_value(json_object_get(row, "reason"));
	const char *code = json_string_value(json_object_get(row, "reason_code"));

	if (node)
		(void)snprintf(out, size, "%s", node);
	else if (code && *code && reason && *reason && strcmp(code, reason) != 0)
		(void)snprintf(out, size, "(%s: %.80s)", code, reason);
	else
		(void)snprintf(out, size, "(%.80s)",
			       code && *code       ? code
			       : reason && *reason ? reason
						   : "none");
}

static void run_time(const json_t *row, const char *key, char *out, size_t size)
{
	json_int_t start = json_integer_value(json_object_get(row, "started_ms"));
	json_int_t end = json_integer_value(json_object_get(row, "ended_ms"));
	json_t *span;

	(void)key;
	if (start && !end)
		end = (json_int_t)time(NULL) * 1000;
	span = json_pack("{s:I}", "ms", start && end > start ? end - start : (json_int_t)0);
	cli_span_ms(span, "ms", out, size);
	json_decref(span);
}

static const struct cli_column columns[] = {
	{"JOBID", "id", job_id, true, false},
	{"NAME", "name", cli_any, false, false},
	{"USER", "user", cli_any, false, false},
	{"ST", "state", short_state, false, false},
	{"TIME", "", run_time, true, false},
	{"CPUS", "cpus", cli_any, true, false},
	{"MOVES", "migrations", cli_any, true, false},
	{"ENERGY J", "energy_uj", cli_joules, true, false},
	{"ISA", "isa", cli_isa, false, false},
	{"NODE(REASON)", "node", node_or_reason, false, false},
	{"PRIORITY", "priority", cli_any, true, true},
	{"SUBMITTED", "submitted_ms", cli_time_ms, false, true},
	{"STARTED", "started_ms", cli_time_ms, false, true},
	{"ENDED", "ended_ms", cli_time_ms, false, true},
	{"MEMORY", "memory_bytes", cli_bytes, true, true},
	{"DOWNTIME", "downtime_us", cli_duration_us, true, true},
	{"KIND", "energy_kind", cli_any, false, true},
	{NULL, NULL, NULL, false, false},
};

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct queue *q = arg;

	if (opt == 'l' && (!*value || strlen(value) > 4 || value[strspn(value, "0123456789")] ||
			   strtoul(value, NULL, 10) < 1 || strtoul(value, NULL, 10) > 1000))
		return err_set(e, -EINVAL, "--last: '%.40s' is not from 1 to 1000", value);
	q->last = opt == 'l' ? value : q->last;
	q->all = q->all || opt == 'a' || opt == 's';
	q->state = opt == 's' ? value : q->state;
	q->user = opt == 'u' ? value : q->user;
	q->name = opt == 'n' ? value : q->name;
	q->node = opt == 'w' ? value : q->node;
	q->array = opt == 'A' ? value : q->array;
	q->isa = opt == 'i' ? value : q->isa;
	return 0;
}

/* The newest first, in one page. */
static int fetch_last(struct cli *c, struct buf *path, const char *n, json_t **rows, struct err *e)
{
	_cleanup_json_ json_t *page = NULL;
	int rc = buf_printf(path, "&order=newest&limit=%s", n);

	rc = rc ? err_set(e, rc, "the filters are too long") : cli_get(c, path->data, &page, e);
	if (!rc)
		*rows = json_incref(json_object_get(page, "jobs"));
	return rc;
}

static int round_trip(struct cli *c, void *arg, struct err *e)
{
	const struct queue *q = arg;
	const char *const filters[][2] = {{"state", q->state ? q->state
						    : q->all ? NULL
							     : "PENDING,RUNNING,MIGRATING"},
					  {"user", q->user},
					  {"name", q->name},
					  {"node", q->node},
					  {"array", q->array},
					  {"isa", q->isa}};
	_cleanup_json_ json_t *rows = NULL;
	_cleanup_buf_ struct buf path = {0};
	int rc;

	buf_init(&path, 2048);
	rc = buf_str(&path, q->last ? "/v1/jobs?since_ms=0" : "/v1/jobs?limit=1000");
	for (size_t i = 0; !rc && i < ARRAY_SIZE(filters); i++)
		if (filters[i][1])
			rc = cli_query(&path, filters[i][0], filters[i][1]);
	if (rc)
		return err_set(e, rc, "the filters are too long");
	rc = q->last ? fetch_last(c, &path, q->last, &rows, e)
		     : cli_fetch_all(c, path.data, "jobs", &rows, e);
	if (rc)
		return rc;
	if (!c->json)
		return cli_table(&c->view, columns, rows, e);
	cli_print_json(rows);
	return 0;
}

static int cmd_queue(int argc, char **argv)
{
	struct cli c = {.command = &command_queue};
	struct queue q = {.all = false};
	int rc = cli_parse(&c, argc, argv, take, &q, 0, 0);

	return rc ? rc : cli_watch(&c, round_trip, &q);
}

const struct command command_queue = {"queue", "", "list jobs", cmd_queue, options, usage};
