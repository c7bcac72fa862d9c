/* See config.h. */
#include "common/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"

/* These say where settings come from or what to do instead of running: of no use in a file. */
static const char *const only_typed[] = {"config", "check-config", "help", "version",
					 "list-meters",  "list-routes"};

struct reading {
	const struct config_reader *r;
	struct config *c;
	const char *name;
	unsigned int line;
	struct err *first;
	int code;
};

/* Notes an error of the current line; only the first is returned, all are told. */
static void wrong(struct reading *g, const struct err *e)
{
	struct err told = *e;

	(void)err_wrap(&told, "%.200s:%u", g->name, g->line);
	if (g->r->complain)
		g->r->complain(g->r->arg, &told);
	if (g->code)
		return;
	g->code = e->code;
	if (g->first)
		*g->first = told;
}

static char *trim(char *s)
{
	char *end;

	while (*s && isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

/* "..." with \" and \\ in it, in place; NULL if it isn't one. */
static char *unquote(char *s)
{
	char *in = s + 1, *out = s;

	for (; *in && *in != '"'; in++) {
		if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
			in++;
		*out++ = *in;
	}
	if (*in != '"')
		return NULL;
	in++;
	in += strspn(in, " \t");
	if (*in && *in != '#')
		return NULL;
	*out = '\0';
	return s;
}

/* Splits a line that holds something into name and value (NULL: there is no '='). */
static int split(char *line, char **name, char **value, struct err *e)
{
	char *eq = strchr(line, '='), *comment;

	*value = NULL;
	if (eq) {
		*eq = '\0';
		*value = trim(eq + 1);
	}
	*name = trim(line);
	if (!**name || (*name)[strcspn(*name, " \t\"#")]) {
		err_set(e, -EINVAL, "'%.60s' is not a line 'name = value'", *name);
		return err_hint(e, "a comment begins with '#'");
	}
	if (!*value)
		return 0;
	if (**value == '"') {
		*value = unquote(*value);
		return *value ? 0
			      : err_set(e, -EINVAL, "%.60s: the quoted value does not end", *name);
	}
	/* A '#' within a word belongs to it (a URL's fragment), one after a space doesn't. */
	for (comment = *value; (comment = strchr(comment, '#')); comment++)
		if (comment == *value || comment[-1] == ' ' || comment[-1] == '\t') {
			*comment = '\0';
			*value = trim(*value);
			break;
		}
	return 0;
}

static const struct option *find(const struct option *options, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(only_typed); i++)
		if (!strcmp(name, only_typed[i]))
			return NULL;
	for (; options->name; options++)
		if (!strcmp(options->name, name))
			return options;
	return NULL;
}

static int unknown(const struct option *options, const char *name, struct err *e)
{
	const char *near = NULL;

	for (; options->name; options++)
		if (!near && strlen(name) > 2 && find(options, options->name) &&
		    (!strncmp(options->name, name, 4) || strstr(options->name, name)))
			near = options->name;
	err_set(e, -EINVAL, "there is no setting '%.60s'", name);
	if (near)
		return err_hint(e, "did you mean '%s'? --help lists all, without their '--'", near);
	return err_hint(e, "settings are the long options of --help, without their '--'");
}

static int keep(struct config *c, const char *name, const char *value, unsigned int line,
		struct err *e)
{
	struct config_entry *v = realloc(c->v, (c->n + 1) * sizeof(*v));

	if (!v)
		return err_set(e, -ENOMEM, "out of memory");
	c->v = v;
	v[c->n] = (struct config_entry){strdup(name), value ? strdup(value) : NULL, line};
	if (!v[c->n].name || (value && !v[c->n].value)) {
		free(v[c->n].name);
		free(v[c->n].value);
		return err_set(e, -ENOMEM, "out of memory");
	}
	c->n++;
	return 0;
}

static int take_switch(struct reading *g, const struct option *o, const char *value, struct err *e)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; value && i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(value, yes[i]))
			return g->r->take(g->r->arg, o->val, NULL, e);
		if (!strcmp(value, no[i]))
			return 0;
	}
	return err_set(e, -EINVAL, "%s: '%.60s' is neither yes nor no", o->name,
		       value ? value : "");
}

static int take_line(struct reading *g, char *line, struct err *e)
{
	const struct option *o;
	char *name, *value;
	int rc = split(line, &name, &value, e);

	if (rc)
		return rc;
	o = find(g->r->options, name);
	if (!o)
		return unknown(g->r->options, name, e);
	for (size_t i = 0; i < g->c->n; i++)
		if (!strcmp(g->c->v[i].name, name))
			return err_set(e, -EINVAL, "%s is set already in line %u", name,
				       g->c->v[i].line);
	if (!value || !*value) {
		err_set(e, -EINVAL, "%s has no value", name);
		return err_hint(e, o->has_arg ? "write %s = VALUE" : "write %s = yes", name);
	}
	if (strlen(value) > CONFIG_VALUE_MAX)
		return err_set(e, -EINVAL, "%s: the value is longer than %d bytes", name,
			       CONFIG_VALUE_MAX);
	rc = keep(g->c, name, value, g->line, e);
	if (rc)
		return rc;
	if (o->has_arg == no_argument)
		return take_switch(g, o, value, e);
	return g->r->take(g->r->arg, o->val, g->c->v[g->c->n - 1].value, e);
}

int config_parse(const char *text, size_t len, const char *name, const struct config_reader *r,
		 struct config *c, struct err *e)
{
	struct reading g = {.r = r, .c = c, .name = name, .first = e};
	_cleanup_free_ char *copy = NULL;
	char *next;

	if (len > CONFIG_MAX_BYTES)
		return err_set(e, -EFBIG, "%s is larger than %u bytes", name, CONFIG_MAX_BYTES);
	copy = strndup(text, len);
	if (!copy)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	if (strlen(copy) != len) {
		struct err nul = ERR_INIT;

		g.line = 1;
		err_set(&nul, -EINVAL, "this is not a text file: it has a NUL byte");
		wrong(&g, &nul);
	}
	next = copy;
	while (next && *next) {
		char *line = strsep(&next, "\n");
		struct err own = ERR_INIT;

		g.line++;
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		if (take_line(&g, line, &own))
			wrong(&g, &own);
	}
	return g.code;
}

int config_read(const char *path, const struct config_reader *r, struct config *c, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int rc;

	buf_init(&b, CONFIG_MAX_BYTES);
	rc = file_read(path, &b, e);
	return rc ? rc : config_parse(buf_cstr(&b), b.len, path, r, c, e);
}

int config_path(int argc, char *const *argv, const char *name, char *path, size_t size, bool *named,
		struct err *e)
{
	const char *dir = getenv("DROVER_CONFIG_DIR"), *given = NULL;
	int n;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (!strncmp(argv[i], "--config=", 9))
			given = argv[i] + 9;
		else if (!strcmp(argv[i], "--config") && i + 1 < argc)
			given = argv[++i];
	}
	*named = given != NULL;
	if (given && !strcmp(given, "none"))
		given = "";
	if (given)
		n = snprintf(path, size, "%s", given);
	else if (dir && *dir)
		n = snprintf(path, size, "%s/%s.conf", dir, name);
	else
		n = snprintf(path, size, "%s/drover/%s.conf", SYSCONFDIR, name);
	if (n < 0 || (size_t)n >= size)
		return err_set(e, -ENAMETOOLONG, "the configuration file's name is too long");
	return 0;
}

int config_load(int argc, char *const *argv, const char *name, const struct config_reader *r,
		struct config *c, struct err *e)
{
	char path[4096];
	bool named = false;
	int rc = config_path(argc, argv, name, path, sizeof(path), &named, e);

	if (rc || !*path)
		return rc;
	rc = config_read(path, r, c, e);
	if (rc == -ENOENT && !named) {
		err_clear(e);
		return 0;
	}
	return rc;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].name);
		free(c->v[i].value);
	}
	free(c->v);
	*c = (struct config){NULL, 0};
}
