/* Growing string lists; see strv.h. */
#include "binaries/object/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void strv_take(struct strv *l, char *s)
{
	if (!s) {
		l->failed = true;
		return;
	}
	if (l->n + 2 > l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		char **v = reallocarray(l->v, cap, sizeof *v);

		if (!v) {
			l->failed = true;
			free(s);
			return;
		}
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void strv_add(struct strv *l, const char *s)
{
	strv_take(l, strdup(s));
}

void strv_addf(struct strv *l, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	strv_take(l, n < 0 ? NULL : s);
}

void strv_cat(struct strv *l, const struct strv *from)
{
	for (size_t i = 0; i < from->n; i++)
		strv_add(l, from->v[i]);
	l->failed |= from->failed;
}

void strv_addn(struct strv *l, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strv_add(l, v[i]);
}

bool strv_has(const struct strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], s))
			return true;
	return false;
}

bool strv_failed(const struct strv *l)
{
	return l->failed;
}

void strv_free(struct strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strv){0};
}
