/*
 * Which modules have to be compiled again when the decision about what migrates is made once more:
 * those that the lines by which the two lists differ speak of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/driver/driver.h"
#include "binaries/object/strmap.h"
#include "common/compiler.h"

/* The lines of TEXT, which is cut at their ends; -ENOMEM. */
static int lines_of(char *text, struct strmap *lines)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (*line && strmap_put(lines, line, 0) == STRMAP_NONE)
			return -ENOMEM;
	return 0;
}

static bool mentions(const struct module *m, const char *name)
{
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		const struct object_part *bc = &m->object.bitcode[isa];

		if (memmem(bc->data, bc->len, name, strlen(name)))
			return true;
	}
	return false;
}

/* Whether a line of the list may mean something for a module: a name that is a module's own ends in
 * ".ID", "#ID ..." speaks of that module, "*..." of calls by a type, which any may have. */
static bool concerns(const struct module *m, const char *line)
{
	const char *dot = strrchr(line, '.');
	size_t id = strlen(m->id);

	if (*line == '*')
		return true;
	if (*line == '#')
		return !strncmp(line + 1, m->id, id) && line[1 + id] == ' ';
	if (dot && dot[1] == 'm' && strspn(dot + 2, "0123456789") == strlen(dot + 2))
		return !strcmp(dot + 1, m->id);
	return mentions(m, line);
}

/* Marks what the lines of A that are not in B concern. */
static void mark(struct program *p, const struct strmap *a, const struct strmap *b)
{
	for (size_t i = 0; i < a->cap; i++) {
		const char *line = a->slots[i].key;

		if (!line || strmap_get(b, line) != STRMAP_NONE)
			continue;
		for (size_t k = 0; k < p->n; k++)
			p->modules[k].stale |= concerns(&p->modules[k], line);
	}
}

int stale_mark(struct program *p, const char *was, const char *is, struct err *err)
{
	_cleanup_free_ char *a = strdup(was), *b = strdup(is);
	struct strmap before = {0}, now = {0};
	int r = a && b ? 0 : -ENOMEM;

	for (size_t k = 0; k < p->n; k++)
		p->modules[k].stale = !*was;
	if (!r)
		r = lines_of(a, &before);
	if (!r)
		r = lines_of(b, &now);
	if (!r) {
		mark(p, &before, &now);
		mark(p, &now, &before);
	}
	strmap_free(&before);
	strmap_free(&now);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}
