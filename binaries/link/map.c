/*
 * Parser of `ld.lld -Map`.  A line has four numbers (VMA, LMA, size in hex,
 * alignment in decimal), then the name, whose indentation says what it is:
 * none an output section, 8 an input section "file:(section)", 16 a symbol.
 */
#include "binaries/link/map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct line {
	uint64_t addr, size, align;
	unsigned indent;
	char *name;
};

/* Reads a number in BASE at *P after any blanks; false if there is none. */
static bool number(char **p, int base, uint64_t *out)
{
	uint64_t v = 0;
	char *s = *p;

	while (*s == ' ')
		s++;
	*p = s;
	for (;; s++) {
		int d;

		if (*s >= '0' && *s <= '9')
			d = *s - '0';
		else if (base == 16 && *s >= 'a' && *s <= 'f')
			d = *s - 'a' + 10;
		else
			break;
		if (v > (UINT64_MAX - 15) / (unsigned)base)
			return false;
		v = v * (unsigned)base + (unsigned)d;
	}
	if (s == *p || *s != ' ')
		return false;
	*p = s;
	*out = v;
	return true;
}

static bool split(char *s, struct line *l)
{
	uint64_t lma;

	if (!number(&s, 16, &l->addr) || !number(&s, 16, &lma) || !number(&s, 16, &l->size) ||
	    !number(&s, 10, &l->align))
		return false;
	s++;
	for (l->indent = 0; *s == ' '; s++)
		l->indent++;
	l->name = s;
	return *s != '\0';
}

/* Cuts "archive(member):(section+0xN)" into its parts; false for anything else. */
static bool input_name(char *s, struct map_section *sec)
{
	char *colon = NULL, *end = s + strlen(s), *p;

	for (p = s; (p = strstr(p, ":(")); p++)
		colon = p;
	if (!colon || colon == s || end[-1] != ')')
		return false;
	*colon = '\0';
	end[-1] = '\0';
	sec->name = colon + 2;
	p = strrchr(colon + 2, '+');
	if (p && p[1] == '0' && p[2] == 'x')
		*p = '\0';
	sec->file = s;
	if (colon[-1] == ')' && (p = strrchr(s, '('))) {
		colon[-1] = '\0';
		*p = '\0';
		sec->member = p + 1;
	}
	return true;
}

static int take_line(struct map *m, const char **out, struct line *l)
{
	struct map_section *sec = m->nsections ? &m->sections[m->nsections - 1] : NULL;

	if (l->indent == 0) {
		*out = l->name;
		return 0;
	}
	if (l->indent == 8) {
		struct map_section s = {
			.out = *out, .addr = l->addr, .size = l->size, .align = l->align};

		/* Assignments and data commands of a script stand here too. */
		if (!input_name(l->name, &s))
			return 0;
		if (!s.align || (s.align & (s.align - 1)))
			return -EINVAL;
		s.first_symbol = m->nsymbols;
		m->sections[m->nsections++] = s;
		return 0;
	}
	if (l->indent != 16)
		return -EINVAL;
	/* Symbols of a script stand outside the section before them. */
	if (sec && l->addr >= sec->addr && l->addr - sec->addr <= sec->size) {
		m->symbols[m->nsymbols++] = (struct map_symbol){l->name, l->addr - sec->addr,
								l->size, m->nsections - 1};
		sec->nsymbols++;
	}
	return 0;
}

int map_parse(struct map *m, const char *text, size_t len, struct err *err)
{
	const char *out = NULL;
	size_t lines = 0, lineno = 1;
	char *p, *next;

	*m = (struct map){0};
	if (len > MAP_MAX || memchr(text, '\0', len))
		return err_set(err, -EINVAL, "link map: not a text, or too long");
	m->text = strndup(text, len);
	for (p = m->text; p && (p = strchr(p, '\n')); p++)
		lines++;
	m->sections = calloc(lines + 1, sizeof *m->sections);
	m->symbols = calloc(lines + 1, sizeof *m->symbols);
	if (!m->text || !m->sections || !m->symbols) {
		map_free(m);
		return err_set(err, -ENOMEM, "link map: out of memory");
	}
	for (p = m->text; *p; p = next, lineno++) {
		struct line l;

		next = strchr(p, '\n');
		if (next)
			*next++ = '\0';
		else
			next = p + strlen(p);
		if (lineno == 1 ? !strstr(p, "VMA") : !split(p, &l) || take_line(m, &out, &l) < 0) {
			map_free(m);
			return err_set(err, -EINVAL, "link map: line %zu makes no sense", lineno);
		}
	}
	return 0;
}

void map_free(struct map *m)
{
	free(m->text);
	free(m->sections);
	free(m->symbols);
	*m = (struct map){0};
}
