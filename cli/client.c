/* See client.h. */
#include "cli/client.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/cluster.h"

int cli_option(struct cli *c, int opt)
{
	switch (opt) {
	case CLI_OPT_SERVER:
		c->server = optarg;
		return 1;
	case CLI_OPT_JSON:
		c->json = true;
		return 1;
	case CLI_OPT_HELP:
		(void)fputs(c->usage, stdout);
		exit(0);
	case '?':
		exit(EXIT_USAGE);
	default:
		return 0;
	}
}

int cli_open(struct cli *c, struct err *e)
{
	const char *env = getenv("DROVER_SERVER");

	if (c->server)
		(void)snprintf(c->found, sizeof(c->found), "%s", c->server);
	else if (env && *env)
		(void)snprintf(c->found, sizeof(c->found), "%s", env);
	else if (cluster_url(c->found, sizeof(c->found)))
		(void)snprintf(c->found, sizeof(c->found), "%s", CLI_DEFAULT_SERVER);
	c->http = http_client_new(c->found, e);
	return c->http ? 0 : e->code;
}

void cli_close(struct cli *c)
{
	http_client_free(c->http);
	c->http = NULL;
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

int cli_fail(const struct err *e)
{
	err_print("drover", e);
	return EXIT_DROVER;
}

int cli_usage(const struct cli *c, const char *text)
{
	(void)fprintf(stderr, "drover: %s\n%.*s\n", text, (int)strcspn(c->usage, "\n"), c->usage);
	return EXIT_USAGE;
}

void cli_print_json(const json_t *j)
{
	(void)json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	(void)putchar('\n');
}

void cli_any(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);

	if (json_is_string(v) && json_string_length(v))
		(void)snprintf(out, size, "%s", json_string_value(v));
	else if (json_is_integer(v))
		(void)snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		(void)snprintf(out, size, "%.1f", json_real_value(v));
	else if (json_is_boolean(v))
		(void)snprintf(out, size, "%s", json_is_true(v) ? "yes" : "no");
	else
		(void)snprintf(out, size, "-");
}

void cli_duration_us(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);
	double us = json_number_value(v);

	if (!json_is_number(v))
		(void)snprintf(out, size, "-");
	else if (us < 1000)
		(void)snprintf(out, size, "%.0f us", us);
	else if (us < 1e6)
		(void)snprintf(out, size, "%.2f ms", us / 1e3);
	else
		(void)snprintf(out, size, "%.2f s", us / 1e6);
}

void cli_time_ms(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);
	time_t t = (time_t)(json_integer_value(v) / 1000);
	struct tm tm;

	if (!json_is_integer(v) || !t || !localtime_r(&t, &tm) ||
	    !strftime(out, size, "%H:%M:%S", &tm))
		(void)snprintf(out, size, "-");
}

void cli_joules(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);

	if (!json_is_number(v))
		(void)snprintf(out, size, "-");
	else
		(void)snprintf(out, size, "%.2f", json_number_value(v) / 1e6);
}

void cli_watts(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);

	if (!json_is_number(v))
		(void)snprintf(out, size, "-");
	else
		(void)snprintf(out, size, "%.1f", json_number_value(v));
}

void cli_bytes(const json_t *row, const char *key, char *out, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	const json_t *v = json_object_get(row, key);
	double n = json_number_value(v);
	size_t u = 0;

	if (!json_is_number(v)) {
		(void)snprintf(out, size, "-");
		return;
	}
	for (; n >= 1024 && u + 1 < ARRAY_SIZE(units); u++)
		n /= 1024;
	(void)snprintf(out, size, u ? "%.1f %s" : "%.0f %s", n, units[u]);
}

void cli_isa(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *emulated = json_object_get(row, "emulated");
	char isa[32];

	cli_any(row, key, isa, sizeof(isa));
	(void)snprintf(out, size, "%s%s", isa, json_is_true(emulated) ? " (emulated)" : "");
}

static size_t column_width(const struct cli_column *col, const json_t *rows)
{
	size_t width = strlen(col->title), i;
	char text[CLI_VALUE_MAX];
	const json_t *row;

	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		col->format(row, col->key, text, sizeof(text));
		if (strlen(text) > width)
			width = strlen(text);
	}
	return width;
}

static void print_cell(const struct cli_column *col, const char *text, size_t width, bool last)
{
	if (last && !col->right)
		(void)printf("%s\n", text);
	else if (col->right)
		(void)printf("%*s%s", (int)width, text, last ? "\n" : "  ");
	else
		(void)printf("%-*s  ", (int)width, text);
}

void cli_table(const struct cli_column *columns, const json_t *rows)
{
	size_t widths[24], n = 0, i;
	char text[CLI_VALUE_MAX];
	const json_t *row;

	for (; n < ARRAY_SIZE(widths) && columns[n].title; n++)
		widths[n] = column_width(&columns[n], rows);
	for (size_t k = 0; k < n; k++)
		print_cell(&columns[k], columns[k].title, widths[k], k + 1 == n);
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		for (size_t k = 0; k < n; k++) {
			columns[k].format(row, columns[k].key, text, sizeof(text));
			print_cell(&columns[k], text, widths[k], k + 1 == n);
		}
	}
}
