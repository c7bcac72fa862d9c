/*
 * Call summary parser: one record per line, fields separated by one space.
 * The text is copied once and cut into strings in place.
 */
#include "binaries/object/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"

/* Flags of a D record: letters p and a, then n:REASON, or - for none. */
static int fn_flags(struct summary_fn *f, char *s)
{
	for (; s && *s; s++) {
		switch (*s) {
		case 'p':
			f->polls = true;
			break;
		case 'a':
			f->address_taken = true;
			break;
		case 'n':
			f->never = s[1] == ':' ? s + 2 : "unknown construct";
			return s[1] == ':' || !s[1] ? 0 : -EINVAL;
		case '-':
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

static int read_fn(struct summary *s, char *p)
{
	struct summary_fn *f = &s->fns[s->nfns];
	char *name = fields_next(&p), *scope = fields_next(&p), *line = fields_next(&p);
	uint64_t n;

	if (!name || !scope || scope[1] || (*scope != 'G' && *scope != 'L') ||
	    fields_u64(line, UINT32_MAX, &n) < 0)
		return -EINVAL;
	*f = (struct summary_fn){
		.name = name, .local = *scope == 'L', .line = (unsigned)n, .first_call = s->ncalls};
	if (fn_flags(f, p) < 0)
		return -EINVAL;
	s->nfns++;
	return 0;
}

static int read_call(struct summary *s, char kind, char *p)
{
	char *what = fields_next(&p);

	if (!what || !s->nfns)
		return -EINVAL;
	s->calls[s->ncalls++] = kind == 'C' ? (struct summary_call){.callee = what}
					    : (struct summary_call){.type = what};
	s->fns[s->nfns - 1].ncalls++;
	return 0;
}

static int read_symbol(struct summary *s, char *p)
{
	char *name = fields_next(&p), *kind = fields_next(&p);
	uint64_t size;

	if (!name || !kind || kind[1] || !strchr("TDBRWCU", *kind) ||
	    fields_u64(fields_next(&p), UINT64_MAX / 20, &size) < 0)
		return -EINVAL;
	s->symbols[s->nsymbols++] = (struct summary_symbol){name, *kind, size};
	return 0;
}

static int read_line(struct summary *s, char *line)
{
	char kind = line[0], *p = line + 2, *name, *type;

	if (!kind || line[1] != ' ')
		return -EINVAL;
	switch (kind) {
	case 'D':
		return read_fn(s, p);
	case 'C':
	case 'I':
		return read_call(s, kind, p);
	case 'T':
		name = fields_next(&p);
		type = fields_next(&p);
		if (!name || !type)
			return -EINVAL;
		s->taken[s->ntaken++] = (struct summary_taken){name, type};
		return 0;
	case 'G':
		return read_symbol(s, p);
	case 'S': /* both ISAs have it */
		return 0;
	case 'O':
		name = fields_next(&p);
		if (!name)
			return -EINVAL;
		s->one_sided[s->none_sided++] = name;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Room for every record, counted by its first letter. */
static int make_room(struct summary *s)
{
	size_t n[256];

	fields_count(s->text, n);
	s->fns = calloc(n['D'] + 1, sizeof *s->fns);
	s->calls = calloc(n['C'] + n['I'] + 1, sizeof *s->calls);
	s->taken = calloc(n['T'] + 1, sizeof *s->taken);
	s->symbols = calloc(n['G'] + 1, sizeof *s->symbols);
	s->one_sided = calloc(n['O'] + 1, sizeof *s->one_sided);
	return s->fns && s->calls && s->taken && s->symbols && s->one_sided ? 0 : -ENOMEM;
}

int summary_parse(struct summary *s, const char *text, size_t len, struct err *err)
{
	size_t lineno = 1;
	char *p, *next;

	*s = (struct summary){0};
	if (len > SUMMARY_MAX || memchr(text, '\0', len))
		return err_set(err, -EINVAL, "call summary: not a text, or too long");
	s->text = strndup(text, len);
	if (!s->text || make_room(s) < 0) {
		summary_free(s);
		return err_set(err, -ENOMEM, "call summary: out of memory");
	}
	for (p = s->text; *p; p = next, lineno++) {
		next = strchr(p, '\n');
		if (next)
			*next++ = '\0';
		else
			next = p + strlen(p);
		if (lineno == 1 ? strcmp(p, "V 1") != 0 : read_line(s, p) < 0) {
			summary_free(s);
			return err_set(err, -EINVAL, "call summary: line %zu is malformed", lineno);
		}
	}
	if (lineno == 1) {
		summary_free(s);
		return err_set(err, -EINVAL, "call summary: empty");
	}
	return 0;
}

void summary_free(struct summary *s)
{
	free(s->text);
	free(s->fns);
	free(s->calls);
	free(s->taken);
	free(s->symbols);
	free(s->one_sided);
	*s = (struct summary){0};
}
