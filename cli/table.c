/* See table.h. */
#include "cli/table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

/* ---- values ------------------------------------------------------------- */

void cli_any(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);
	_cleanup_free_ char *text = NULL;

	if (json_is_string(v) && json_string_length(v)) {
		(void)snprintf(out, size, "%s", json_string_value(v));
	} else if (json_is_integer(v)) {
		(void)snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	} else if (json_is_real(v)) {
		(void)snprintf(out, size, "%.1f", json_real_value(v));
	} else if (json_is_boolean(v)) {
		(void)snprintf(out, size, "%s", json_is_true(v) ? "yes" : "no");
	} else {
		text = json_is_object(v) || json_is_array(v) ? json_dumps(v, JSON_COMPACT) : NULL;
		(void)snprintf(out, size, "%s", text ? text : "-");
	}
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
	time_t t = (time_t)(json_integer_value(v) / 1000), now = time(NULL);
	struct tm tm, today;

	if (!json_is_integer(v) || !t || !localtime_r(&t, &tm) || !localtime_r(&now, &today)) {
		(void)snprintf(out, size, "-");
		return;
	}
	if (!strftime(out, size,
		      tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year
			      ? "%H:%M:%S"
			      : "%Y-%m-%dT%H:%M:%S",
		      &tm))
		(void)snprintf(out, size, "-");
}

void cli_span_ms(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);
	json_int_t s = json_integer_value(v) / 1000;

	if (!json_is_integer(v) || s < 0)
		(void)snprintf(out, size, "-");
	else if (s >= 86400)
		(void)snprintf(out, size, "%" JSON_INTEGER_FORMAT "-%02d:%02d:%02d", s / 86400,
			       (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
	else if (s >= 3600)
		(void)snprintf(out, size, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60),
			       (int)(s % 60));
	else
		(void)snprintf(out, size, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

void cli_joules(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);

	if (!json_is_number(v))
		(void)snprintf(out, size, "-");
	else
		(void)snprintf(out, size, "%.2f", json_number_value(v) / 1e6);
}

void cli_joules_j(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *v = json_object_get(row, key);

	if (!json_is_number(v))
		(void)snprintf(out, size, "-");
	else
		(void)snprintf(out, size, "%.2f", json_number_value(v));
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

/* ---- columns ------------------------------------------------------------ */

/* The chosen columns; those that only the answer has get a place in own. */
struct choice {
	struct cli_column v[CLI_COLUMNS_MAX];
	char own[CLI_COLUMNS_MAX][2][64];
	size_t n;
};

static void plain(const char *title, char *out, size_t size)
{
	size_t n = 0;

	for (; *title && n + 1 < size; title++)
		if (isalnum((unsigned char)*title))
			out[n++] = (char)tolower((unsigned char)*title);
	out[n] = '\0';
}

static const struct cli_column *find(const struct cli_column *columns, const char *name)
{
	char own[64], asked[64];

	plain(name, asked, sizeof(asked));
	for (; columns->title; columns++) {
		plain(columns->title, own, sizeof(own));
		if (!strcmp(own, asked) || (*columns->key && !strcmp(columns->key, name)))
			return columns;
	}
	return NULL;
}

static int no_column(const struct cli_column *columns, const char *name, struct err *e)
{
	char all[200] = "", own[64];
	size_t n = 0;

	for (; columns->title; columns++) {
		plain(columns->title, own, sizeof(own));
		if (n + strlen(own) + 3 > sizeof(all))
			break;
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", n ? "," : "", own);
	}
	err_set(e, -EINVAL, "there is no column '%.40s'", name);
	return err_hint(e, "columns: %s; also every field that --json shows", all);
}

static int add_column(struct choice *c, const struct cli_column *columns, const char *name,
		      const json_t *rows, struct err *e)
{
	const struct cli_column *known = find(columns, name);
	const json_t *first = json_array_get(rows, 0);

	if (c->n == CLI_COLUMNS_MAX)
		return err_set(e, -E2BIG, "more than %d columns", CLI_COLUMNS_MAX);
	if (known) {
		c->v[c->n++] = *known;
		return 0;
	}
	if (!first || !json_object_get(first, name))
		return no_column(columns, name, e);
	(void)snprintf(c->own[c->n][0], sizeof(c->own[0][0]), "%s", name);
	for (size_t i = 0; i < sizeof(c->own[0][1]) - 1 && name[i]; i++)
		c->own[c->n][1][i] = (char)toupper((unsigned char)name[i]);
	c->v[c->n] = (struct cli_column){c->own[c->n][1], c->own[c->n][0], cli_any,
					 json_is_number(json_object_get(first, name)), false};
	c->n++;
	return 0;
}

static int choose(const struct cli_view *v, const struct cli_column *columns, const json_t *rows,
		  struct choice *c, struct err *e)
{
	const char *p = v->columns;
	char name[64];

	for (; !p && columns->title && c->n < CLI_COLUMNS_MAX; columns++)
		if (!columns->hidden)
			c->v[c->n++] = *columns;
	while (p && *p) {
		size_t len = strcspn(p, ",");
		int rc;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, p);
		rc = add_column(c, columns, name, rows, e);
		if (rc)
			return rc;
		p += len + (p[len] == ',');
	}
	return c->n ? 0 : no_column(columns, "", e);
}

/* ---- order -------------------------------------------------------------- */

struct order {
	const struct cli_column *column;
	int sign;
};

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct order *o = arg;
	json_t *const *a = pa, *const *b = pb;
	const json_t *va = json_object_get(*a, o->column->key);
	const json_t *vb = json_object_get(*b, o->column->key);
	char ta[CLI_VALUE_MAX], tb[CLI_VALUE_MAX];
	double na, nb;

	if (json_is_number(va) && json_is_number(vb)) {
		na = json_number_value(va);
		nb = json_number_value(vb);
		return o->sign * ((na > nb) - (na < nb));
	}
	o->column->format(*a, o->column->key, ta, sizeof(ta));
	o->column->format(*b, o->column->key, tb, sizeof(tb));
	/* Numbers within names count as such: n2 before n10, job 9 before 10. */
	return o->sign * strverscmp(ta, tb);
}

static int sort_rows(const struct cli_view *v, const struct cli_column *columns, json_t *rows,
		     struct err *e)
{
	struct choice c = {.n = 0};
	struct order o = {&c.v[0], 1};
	_cleanup_free_ json_t **list = NULL;
	const char *name = v->sort;
	size_t n = json_array_size(rows);
	int rc;

	if (!name)
		return 0;
	if (*name == '-') {
		o.sign = -1;
		name++;
	}
	rc = add_column(&c, columns, name, rows, e);
	if (rc)
		return rc;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return err_set(e, -ENOMEM, "no memory for sorting");
	for (size_t i = 0; i < n; i++)
		list[i] = json_incref(json_array_get(rows, i));
	qsort_r(list, n, sizeof(*list), compare, &o);
	for (size_t i = 0; i < n; i++)
		(void)json_array_set_new(rows, i, list[i]);
	return 0;
}

/* ---- printing ----------------------------------------------------------- */

/* Characters as seen: bytes that go on a character of UTF-8 take no room. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct cli_view *v, const struct cli_column *col,
			   const json_t *rows)
{
	size_t width = v->no_header ? 0 : width_of(col->title), i;
	char text[CLI_VALUE_MAX];
	const json_t *row;

	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		col->format(row, col->key, text, sizeof(text));
		if (width_of(text) > width)
			width = width_of(text);
	}
	return width;
}

static void print_cell(const struct cli_column *col, const char *text, size_t width, bool last)
{
	int pad = (int)(width - width_of(text));

	if (last && !col->right)
		(void)printf("%s\n", text);
	else if (col->right)
		(void)printf("%*s%s%s", pad, "", text, last ? "\n" : "  ");
	else
		(void)printf("%s%*s  ", text, pad, "");
}

int cli_table(const struct cli_view *v, const struct cli_column *columns, json_t *rows,
	      struct err *e)
{
	struct choice c = {.n = 0};
	size_t widths[CLI_COLUMNS_MAX], i;
	char text[CLI_VALUE_MAX];
	const json_t *row;
	int rc = choose(v, columns, rows, &c, e);

	if (!rc)
		rc = sort_rows(v, columns, rows, e);
	if (rc)
		return rc;
	for (size_t k = 0; k < c.n; k++)
		widths[k] = column_width(v, &c.v[k], rows);
	for (size_t k = 0; k < c.n && !v->no_header; k++)
		print_cell(&c.v[k], c.v[k].title, widths[k], k + 1 == c.n);
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < c.n; k++) {
			c.v[k].format(row, c.v[k].key, text, sizeof(text));
			print_cell(&c.v[k], text, widths[k], k + 1 == c.n);
		}
	}
	return 0;
}

/* Milliseconds since 1970, not a duration: after 2001. */
static bool is_moment(const char *key, const json_t *v)
{
	size_t len = strlen(key);

	return len > 3 && !strcmp(key + len - 3, "_ms") && json_integer_value(v) > 1000000000000;
}

void cli_fields(const json_t *object)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		_cleanup_free_ char *text = NULL;
		char value[CLI_VALUE_MAX];

		if (json_is_object(v) || json_is_array(v))
			text = json_dumps(v, JSON_COMPACT);
		else if (is_moment(key, v))
			cli_time_ms(object, key, value, sizeof(value));
		else
			cli_any(object, key, value, sizeof(value));
		(void)printf("%-18s %s\n", key, text ? text : value);
	}
}

/* ---- again and again ---------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

int cli_watch(struct cli *c, cli_round *round, void *arg)
{
	const struct sigaction sa = {.sa_handler = on_interrupt};
	uint64_t step = (uint64_t)(c->view.watch_s * 1e9);
	struct timespec ts = {.tv_sec = (time_t)(step / NS_PER_S),
			      .tv_nsec = (long)(step % NS_PER_S)};
	bool screen = c->view.watch_s > 0 && !c->json && isatty(STDOUT_FILENO);
	struct err e = ERR_INIT;
	int rc = cli_open(c, &e);

	if (c->view.watch_s > 0)
		(void)sigaction(SIGINT, &sa, NULL);
	while (!rc && !interrupted) {
		if (screen)
			(void)fputs("\033[H\033[2J", stdout);
		rc = round(c, arg, &e);
		(void)fflush(stdout);
		if (c->view.watch_s <= 0 || rc)
			break;
		(void)nanosleep(&ts, NULL);
		if (!screen && !c->json && !interrupted)
			(void)putchar('\n');
	}
	cli_close(c);
	return rc ? cli_fail(&e) : 0;
}
