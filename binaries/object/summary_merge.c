/*
 * One call summary of two: what the source asks the machine for may make a function another one on
 * each ISA. Such a function can run, but has no frame both ISAs know, so it never migrates. Works
 * on lines, for all but D, T, G and S means the same whatever it says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/object/strmap.h"
#include "binaries/object/summary.h"
#include "common/compiler.h"
#include "common/isa.h"

#define DIFFERS  "its_code_differs_between_the_ISAs"
#define ONE_ONLY "only_one_ISA_has_it"

/* A function: its D line cut into fields, and the lines after it. */
struct block {
	char *name, *scope, *line, *flags;
	char **lines;
	size_t n;
};

struct side {
	char *text;
	char **lines;
	struct block *blocks;
	char **tail; /* T, G and S lines */
	size_t nblocks, ntail;
	struct strmap names; /* of blocks */
};

struct merge {
	struct side side[ISA_COUNT];
	struct buf *out, *never;
	bool failed; /* memory was out */
};

#define PUT(m, to, ...)                                                                            \
	do {                                                                                       \
		if (buf_printf((m)->to, __VA_ARGS__) < 0)                                          \
			(m)->failed = true;                                                        \
	} while (0)

static void side_free(struct side *s)
{
	free(s->text);
	free(s->lines);
	free(s->blocks);
	strmap_free(&s->names);
}

static int read_head(struct block *b, char *line)
{
	char **const fields[] = {&b->name, &b->scope, &b->line, &b->flags};
	char *p = line + 2;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		*fields[i] = p;
		if (i + 1 == ARRAY_SIZE(fields))
			break;
		p = strchr(p, ' ');
		if (!p)
			return -EINVAL;
		*p++ = '\0';
	}
	return 0;
}

static int side_read(struct side *s, const char *text, size_t len)
{
	size_t lines = 1, n = 0;
	char *save = NULL;

	s->text = strndup(text, len);
	if (!s->text)
		return -ENOMEM;
	for (const char *p = s->text; (p = strchr(p, '\n')); p++)
		lines++;
	s->lines = calloc(lines, sizeof *s->lines);
	s->blocks = calloc(lines, sizeof *s->blocks);
	if (!s->lines || !s->blocks)
		return -ENOMEM;
	for (char *l = strtok_r(s->text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (l[1] != ' ')
			return -EINVAL;
		if (*l == 'V')
			continue;
		s->lines[n] = l;
		if (*l == 'D') {
			struct block *b = &s->blocks[s->nblocks];

			if (read_head(b, l) < 0)
				return -EINVAL;
			if (strmap_put(&s->names, b->name, s->nblocks++) == STRMAP_NONE)
				return -ENOMEM;
			b->lines = &s->lines[n + 1];
		} else if (*l == 'T' || *l == 'G' || *l == 'S') {
			if (!s->ntail++)
				s->tail = &s->lines[n];
		} else {
			if (!s->nblocks || s->ntail)
				return -EINVAL;
			s->blocks[s->nblocks - 1].n++;
		}
		n++;
	}
	return 0;
}

static bool same(const struct block *a, const struct block *b)
{
	if (a->n != b->n || strcmp(a->scope, b->scope) || strcmp(a->flags, b->flags))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->lines[i], b->lines[i]))
			return false;
	return true;
}

static bool has_line(char *const *lines, size_t n, const char *line)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(lines[i], line))
			return true;
	return false;
}

/* The reason in a D line's flags, or NULL. */
static const char *reason(const struct block *b)
{
	const char *n = b ? strstr(b->flags, "n:") : NULL;

	return n ? n + 2 : NULL;
}

/* A letter among the flags before the reason. */
static bool has_flag(const struct block *b, char letter)
{
	const char *at = b ? strchr(b->flags, letter) : NULL, *n = reason(b);

	return at && (!n || at < n);
}

static void put_lines(struct merge *m, const struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		PUT(m, out, "%s\n", b->lines[i]);
}

/* A function that is not the same on both; one of the two may be missing. */
static void put_never(struct merge *m, const struct block *a, const struct block *b)
{
	const struct block *f = a ? a : b;
	const char *why = reason(a) ? reason(a) : reason(b);

	if (!why) {
		why = a && b ? DIFFERS : ONE_ONLY;
		/* Without calls it is never on the stack when something migrates. */
		if (f->n || (b && b->n))
			PUT(m, never, "%s %s %s\n", f->line, f->name, why);
	}
	PUT(m, out, "D %s %s %s %sn:%s\n", f->name, f->scope, f->line,
	    has_flag(a, 'a') || has_flag(b, 'a') ? "a" : "", why);
	put_lines(m, f);
	for (size_t i = 0; f != b && b && i < b->n; i++)
		if (!has_line(a->lines, a->n, b->lines[i]))
			PUT(m, out, "%s\n", b->lines[i]);
}

static void put_functions(struct merge *m)
{
	const struct side *x = &m->side[ISA_X86_64], *y = &m->side[ISA_AARCH64];

	for (size_t i = 0; i < x->nblocks; i++) {
		const struct block *a = &x->blocks[i];
		size_t k = strmap_get(&y->names, a->name);
		const struct block *b = k == STRMAP_NONE ? NULL : &y->blocks[k];

		if (!b || !same(a, b)) {
			put_never(m, a, b);
			continue;
		}
		PUT(m, out, "D %s %s %s %s\n", a->name, a->scope, a->line, a->flags);
		put_lines(m, a);
	}
	for (size_t i = 0; i < y->nblocks; i++)
		if (strmap_get(&x->names, y->blocks[i].name) == STRMAP_NONE)
			put_never(m, NULL, &y->blocks[i]);
}

/* The symbol a G line is about is another kind of thing, or of another size. */
static const char *same_symbol(const struct side *s, const char *line)
{
	size_t name = strcspn(line + 2, " ") + 3;

	for (size_t i = 0; i < s->ntail; i++)
		if (s->tail[i][0] == 'G' && !strncmp(s->tail[i], line, name))
			return s->tail[i];
	return NULL;
}

/* A line that one side alone has. */
static void put_one_sided(struct merge *m, const char *line)
{
	if (*line == 'S')
		PUT(m, out, "O %.*s\n", (int)strcspn(line + 2, " "), line + 2);
	else
		PUT(m, out, "%s\n", line);
}

static int put_tail(struct merge *m, struct err *err)
{
	const struct side *x = &m->side[ISA_X86_64], *y = &m->side[ISA_AARCH64];

	for (size_t i = 0; i < x->ntail; i++) {
		const char *line = x->tail[i];
		const char *other = *line == 'G' ? same_symbol(y, line) : NULL;

		if (other && strcmp(other, line))
			return err_set(err, -EILSEQ,
				       "the source means different things on the two ISAs: the "
				       "call summary has \"%.200s\" for x86-64 and \"%.200s\" for "
				       "AArch64",
				       line, other);
		if (*line != 'S')
			PUT(m, out, "%s\n", line);
		else if (!has_line(y->tail, y->ntail, line))
			put_one_sided(m, line);
	}
	for (size_t i = 0; i < y->ntail; i++)
		if (!has_line(x->tail, x->ntail, y->tail[i]))
			put_one_sided(m, y->tail[i]);
	return 0;
}

int summary_merge(const char *x86, size_t nx86, const char *arm, size_t narm, struct buf *out,
		  struct buf *never, struct err *err)
{
	struct merge m = {.out = out, .never = never};
	int r;

	if (nx86 == narm && !memcmp(x86, arm, nx86))
		return buf_append(out, x86, nx86) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
	r = side_read(&m.side[ISA_X86_64], x86, nx86);
	if (!r)
		r = side_read(&m.side[ISA_AARCH64], arm, narm);
	if (r < 0) {
		err_set(err, r, "call summary: %s",
			r == -ENOMEM ? "out of memory" : "a line out of place");
	} else {
		PUT(&m, out, "V 1\n");
		put_functions(&m);
		r = put_tail(&m, err);
	}
	if (!r && m.failed)
		r = err_set(err, -ENOMEM, "call summary: out of memory");
	side_free(&m.side[ISA_X86_64]);
	side_free(&m.side[ISA_AARCH64]);
	return r;
}
