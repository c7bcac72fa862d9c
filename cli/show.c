/* drover show: all that is known of one thing. */
#include <errno.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

static const char usage[] =
	"usage: drover show JOB|MIGRATION|NODE [--history] | --model [PROGRAM]\n"
	"Shows all that is known of a job (17), a migration (m5) or a node (arm-1).\n"
	"\n"
	"  -H, --history        what was decided about the job or node, why, with predicted and\n"
	"                       actual joules, and where the job ran\n"
	"  -m, --model          what the scheduler believes of each program's time and power on\n"
	"                       each ISA\n" CLI_USAGE;

static const struct option options[] = {{"history", no_argument, NULL, 'H'},
					{"model", no_argument, NULL, 'm'},
					CLI_OPTIONS,
					{NULL, 0, NULL, 0}};

struct show {
	bool history, model;
};

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct show *s = arg;

	(void)value;
	(void)e;
	s->history = s->history || opt == 'H';
	s->model = s->model || opt == 'm';
	return 0;
}

/* A job is a number, a migration "m" and a number, anything else a node. */
static const char *collection(const char *what)
{
	size_t digits = strspn(what, "0123456789");

	if (digits && !what[digits])
		return "/v1/jobs/";
	if (what[0] == 'm' && what[1] && !what[1 + strspn(what + 1, "0123456789")])
		return "/v1/migrations/";
	return "/v1/nodes/";
}

static const struct cli_column segment_columns[] = {
	CLI_SEGMENT_COLUMNS,
	{"CPU", "cpu_us", cli_duration_us, true, false},
	{"ENERGY J", "energy_uj", cli_joules, true, false},
	{"KIND", "energy_kind", cli_any, false, false},
	{"PREDICTED J", "predicted_j", cli_joules_j, true, false},
	{"OUTCOME", "outcome", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static const struct cli_column decision_columns[] = {
	{"AT", "time_ms", cli_time_ms, false, false},
	{"WHAT", "kind", cli_any, false, false},
	{"NODE", "node", cli_any, false, false},
	{"PREDICTED J", "predicted_j", cli_joules_j, true, false},
	{"ACTUAL J", "actual_j", cli_joules_j, true, false},
	{"REASON", "reason", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static const struct cli_column change_columns[] = {
	{"AT", "time_ms", cli_time_ms, false, false},
	{"STATE", "state", cli_any, false, false},
	{"PREDICTED J", "predicted_j", cli_joules_j, true, false},
	{"ACTUAL J", "actual_j", cli_joules_j, true, false},
	{"REASON", "reason", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static const struct cli_column model_columns[] = {
	{"PROGRAM", "program", cli_any, false, false},
	{"ARGS", "args", cli_any, false, false},
	{"ISA", "isa", cli_isa, false, false},
	{"RUNS", "runs", cli_any, true, false},
	{"SECONDS", "seconds", cli_any, true, false},
	{"WATTS", "watts", cli_watts, true, false},
	{"JOULES", "joules", cli_joules_j, true, false},
	{"CONFIDENCE", "confidence", cli_any, true, false},
	{"SOURCE", "source", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static int print(const struct cli *c, const struct show *s, const json_t *j, struct err *e)
{
	const struct cli_view *v = &c->view;
	json_t *segments = json_object_get(j, "segments");
	int rc;

	if (s->model)
		return cli_table(v, model_columns, json_object_get(j, "models"), e);
	if (!s->history) {
		cli_fields(j);
		return 0;
	}
	if (json_object_get(j, "changes"))
		return cli_table(v, change_columns, json_object_get(j, "changes"), e);
	rc = segments ? cli_table(v, segment_columns, segments, e) : 0;
	if (rc)
		return rc;
	(void)putchar('\n');
	return cli_table(v, decision_columns, json_object_get(j, "decisions"), e);
}

static int cmd_show(int argc, char **argv)
{
	struct cli c = {.command = &command_show};
	_cleanup_buf_ struct buf path = {0};
	_cleanup_json_ json_t *j = NULL;
	struct show s = {false, false};
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, take, &s, 0, 1);

	if (rc)
		return rc;
	if (!c.nargs && !s.model)
		return cli_usage(&c, "no job, migration or node is named");
	if (s.model) {
		rc = cli_path(&path, "/v1/models", "", "", &e);
		if (!rc && c.nargs)
			rc = cli_query(&path, "program", c.args[0]);
	} else {
		rc = cli_path(&path, collection(c.args[0]), c.args[0], s.history ? "/history" : "",
			      &e);
	}
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_get(&c, path.data, &j, &e);
	cli_close(&c);
	if (!rc && c.json)
		cli_print_json(j);
	else if (!rc)
		rc = print(&c, &s, j, &e);
	return rc ? cli_fail(&e) : 0;
}

const struct command command_show = {
	"show", "JOB|MIGRATION|NODE", "show all of one thing", cmd_show, options, usage};
