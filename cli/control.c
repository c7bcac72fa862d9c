/* drover show, cancel, migrate, policy: one thing looked at or changed. */
#include <errno.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/buf.h"

/* Common options only; the arguments are left at argv[optind]. */
static int parse(int argc, char **argv, struct cli *c, int min, int max)
{
	static const struct option options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		(void)cli_option(c, opt);
	if (argc - optind < min)
		return cli_usage(c, "an argument is missing");
	return argc - optind > max ? cli_usage(c, "too many arguments") : 0;
}

static int make_path(struct buf *p, const char *before, const char *name, const char *after,
		     struct err *e)
{
	int rc;

	buf_init(p, 1024);
	rc = buf_str(p, before);
	if (!rc)
		rc = http_escape(p, name);
	if (!rc)
		rc = buf_str(p, after);
	return rc ? err_set(e, rc, "'%.60s...' is too long", name) : 0;
}

static void print_value(const char *key, const json_t *v)
{
	_cleanup_free_ char *text = NULL;
	char plain[CLI_VALUE_MAX];
	_cleanup_json_ json_t *row = NULL;

	if (json_is_object(v) || json_is_array(v)) {
		text = json_dumps(v, JSON_COMPACT);
		(void)printf("%-16s %s\n", key, text ? text : "");
		return;
	}
	row = json_pack("{s:O}", key, v);
	cli_any(row, key, plain, sizeof(plain));
	(void)printf("%-16s %s\n", key, plain);
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

int cmd_show(int argc, char **argv)
{
	struct cli c = {.usage =
				"usage: drover show JOB|MIGRATION|NODE [--json] [--server URL]\n"
				"Shows all that is known of a job (17), a migration (m5) or a node "
				"(arm-1).\n"};
	_cleanup_buf_ struct buf path = {0};
	_cleanup_json_ json_t *j = NULL;
	struct err e = ERR_INIT;
	const char *key;
	json_t *v;
	int rc = parse(argc, argv, &c, 1, 1);

	if (rc)
		return rc;
	rc = make_path(&path, collection(argv[optind]), argv[optind], "", &e);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, "GET", path.data, NULL, &j, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	if (c.json) {
		cli_print_json(j);
		return 0;
	}
	json_object_foreach(j, key, v) print_value(key, v);
	return 0;
}

int cmd_cancel(int argc, char **argv)
{
	struct cli c = {.usage = "usage: drover cancel JOB... [--json] [--server URL]\n"
				 "Ends jobs: SIGTERM, and SIGKILL five seconds later.\n"};
	struct err e = ERR_INIT;
	int rc = parse(argc, argv, &c, 1, 10000), status = 0;

	if (rc)
		return rc;
	if (cli_open(&c, &e))
		return cli_fail(&e);
	for (int i = optind; i < argc; i++) {
		_cleanup_buf_ struct buf path = {0};
		_cleanup_json_ json_t *out = NULL;

		err_clear(&e);
		rc = make_path(&path, "/v1/jobs/", argv[i], "", &e);
		if (!rc)
			rc = cli_json(&c, "DELETE", path.data, NULL, &out, &e);
		if (rc)
			status = cli_fail(&e);
		else if (c.json && out)
			cli_print_json(out);
	}
	cli_close(&c);
	return status;
}

int cmd_migrate(int argc, char **argv)
{
	struct cli c = {.usage = "usage: drover migrate JOB [NODE] [--json] [--server URL]\n"
				 "Moves a running job to NODE, or to one of the other ISA.\n"};
	_cleanup_buf_ struct buf path = {0};
	_cleanup_json_ json_t *in = NULL, *out = NULL;
	struct err e = ERR_INIT;
	int rc = parse(argc, argv, &c, 1, 2);

	if (rc)
		return rc;
	in = argc - optind == 2 ? json_pack("{s:s, s:s}", "node", argv[optind + 1], "reason",
					    "asked for by a user")
				: json_pack("{s:s}", "reason", "asked for by a user");
	rc = make_path(&path, "/v1/jobs/", argv[optind], "/migrate", &e);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, "POST", path.data, in, &out, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	if (c.json) {
		cli_print_json(out);
	} else {
		const char *id = json_string_value(json_object_get(out, "id"));
		const char *to = json_string_value(json_object_get(out, "to"));

		(void)printf("migration %s of job %s to %s\n", id ? id : "?", argv[optind],
			     to ? to : "?");
	}
	return 0;
}

/* KEY=NUMBER */
static int add_policy_option(json_t *policy, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	json_t *options = json_object_get(policy, "options");
	char key[64], *end = NULL;
	double v = eq ? strtod(eq + 1, &end) : 0;

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(key) || end == eq + 1 || *end)
		return err_set(e, -EINVAL, "'%s' is not OPTION=NUMBER", text);
	(void)snprintf(key, sizeof(key), "%.*s", (int)(eq - text), text);
	if (!options) {
		options = json_object();
		(void)json_object_set_new(policy, "options", options);
	}
	/* Whole numbers go as such: some options take no others. */
	(void)json_object_set_new(options, key,
				  strchr(eq, '.') ? json_real(v) : json_integer((json_int_t)v));
	return 0;
}

int cmd_policy(int argc, char **argv)
{
	struct cli c = {
		.usage = "usage: drover policy [NAME [OPTION=NUMBER]...] [--json] [--server URL]\n"
			 "Shows the policy, or sets it: balance, consolidate, static. Options:\n"
			 "hysteresis, cooldown_ms, settle_ms, max_in_flight, horizon_s.\n"};
	_cleanup_json_ json_t *in = NULL, *out = NULL;
	struct err e = ERR_INIT;
	const char *name;
	int rc = parse(argc, argv, &c, 0, 8);

	if (rc)
		return rc;
	if (optind < argc)
		in = json_pack("{s:s}", "name", argv[optind]);
	for (int i = optind + 1; !rc && i < argc; i++)
		rc = add_policy_option(in, argv[i], &e);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, in ? "PUT" : "GET", "/v1/policy", in, &out, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	name = json_string_value(json_object_get(out, "name"));
	if (c.json)
		cli_print_json(out);
	else
		(void)printf("%s\n", name ? name : argv[optind]);
	return 0;
}
