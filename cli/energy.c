/* drover energy: by node and by job, as a series, of one job, of a node's meters. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "common/buf.h"

static const char usage[] =
	"usage: drover energy [OPTION]... [JOB]\n"
	"Energy by node and by job over an interval, or since the beginning; or of one job, by\n"
	"where it ran. For each node energy = idle + jobs + system. A job's ENERGY is what its "
	"own\n"
	"work took; WITH IDLE adds its share of the idle energy of the machines it ran on. KIND\n"
	"says whether a figure was measured, integrated from power, or modelled; a node that the\n"
	"scheduler has asleep counts by its profile. GAP is time for which nothing is known.\n"
	"\n"
	"  -f, --from TIME      from then: -15m, -2h, -7d, 14:30, 2026-05-01T14:30, or\n"
	"                       milliseconds since 1970 [the beginning]\n"
	"  -t, --to TIME        until then [now]\n"
	"  -S, --series         average power over time\n"
	"  -b, --by WHAT        with --series: node, job, isa, user, or zone (the meters of the "
	"node\n"
	"                       given by --key) [node]\n"
	"  -k, --key NAME       with --series: only this node, job, ISA or user\n"
	"  -r, --resolution S   with --series: seconds a point, at least [as fits]\n"
	"  -p, --points N       with --series: at most so many [20]\n"
	"  -m, --meters NODE    a node's meters: what they read, and their newest "
	"reading\n" CLI_LIST_USAGE;

static const struct option options[] = {{"from", required_argument, NULL, 'f'},
					{"to", required_argument, NULL, 't'},
					{"series", no_argument, NULL, 'S'},
					{"by", required_argument, NULL, 'b'},
					{"key", required_argument, NULL, 'k'},
					{"resolution", required_argument, NULL, 'r'},
					{"points", required_argument, NULL, 'p'},
					{"meters", required_argument, NULL, 'm'},
					CLI_LIST_OPTIONS,
					{NULL, 0, NULL, 0}};

struct energy {
	const char *from, *to, *by, *key, *meters, *job;
	double resolution_s;
	unsigned long points;
	bool series;
};

static int number(const char *option, const char *text, double lo, double hi, double *out,
		  struct err *e)
{
	char *end;

	*out = strtod(text, &end);
	if (*end || end == text || !(*out >= lo && *out <= hi))
		return err_set(e, -EINVAL, "%s: '%.40s' is not a number from %g to %g", option,
			       text, lo, hi);
	return 0;
}

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct energy *en = arg;
	int64_t ms;
	double n = 0;
	int rc;

	switch (opt) {
	case 'f':
		en->from = value;
		return cli_parse_time(value, &ms, e);
	case 't':
		en->to = value;
		return cli_parse_time(value, &ms, e);
	case 'S':
		en->series = true;
		return 0;
	case 'b':
		en->by = value;
		return 0;
	case 'k':
		en->key = value;
		return 0;
	case 'r':
		return number("--resolution", value, 0.001, 1e9, &en->resolution_s, e);
	case 'p':
		rc = number("--points", value, 1, 100000, &n, e);
		en->points = (unsigned long)n;
		return rc;
	default:
		en->meters = value;
		return 0;
	}
}

/* A moment like -15m moves on while --watch runs: it is read anew for each table. */
static int add_range(struct buf *path, const struct energy *en)
{
	const char *const given[] = {en->from, en->to}, *const keys[] = {"from_ms", "to_ms"};
	char text[24];
	int rc = 0;

	for (size_t i = 0; !rc && i < 2; i++) {
		int64_t ms = 0;

		if (!given[i] || cli_parse_time(given[i], &ms, NULL))
			continue;
		(void)snprintf(text, sizeof(text), "%" PRId64, ms < 0 ? 0 : ms);
		rc = cli_query(path, keys[i], text);
	}
	return rc;
}

/* ---- totals ------------------------------------------------------------- */

static void gap(const json_t *row, const char *key, char *out, size_t size)
{
	if (json_integer_value(json_object_get(row, key)))
		cli_span_ms(row, key, out, size);
	else
		(void)snprintf(out, size, "-");
}

static const struct cli_column node_columns[] = {
	{"NODE", "node", cli_any, false, false},
	{"ENERGY J", "energy_uj", cli_joules, true, false},
	{"IDLE J", "idle_uj", cli_joules, true, false},
	{"JOBS J", "jobs_uj", cli_joules, true, false},
	{"SYSTEM J", "system_uj", cli_joules, true, false},
	{"IDLE OF JOBS J", "idle_attributed_uj", cli_joules, true, false},
	{"GAP", "gap_ms", gap, true, false},
	{"KIND", "kind", cli_any, false, false},
	{"SOURCE", "source", cli_any, false, false},
	{"SCOPE", "scope", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static const struct cli_column job_columns[] = {
	{"JOB", "job", cli_any, true, false},
	{"NAME", "name", cli_any, false, false},
	{"ENERGY J", "energy_uj", cli_joules, true, false},
	{"WITH IDLE J", "energy_with_idle_uj", cli_joules, true, false},
	{"KIND", "kind", cli_any, false, false},
	{"SOURCE", "source", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

/* The ledger knows jobs by their number; people know them by name. */
static void add_names(struct cli *c, const json_t *jobs)
{
	size_t i;
	json_t *row;

	/* So many that names would take longer than the energy: numbers do. */
	if (json_array_size(jobs) > 200)
		return;
	json_array_foreach((json_t *)(uintptr_t)jobs, i, row)
	{
		const char *id = json_string_value(json_object_get(row, "job"));
		_cleanup_json_ json_t *job = NULL;
		_cleanup_buf_ struct buf path = {0};

		if (id && !cli_path(&path, "/v1/jobs/", id, "", NULL) &&
		    !cli_get(c, path.data, &job, NULL) && json_object_get(job, "name"))
			(void)json_object_set(row, "name", json_object_get(job, "name"));
	}
}

static int totals(struct cli *c, void *arg, struct err *e)
{
	_cleanup_json_ json_t *j = NULL;
	_cleanup_buf_ struct buf path = {0};
	int rc;

	buf_init(&path, 512);
	rc = buf_str(&path, "/v1/energy");
	if (!rc)
		rc = add_range(&path, arg);
	if (!rc)
		rc = cli_get(c, path.data, &j, e);
	if (rc)
		return rc;
	if (c->json) {
		cli_print_json(j);
		return 0;
	}
	add_names(c, json_object_get(j, "jobs"));
	/* Chosen columns are those of one table; the other keeps its own. */
	rc = cli_table(&c->view, node_columns, json_object_get(j, "nodes"), e);
	if (!rc && c->view.columns)
		return 0;
	(void)putchar('\n');
	return rc ? rc : cli_table(&c->view, job_columns, json_object_get(j, "jobs"), e);
}

/* ---- one job ------------------------------------------------------------ */

static const struct cli_column segment_columns[] = {
	CLI_SEGMENT_COLUMNS,
	{"ENERGY J", "energy_uj", cli_joules, true, false},
	{"WITH IDLE J", "energy_with_idle_uj", cli_joules, true, false},
	{"KIND", "kind", cli_any, false, false},
	{"SOURCE", "source", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static int one_job(struct cli *c, void *arg, struct err *e)
{
	const struct energy *en = arg;
	_cleanup_json_ json_t *j = NULL;
	_cleanup_buf_ struct buf path = {0};
	char total[32], idle[32];
	int rc = cli_path(&path, "/v1/jobs/", en->job, "/energy", e);

	if (!rc)
		rc = cli_get(c, path.data, &j, e);
	if (rc)
		return rc;
	if (c->json) {
		cli_print_json(j);
		return 0;
	}
	rc = cli_table(&c->view, segment_columns, json_object_get(j, "segments"), e);
	if (rc || c->view.columns)
		return rc;
	cli_joules(json_object_get(j, "total"), "energy_uj", total, sizeof(total));
	cli_joules(json_object_get(j, "total"), "energy_with_idle_uj", idle, sizeof(idle));
	(void)printf("\ntotal %s J, with its share of idle energy %s J\n", total, idle);
	return 0;
}

/* ---- series ------------------------------------------------------------- */

static const struct cli_column point_columns[] = {
	{"KEY", "key", cli_any, false, false},
	{"FROM", "from_ms", cli_time_ms, false, false},
	{"AVERAGE W", "avg_w", cli_watts, true, false},
	{"ENERGY J", "energy_uj", cli_joules, true, false},
	{"KIND", "kind", cli_any, false, false},
	{"SOURCE", "source", cli_any, false, false},
	{"SCOPE", "scope", cli_any, false, true},
	{NULL, NULL, NULL, false, false},
};

/* [[t, w, uj], ...] of every series, one row a point. */
static json_t *flatten(const json_t *answer)
{
	json_t *rows = json_array(), *s, *p;
	size_t i, k;

	json_array_foreach(json_object_get(answer, "series"), i, s)
		json_array_foreach(json_object_get(s, "points"), k, p)
	{
		json_t *row =
			json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?, s:O?, s:O?}", "key",
				  json_object_get(s, "key"), "kind", json_object_get(s, "kind"),
				  "source", json_object_get(s, "source"), "scope",
				  json_object_get(s, "scope"), "from_ms", json_array_get(p, 0),
				  "avg_w", json_array_get(p, 1), "energy_uj", json_array_get(p, 2));

		(void)json_array_append_new(rows, row);
	}
	return rows;
}

static int series(struct cli *c, void *arg, struct err *e)
{
	const struct energy *en = arg;
	_cleanup_json_ json_t *j = NULL, *rows = NULL;
	_cleanup_buf_ struct buf path = {0};
	int rc;

	buf_init(&path, 1024);
	rc = buf_printf(&path, "/v1/energy/series?points=%lu", en->points);
	if (!rc)
		rc = cli_query(&path, "by", en->by);
	if (!rc && en->key)
		rc = cli_query(&path, "key", en->key);
	if (!rc && en->resolution_s > 0)
		rc = buf_printf(&path, "&resolution_ms=%.0f", en->resolution_s * 1000);
	if (!rc)
		rc = add_range(&path, en);
	if (rc)
		return err_set(e, rc, "the options are too long");
	rc = cli_get(c, path.data, &j, e);
	if (rc)
		return rc;
	if (c->json) {
		cli_print_json(j);
		return 0;
	}
	rows = flatten(j);
	return cli_table(&c->view, point_columns, rows, e);
}

/* ---- meters ------------------------------------------------------------- */

static const struct cli_column meter_columns[] = {
	{"METER", "name", cli_any, false, false},
	{"SOURCE", "source", cli_any, false, false},
	{"SCOPE", "scope", cli_any, false, false},
	{"KIND", "kind", cli_any, false, false},
	{"COUNTED", "counted", cli_any, false, false},
	{"POWER W", "power_w", cli_watts, true, false},
	{"AT", "time_ms", cli_time_ms, false, false},
	{"ZONES", "zones", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static int meters(struct cli *c, void *arg, struct err *e)
{
	const struct energy *en = arg;
	_cleanup_json_ json_t *j = NULL;
	_cleanup_buf_ struct buf path = {0};
	int rc = cli_path(&path, "/v1/nodes/", en->meters, "/meters", e);

	if (!rc)
		rc = cli_get(c, path.data, &j, e);
	if (rc)
		return rc;
	if (!c->json)
		return cli_table(&c->view, meter_columns, json_object_get(j, "meters"), e);
	cli_print_json(j);
	return 0;
}

static int cmd_energy(int argc, char **argv)
{
	struct cli c = {.command = &command_energy};
	struct energy en = {.by = "node", .points = 20};
	int rc = cli_parse(&c, argc, argv, take, &en, 0, 1);

	if (rc)
		return rc;
	en.job = c.nargs ? c.args[0] : NULL;
	if ((en.job != NULL) + (en.meters != NULL) + en.series > 1)
		return cli_usage(&c, "only one of JOB, --series and --meters can be asked for");
	return cli_watch(&c,
			 en.meters   ? meters
			 : en.job    ? one_job
			 : en.series ? series
				     : totals,
			 &en);
}

const struct command command_energy = {
	"energy", "[OPTION]... [JOB]", "energy by node and by job", cmd_energy, options, usage};
