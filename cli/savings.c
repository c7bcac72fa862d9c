/* drover savings: what the cluster used beside what a baseline would have. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "common/buf.h"

static const char usage[] =
	"usage: drover savings [OPTION]...\n"
	"What the cluster used beside what a baseline would have used for the same jobs, which\n"
	"the scheduler replays under the baseline's policy on the baseline's machines. Both sides\n"
	"end at the same moment. The scaled columns are a projection: every machine's power as if\n"
	"it were made in the finest process among them. KIND says whether energy was measured,\n"
	"integrated from power, or modelled.\n"
	"Saved energy is - where the energy of more than 1 % of the nodes' time is not known.\n"
	"\n"
	"  -f, --from TIME      from then: -15m, -2h, -7d, 14:30, 2026-05-01T14:30, or\n"
	"                       milliseconds since 1970 [the first job]\n"
	"  -t, --to TIME        until then [now]\n"
	"  -B, --baseline WHAT  compare with POLICY@COUNT:PROFILE[,COUNT:PROFILE]... from now on,\n"
	"                       as static-x86@2:xeon-e5-1650-v2; `default` for the default "
	"again\n"
	"  -o, --columns LIST   these columns, separated by commas\n" CLI_TABLE_USAGE;

static const struct option options[] = {{"from", required_argument, NULL, 'f'},
					{"to", required_argument, NULL, 't'},
					{"baseline", required_argument, NULL, 'B'},
					CLI_LIST_OPTIONS,
					{NULL, 0, NULL, 0}};

struct savings {
	const char *from, *to, *baseline;
	bool set; /* the baseline is sent once */
};

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct savings *s = arg;
	int64_t ms;

	if (opt == 'B') {
		s->baseline = value;
		return 0;
	}
	*(opt == 'f' ? &s->from : &s->to) = value;
	return cli_parse_time(value, &ms, e);
}

/* ---- the baseline ------------------------------------------------------- */

/* POLICY@COUNT:PROFILE,... as PUT /v1/savings/baseline takes it. */
static int parse_baseline(const char *text, json_t **out, struct err *e)
{
	const char *at = strchr(text, '@'), *p = at ? at + 1 : "";
	json_t *cluster = json_array();

	*out = NULL;
	if (!strcmp(text, "default")) {
		json_decref(cluster);
		*out = json_pack("{s:b}", "default", 1);
		return 0;
	}
	while (*p) {
		size_t len = strcspn(p, ",");
		char *end;
		unsigned long count = strtoul(p, &end, 10);

		if (end == p || *end != ':' || (size_t)(end + 1 - p) >= len || !count)
			break;
		(void)json_array_append_new(cluster, json_pack("{s:s%, s:I}", "profile", end + 1,
							       len - (size_t)(end + 1 - p), "count",
							       (json_int_t)count));
		p += len;
		p += *p == ',';
	}
	if (!at || at == text || *p || !json_array_size(cluster)) {
		json_decref(cluster);
		err_set(e, -EINVAL, "--baseline: '%.60s' is not POLICY@COUNT:PROFILE,...", text);
		return err_hint(e, "for example static-x86@2:xeon-e5-1650-v2, or default"), -EINVAL;
	}
	*out = json_pack("{s:s%, s:o}", "policy", text, (size_t)(at - text), "cluster", cluster);
	return 0;
}

static int set_baseline(struct cli *c, struct savings *s, struct err *e)
{
	_cleanup_json_ json_t *body = NULL, *now = NULL;
	int rc = parse_baseline(s->baseline, &body, e);

	s->set = true;
	return rc ? rc : cli_json(c, "PUT", "/v1/savings/baseline", body, &now, e);
}

/* ---- the table ---------------------------------------------------------- */

static const struct cli_column columns[] = {
	{"", "what", cli_any, false, false},
	{"CLUSTER", "live", cli_any, true, false},
	{"BASELINE", "shadow", cli_any, true, false},
	{"SAVED", "saved", cli_any, true, false},
	{"CLUSTER SCALED", "scaled_live", cli_any, true, false},
	{"BASELINE SCALED", "scaled_shadow", cli_any, true, false},
	{"SAVED SCALED", "scaled_saved", cli_any, true, false},
	{NULL, NULL, NULL, false, false},
};

static const struct {
	const char *what, *key, *percent;
	double unit;
} figures[] = {{"energy J", "energy_j", "percent", 1},
	       {"energy-delay product kJ s", "edp_js", "edp_percent", 1000},
	       {"makespan s", "makespan_s", NULL, 1},
	       {"mean wait s", "mean_wait_s", NULL, 1},
	       {"95 % wait at most s", "p95_wait_s", NULL, 1}};

static void put_number(json_t *row, const char *prefix, const char *side, double v)
{
	char key[40], text[40];

	(void)snprintf(key, sizeof(key), "%s%s", prefix, side);
	(void)snprintf(text, sizeof(text), "%.3f", v);
	(void)json_object_set_new(row, key, json_string(text));
}

static double number_of(const json_t *from, const char *side, const char *key)
{
	return json_number_value(json_object_get(json_object_get(from, side), key));
}

static void add_half(json_t *row, const json_t *from, const char *prefix, size_t i)
{
	const json_t *percent = NULL, *saved = json_object_get(from, "saved");
	double live = number_of(from, "live", figures[i].key) / figures[i].unit;
	double shadow = number_of(from, "shadow", figures[i].key) / figures[i].unit;
	char key[40], text[64];

	put_number(row, prefix, "live", live);
	put_number(row, prefix, "shadow", shadow);
	if (figures[i].percent)
		percent = json_object_get(saved, figures[i].percent);
	(void)snprintf(key, sizeof(key), "%ssaved", prefix);
	(void)snprintf(text, sizeof(text), "%.3f", shadow - live);
	/* The scheduler says why in `withheld`. */
	if (figures[i].percent && !json_is_object(saved))
		(void)snprintf(text, sizeof(text), "-");
	else if (json_is_number(percent))
		(void)snprintf(text, sizeof(text), "%.3f (%.1f %%)", shadow - live,
			       json_number_value(percent));
	(void)json_object_set_new(row, key, json_string(text));
}

static void add_text(json_t *rows, const json_t *a, const char *what, const char *key)
{
	const json_t *scaled = json_object_get(a, "scaled");
	static const char *const sides[] = {"live", "shadow"};
	json_t *row = json_pack("{s:s}", "what", what);
	char name[40];

	for (size_t i = 0; i < 2; i++) {
		(void)json_object_set(row, sides[i],
				      json_object_get(json_object_get(a, sides[i]), key));
		(void)snprintf(name, sizeof(name), "scaled_%s", sides[i]);
		if (json_is_object(scaled))
			(void)json_object_set(
				row, name, json_object_get(json_object_get(scaled, sides[i]), key));
	}
	(void)json_array_append_new(rows, row);
}

static json_t *make_rows(const json_t *a)
{
	const json_t *scaled = json_object_get(a, "scaled");
	json_t *rows = json_array();

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		json_t *row = json_pack("{s:s}", "what", figures[i].what);

		add_half(row, a, "", i);
		if (json_is_object(scaled))
			add_half(row, scaled, "scaled_", i);
		(void)json_array_append_new(rows, row);
	}
	add_text(rows, a, "jobs ended", "jobs");
	add_text(rows, a, "jobs unfinished", "unfinished");
	add_text(rows, a, "kind", "kind");
	return rows;
}

/* What the comparison is with, and what must be known to trust it. */
static void print_notes(const json_t *a)
{
	const json_t *b = json_object_get(a, "baseline"), *scaled = json_object_get(a, "scaled");
	const char *policy = json_string_value(json_object_get(b, "policy"));
	static const struct {
		const char *key, *text;
	} notes[] = {
		{"estimated_jobs", "jobs whose work is not known by a measurement to its end"},
		{"refused_jobs", "jobs that fit no machine of the baseline, and are not in it"},
		{"narrowed_jobs", "jobs that get fewer cpus there, and run longer"},
		{"gap_ms", "ms for which the energy of a node is not known"}};
	char from[CLI_VALUE_MAX], to[CLI_VALUE_MAX];
	json_t *v;
	size_t i;

	cli_time_ms(a, "from_ms", from, sizeof(from));
	cli_time_ms(a, "to_ms", to, sizeof(to));
	(void)printf("\n%s to %s; baseline: %s on", from, to, policy ? policy : "?");
	json_array_foreach(json_object_get(b, "cluster"), i, v)(void)
		printf("%s %" JSON_INTEGER_FORMAT " x %s", i ? "," : "",
		       json_integer_value(json_object_get(v, "count")),
		       json_string_value(json_object_get(v, "profile")));
	(void)printf("\n");
	if (json_is_string(json_object_get(a, "withheld")))
		(void)printf("saved energy is withheld: %s\n",
			     json_string_value(json_object_get(a, "withheld")));
	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (json_integer_value(json_object_get(a, notes[i].key)))
			(void)printf("%" JSON_INTEGER_FORMAT " %s\n",
				     json_integer_value(json_object_get(a, notes[i].key)),
				     notes[i].text);
	if (json_is_true(json_object_get(a, "cut")))
		(void)printf("only the newest jobs: there are too many for all of them\n");
	if (json_is_object(scaled))
		(void)printf("scaled: %s\n", json_string_value(json_object_get(scaled, "note")));
}

static int show(struct cli *c, void *arg, struct err *e)
{
	struct savings *s = arg;
	const char *const given[] = {s->from, s->to}, *const keys[] = {"from_ms", "to_ms"};
	_cleanup_json_ json_t *a = NULL, *rows = NULL;
	_cleanup_buf_ struct buf path = {0};
	char text[24];
	int rc = s->baseline && !s->set ? set_baseline(c, s, e) : 0;

	if (rc)
		return rc;
	buf_init(&path, 256);
	rc = buf_str(&path, "/v1/savings");
	/* A moment like -15m moves on while --watch runs. */
	for (size_t i = 0; !rc && i < 2; i++) {
		int64_t ms = 0;

		if (!given[i] || cli_parse_time(given[i], &ms, NULL))
			continue;
		(void)snprintf(text, sizeof(text), "%" PRId64, ms < 0 ? 0 : ms);
		rc = cli_query(&path, keys[i], text);
	}
	if (!rc)
		rc = cli_get(c, path.data, &a, e);
	if (rc)
		return rc;
	if (c->json) {
		cli_print_json(a);
		return 0;
	}
	rows = make_rows(a);
	rc = cli_table(&c->view, columns, rows, e);
	if (!rc && !c->view.columns)
		print_notes(a);
	return rc;
}

static int cmd_savings(int argc, char **argv)
{
	struct cli c = {.command = &command_savings};
	struct savings s = {0};
	int rc = cli_parse(&c, argc, argv, take, &s, 0, 0);

	return rc ? rc : cli_watch(&c, show, &s);
}

const struct command command_savings = {
	"savings", "[OPTION]...", "what was saved against a baseline", cmd_savings, options, usage};
