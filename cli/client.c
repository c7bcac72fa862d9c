/* See client.h. */
#include "cli/client.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/cluster.h"
#include "common/buf.h"
#include "common/clock.h"

static const struct option config_options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};

/* 1: taken. */
static int take_common(struct cli *c, int opt, const char *value, struct err *e)
{
	char *end;

	switch (opt) {
	case CLI_OPT_SERVER:
		c->server = value;
		return 1;
	case CLI_OPT_CA:
		c->ca = value;
		return 1;
	case CLI_OPT_TOKEN_FILE:
		c->token_file = value;
		return 1;
	case CLI_OPT_JSON:
		c->json = true;
		return 1;
	case CLI_OPT_CONFIG: /* read before the command line */
		return 1;
	case CLI_OPT_COLUMNS:
		c->view.columns = value;
		return 1;
	case CLI_OPT_SORT:
		c->view.sort = value;
		return 1;
	case CLI_OPT_NO_HEADER:
		c->view.no_header = true;
		return 1;
	case CLI_OPT_WATCH:
		c->view.watch_s = value ? strtod(value, &end) : 2;
		if (value && (*end || !(c->view.watch_s >= 0.1 && c->view.watch_s <= 86400)))
			return err_set(e, -EINVAL,
				       "--watch: '%.40s' is not a number of seconds from 0.1",
				       value);
		return 1;
	default:
		return 0;
	}
}

static int take_setting(void *arg, int opt, const char *value, struct err *e)
{
	struct cli *c = arg;
	int rc;

	if (opt == CLI_OPT_SERVER) {
		c->config_server = value;
		return 0;
	}
	rc = take_common(c, opt, value, e);
	return rc < 0 ? rc : 0;
}

static bool has_option(const struct option *options, int val)
{
	for (; options->name; options++)
		if (options->val == val)
			return true;
	return false;
}

void cli_short_options(const struct option *options, char *out, size_t size)
{
	size_t n = 0;

	if (!has_option(options, 'h'))
		out[n++] = 'h';
	for (; options->name && n + 4 < size; options++) {
		int v = options->val == CLI_OPT_COLUMNS ? 'o' : options->val;

		if (v > 127 || !isalpha(v))
			continue;
		out[n++] = (char)v;
		if (options->has_arg != no_argument)
			out[n++] = ':';
		if (options->has_arg == optional_argument)
			out[n++] = ':';
	}
	out[n] = '\0';
}

/* Wrong usage: the message, its hint and how it is used. */
static int wrong(const struct cli *c, const struct err *e)
{
	char program[80];

	(void)snprintf(program, sizeof(program), "drover %s", c->command->name);
	err_print(program, e);
	(void)fprintf(stderr, "%.*s\n", (int)strcspn(c->command->usage, "\n"), c->command->usage);
	return EXIT_USAGE;
}

static int parse_options(struct cli *c, int argc, char **argv, cli_take *take, void *arg)
{
	const struct option *options = c->command->options;
	bool columns = has_option(options, CLI_OPT_COLUMNS);
	static char program[80];
	char shorts[64], all[72];
	struct err e = ERR_INIT;
	int opt, rc;

	/* getopt says who complains by argv[0]. */
	(void)snprintf(program, sizeof(program), "drover %s", c->command->name);
	argv[0] = program;
	cli_short_options(options, shorts, sizeof(shorts));
	/* What follows a bundle's name is the program's own. */
	(void)snprintf(all, sizeof(all), "%s%s", strstr(c->command->args, "[-- ") ? "+" : "",
		       shorts);
	while ((opt = getopt_long(argc, argv, all, options, NULL)) != -1) {
		if (opt == 'h' && !has_option(options, 'h'))
			opt = CLI_OPT_HELP;
		if (opt == 'o' && columns)
			opt = CLI_OPT_COLUMNS;
		if (opt == '?') {
			(void)fprintf(stderr, "%s: hint: %s --help lists the options\n", program,
				      program);
			return EXIT_USAGE;
		}
		if (opt == CLI_OPT_HELP) {
			(void)fputs(c->command->usage, stdout);
			exit(0);
		}
		rc = take_common(c, opt, optarg, &e);
		if (!rc && take)
			rc = take(arg, opt, optarg, &e);
		if (rc < 0)
			return wrong(c, &e);
	}
	return 0;
}

int cli_parse(struct cli *c, int argc, char **argv, cli_take *take, void *arg, int min, int max)
{
	const struct config_reader reader = {
		.options = config_options, .take = take_setting, .arg = c};
	struct err e = ERR_INIT;
	int rc = config_load(argc, argv, "drover", &reader, &c->config, &e);

	if (rc) {
		err_print("drover", &e);
		return EXIT_USAGE;
	}
	rc = parse_options(c, argc, argv, take, arg);
	if (rc)
		return rc;
	c->args = argv + optind;
	c->nargs = argc - optind;
	if (c->nargs < min)
		return cli_usage(c, "an argument is missing");
	if (c->nargs > max) {
		err_set(&e, -EINVAL, "there is an argument too many: '%.80s'", c->args[max]);
		return wrong(c, &e);
	}
	return 0;
}

int cli_open(struct cli *c, struct err *e)
{
	const char *env = getenv("DROVER_SERVER");

	if (c->server)
		(void)snprintf(c->found, sizeof(c->found), "%s", c->server);
	else if (env && *env)
		(void)snprintf(c->found, sizeof(c->found), "%s", env);
	else if (c->config_server)
		(void)snprintf(c->found, sizeof(c->found), "%s", c->config_server);
	else if (cluster_url(c->found, sizeof(c->found)))
		(void)snprintf(c->found, sizeof(c->found), "%s", CLI_DEFAULT_SERVER);
	http_client_credentials(c->ca, c->token_file);
	c->http = http_client_new(c->found, e);
	return c->http ? 0 : e->code;
}

void cli_close(struct cli *c)
{
	http_client_free(c->http);
	c->http = NULL;
	config_free(&c->config);
}

int cli_json(struct cli *c, const char *method, const char *path, const json_t *in, json_t **out,
	     struct err *e)
{
	int rc = http_json(c->http, method, path, in, out, e);

	if (rc == -ECONNREFUSED)
		err_hint(e, "is a cluster running? `drover up` starts one; --server or "
			    "DROVER_SERVER names another");
	return rc;
}

int cli_get(struct cli *c, const char *path, json_t **out, struct err *e)
{
	return cli_json(c, "GET", path, NULL, out, e);
}

int cli_path(struct buf *p, const char *before, const char *name, const char *after, struct err *e)
{
	int rc;

	buf_init(p, 2048);
	rc = buf_str(p, before);
	if (!rc)
		rc = http_escape(p, name);
	if (!rc)
		rc = buf_str(p, after);
	return rc ? err_set(e, rc, "'%.60s...' is too long", name) : 0;
}

int cli_query(struct buf *p, const char *key, const char *value)
{
	int rc = buf_printf(p, "%c%s=", strchr(buf_cstr(p), '?') ? '&' : '?', key);

	return rc ? rc : http_escape(p, value);
}

int cli_fetch_all(struct cli *c, const char *path, const char *key, json_t **out, struct err *e)
{
	json_t *all = json_array();
	char cursor[128] = "";
	int rc;

	do {
		_cleanup_json_ json_t *page = NULL;
		_cleanup_buf_ struct buf p = {0};
		const char *next;

		buf_init(&p, 4096);
		rc = buf_str(&p, path);
		if (!rc && *cursor)
			rc = cli_query(&p, "cursor", cursor);
		if (rc)
			rc = err_set(e, rc, "the address of %s is too long", path);
		else
			rc = cli_get(c, p.data, &page, e);
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

int cli_fail(const struct err *e)
{
	err_print("drover", e);
	return EXIT_DROVER;
}

int cli_usage(const struct cli *c, const char *text)
{
	struct err e = ERR_INIT;

	err_set(&e, -EINVAL, "%s", text);
	return wrong(c, &e);
}

void cli_print_json(const json_t *j)
{
	(void)json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	(void)putchar('\n');
}

/* "-90s" and its like. False: it isn't one. */
static bool parse_ago(const char *text, int64_t now_ms, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	char *end;
	long n;

	if (text[0] != '-' || !isdigit((unsigned char)text[1]))
		return false;
	n = strtol(text + 1, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (*end == units[i].unit && !end[1] && n < 1000000) {
			*ms = now_ms - n * units[i].ms;
			return true;
		}
	return false;
}

int cli_parse_time(const char *text, int64_t *ms, struct err *e)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					    "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	int64_t now_ms = (int64_t)(clock_realtime_ns() / NS_PER_MS);
	time_t now = (time_t)(now_ms / 1000);
	size_t digits = strspn(text, "0123456789");
	struct tm tm;

	*ms = now_ms;
	if (!strcmp(text, "now") || parse_ago(text, now_ms, ms))
		return 0;
	if (digits > 4 && digits < 19 && !text[digits]) {
		*ms = strtoll(text, NULL, 10);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms) + 1; i++) {
		const char *form = i < ARRAY_SIZE(forms) ? forms[i] : "%H:%M";
		const char *end;

		if (i < ARRAY_SIZE(forms))
			memset(&tm, 0, sizeof(tm));
		else if (!localtime_r(&now, &tm))
			break;
		tm.tm_sec = 0;
		end = strptime(text, form, &tm);
		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		*ms = (int64_t)mktime(&tm) * 1000;
		return 0;
	}
	err_set(e, -EINVAL, "'%.60s' is not a time", text);
	return err_hint(e, "now, -15m, -2h, -7d, 14:30, 2026-05-01, 2026-05-01T14:30, or "
			   "milliseconds since 1970");
}
