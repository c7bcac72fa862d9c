/* drover policy and cap: what the scheduler aims at. */
#include <errno.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"

static const char policy_usage[] =
	"usage: drover policy [NAME [OPTION=VALUE]...] [--list]\n"
	"Shows the policy and its options, or sets it. A value is a number, or yes or no.\n"
	"\n"
	"  -l, --list           the policies there are, and their options\n" CLI_USAGE;

static const struct option policy_options[] = {
	{"list", no_argument, NULL, 'l'}, CLI_OPTIONS, {NULL, 0, NULL, 0}};

/* KEY=NUMBER, or KEY=yes and KEY=no. */
static int add_option(json_t *policy, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	json_t *options = json_object_get(policy, "options"), *value;
	char key[64], *end = NULL;
	double v = eq ? strtod(eq + 1, &end) : 0;

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(key))
		return err_set(e, -EINVAL, "'%s' is not OPTION=VALUE", text);
	(void)snprintf(key, sizeof(key), "%.*s", (int)(eq - text), text);
	if (!strcmp(eq + 1, "yes") || !strcmp(eq + 1, "no"))
		value = json_boolean(eq[1] == 'y');
	else if (end == eq + 1 || *end)
		return err_set(e, -EINVAL, "%s: '%s' is neither a number nor yes or no", key,
			       eq + 1);
	else /* whole numbers go as such: some options take no others */
		value = strchr(eq, '.') ? json_real(v) : json_integer((json_int_t)v);
	if (!options) {
		options = json_object();
		(void)json_object_set_new(policy, "options", options);
	}
	(void)json_object_set_new(options, key, value);
	return 0;
}

static void print_policy(const json_t *p)
{
	const json_t *options = json_object_get(p, "options");
	const char *name = json_string_value(json_object_get(p, "name")), *key;
	char text[CLI_VALUE_MAX];
	json_t *v;

	(void)printf("%s\n", name ? name : "?");
	json_object_foreach((json_t *)(uintptr_t)options, key, v)
	{
		if (json_is_real(v))
			(void)snprintf(text, sizeof(text), "%g", json_real_value(v));
		else
			cli_any(options, key, text, sizeof(text));
		(void)printf("  %-16s %s\n", key, text);
	}
}

static void print_policies(const json_t *list)
{
	size_t i, k;
	json_t *p, *o;

	json_array_foreach((json_t *)(uintptr_t)list, i, p)
	{
		const char *summary = json_string_value(json_object_get(p, "summary"));
		char name[CLI_VALUE_MAX], key[64], value[64], unit[64], meaning[160];

		cli_any(p, "name", name, sizeof(name));
		(void)printf("%-18s %s\n", name, summary ? summary : "");
		json_array_foreach(json_object_get(p, "options"), k, o)
		{
			cli_any(o, "name", key, sizeof(key));
			cli_any(o, "default", value, sizeof(value));
			cli_any(o, "unit", unit, sizeof(unit));
			cli_any(o, "meaning", meaning, sizeof(meaning));
			(void)printf("    %-16s %s%s%s: %s\n", key, value,
				     strcmp(unit, "-") != 0 ? " " : "",
				     strcmp(unit, "-") != 0 ? unit : "", meaning);
		}
	}
}

static int take_list(void *arg, int opt, const char *value, struct err *e)
{
	bool *list = arg;

	(void)value;
	(void)e;
	*list = *list || opt == 'l';
	return 0;
}

static int cmd_policy(int argc, char **argv)
{
	struct cli c = {.command = &command_policy};
	_cleanup_json_ json_t *in = NULL, *out = NULL;
	struct err e = ERR_INIT;
	bool list = false;
	int rc = cli_parse(&c, argc, argv, take_list, &list, 0, 16);

	if (rc)
		return rc;
	if (c.nargs && !list)
		in = json_pack("{s:s}", "name", c.args[0]);
	for (int i = 1; !rc && i < c.nargs; i++)
		rc = add_option(in, c.args[i], &e);
	if (rc) {
		err_print("drover policy", &e);
		return EXIT_USAGE;
	}
	rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, in ? "PUT" : "GET", list ? "/v1/policies" : "/v1/policy", in,
			      &out, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	if (c.json)
		cli_print_json(out);
	else if (list)
		print_policies(json_object_get(out, "policies"));
	else
		print_policy(out);
	return 0;
}

const struct command command_policy = {"policy",
				       "[NAME [OPTION=VALUE]...]",
				       "show or set the policy",
				       cmd_policy,
				       policy_options,
				       policy_usage};

/* ---- power cap ---------------------------------------------------------- */

static const struct option cap_options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};

static int cmd_cap(int argc, char **argv)
{
	struct cli c = {.command = &command_cap};
	_cleanup_json_ json_t *in = NULL, *out = NULL;
	struct err e = ERR_INIT;
	char *end = NULL;
	double w;
	int rc = cli_parse(&c, argc, argv, NULL, NULL, 0, 1);

	if (rc)
		return rc;
	if (c.nargs && !strcmp(c.args[0], "none")) {
		in = json_pack("{s:n}", "cap_w");
	} else if (c.nargs) {
		w = strtod(c.args[0], &end);
		if (end == c.args[0] || *end || !(w > 0 && w <= 1e9))
			return cli_usage(&c, "the cap is a number of watts above 0, or none");
		in = json_pack("{s:f}", "cap_w", w);
	}
	rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, in ? "PUT" : "GET", "/v1/power-cap", in, &out, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	if (c.json)
		cli_print_json(out);
	else
		cli_fields(out);
	return 0;
}

const struct command command_cap = {
	"cap",
	"[WATTS|none]",
	"show or set the cluster's power cap",
	cmd_cap,
	cap_options,
	"usage: drover cap [WATTS|none]\n"
	"Shows or sets the power under which the scheduler keeps the cluster's predicted power:\n"
	"by placing, delaying and moving jobs. none lifts it.\n\n" CLI_USAGE};
