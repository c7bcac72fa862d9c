/* Parser of `.state_transform`; one record a line, fields separated by one space. */
#include "binaries/bundle/transform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/compiler.h"
#include "common/fields.h"

static const char *const kinds[] = {"poll", "call", "icall"};

const char *transform_kind_name(uint32_t kind)
{
	return kind < ARRAY_SIZE(kinds) ? kinds[kind] : "unknown";
}

struct parser {
	struct transform *t;
	const char *module, *source;
};

static int read_fn(struct parser *p, char *line)
{
	struct transform *t = p->t;
	struct transform_fn *f = &t->fns[t->nfns];
	char *id = fields_next(&line);

	*f = (struct transform_fn){.name = fields_next(&line),
				   .module = p->module,
				   .source = p->source,
				   .first_site = t->nsites};
	if (!p->module || !f->name || fields_hex64(id, &f->id) < 0 ||
	    fields_u32(fields_next(&line), UINT32_MAX, &f->line) < 0 ||
	    fields_u32(fields_next(&line), 8, &f->ret) < 0 || line)
		return -EINVAL;
	t->nfns++;
	return 0;
}

/* A function that never migrates: name, line, whether it makes others wait, the construct. */
static int read_blocked(struct parser *p, char *line)
{
	struct transform_blocked *b = &p->t->blocked[p->t->nblocked];
	const char *effect;

	*b = (struct transform_blocked){
		.name = fields_next(&line), .module = p->module, .source = p->source};
	if (!p->module || !b->name || fields_u32(fields_next(&line), UINT32_MAX, &b->line) < 0 ||
	    !(effect = fields_next(&line)) || !(b->reason = fields_rest(&line)))
		return -EINVAL;
	b->waits = !strcmp(effect, "waits");
	if (!b->waits && strcmp(effect, "harmless") != 0)
		return -EINVAL;
	p->t->nblocked++;
	return 0;
}

/* A variable on the common stack: part of the function's frame there. */
static int read_slot(struct parser *p, char *line)
{
	struct transform *t = p->t;
	struct transform_fn *f = t->nfns ? &t->fns[t->nfns - 1] : NULL;
	uint32_t offset, size;

	if (!f || f->nsites || fields_u32(fields_next(&line), UINT32_MAX, &offset) < 0 ||
	    fields_u32(fields_next(&line), UINT32_MAX, &size) < 0 || line)
		return -EINVAL;
	if ((uint64_t)offset + size > f->common)
		f->common = (uint64_t)offset + size;
	return 0;
}

static int read_site(struct parser *p, char *line)
{
	struct transform *t = p->t;
	struct transform_site *s = &t->sites[t->nsites];
	uint32_t index;
	const char *kind;

	*s = (struct transform_site){.kind = ARRAY_SIZE(kinds), .first_value = t->nvalues};
	if (!t->nfns || fields_u32(fields_next(&line), UINT32_MAX, &index) < 0 ||
	    index != t->fns[t->nfns - 1].nsites || !(kind = fields_next(&line)))
		return -EINVAL;
	for (uint32_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			s->kind = i;
	s->callee = fields_next(&line);
	if (s->kind == ARRAY_SIZE(kinds) || !s->callee ||
	    fields_u32(fields_next(&line), UINT32_MAX, &s->line) < 0 ||
	    fields_u32(fields_next(&line), TRANSFORM_PAYLOAD_MAX, &s->size) < 0 || line)
		return -EINVAL;
	t->fns[t->nfns - 1].nsites++;
	t->nsites++;
	return 0;
}

static int read_value(struct parser *p, char *line)
{
	struct transform *t = p->t;
	struct transform_fn *f = t->nfns ? &t->fns[t->nfns - 1] : NULL;
	struct transform_site *s = f && f->nsites ? &t->sites[t->nsites - 1] : NULL;
	struct transform_value *v = &t->values[t->nvalues];
	char *name;

	if (!s || fields_u32(fields_next(&line), UINT32_MAX, &v->offset) < 0 ||
	    fields_u32(fields_next(&line), UINT32_MAX, &v->size) < 0)
		return -EINVAL;
	/* A vector type holds blanks, a name does not: the name is the last word. */
	v->type = fields_rest(&line);
	name = v->type ? strrchr(v->type, ' ') : NULL;
	if (!name || name == v->type || !name[1] || v->offset > s->size ||
	    v->size > s->size - v->offset)
		return -EINVAL;
	*name = '\0';
	v->name = name + 1;
	t->nvalues++;
	s->nvalues++;
	return 0;
}

static int read_line(struct parser *p, char *line)
{
	char *rest_of_line = line + 2;

	if (!line[0] || line[1] != ' ')
		return -EINVAL;
	switch (line[0]) {
	case 'V': /* once a module: the linker puts the tables of all modules behind each other */
		return strcmp(line, "V 1") ? -EPROTONOSUPPORT : 0;
	case 'M':
		p->module = fields_next(&rest_of_line);
		p->source = fields_rest(&rest_of_line);
		return p->module && p->source ? 0 : -EINVAL;
	case 'N':
		return read_blocked(p, rest_of_line);
	case 'F':
		return read_fn(p, rest_of_line);
	case 'A':
		return read_slot(p, rest_of_line);
	case 'S':
		return read_site(p, rest_of_line);
	case 'L':
		return read_value(p, rest_of_line);
	default:
		return -EINVAL;
	}
}

static int make_room(struct transform *t)
{
	size_t n[256];

	fields_count(t->text, n);
	t->fns = calloc(n['F'] + 1, sizeof *t->fns);
	t->sites = calloc(n['S'] + 1, sizeof *t->sites);
	t->values = calloc(n['L'] + 1, sizeof *t->values);
	t->blocked = calloc(n['N'] + 1, sizeof *t->blocked);
	return t->fns && t->sites && t->values && t->blocked ? 0 : -ENOMEM;
}

int transform_parse(struct transform *t, const char *text, size_t len, struct err *err)
{
	struct parser p = {.t = t};
	size_t lineno = 1;
	char *line, *next;

	*t = (struct transform){0};
	if (len > TRANSFORM_MAX || (len && memchr(text, '\0', len)))
		return err_set(err, -EINVAL, ".state_transform: not a text, or too long");
	t->text = len ? strndup(text, len) : strdup("");
	if (!t->text || make_room(t) < 0) {
		transform_free(t);
		return err_set(err, -ENOMEM, ".state_transform: out of memory");
	}
	for (line = t->text; *line; line = next, lineno++) {
		int r;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		else
			next = line + strlen(line);
		r = lineno == 1 && line[0] != 'V' ? -EINVAL : read_line(&p, line);
		if (r == -EPROTONOSUPPORT) {
			transform_free(t);
			err_set(err, r, ".state_transform: written by another version");
			return err_hint(err, "build the program again");
		}
		if (r < 0) {
			transform_free(t);
			return err_set(err, r, ".state_transform: line %zu is malformed", lineno);
		}
	}
	return 0;
}

void transform_free(struct transform *t)
{
	free(t->text);
	free(t->fns);
	free(t->sites);
	free(t->values);
	free(t->blocked);
	*t = (struct transform){0};
}

const struct transform_fn *transform_find(const struct transform *t, uint64_t id)
{
	for (size_t i = 0; i < t->nfns; i++)
		if (t->fns[i].id == id)
			return &t->fns[i];
	return NULL;
}
