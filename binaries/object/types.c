/* Comparison of type layouts; see types.h. Both texts are sorted, so one pass over both will do. */
#include "binaries/object/types.h"

#include <errno.h>
#include <string.h>

/* One line: key is the place and what, value the rest. */
struct fact {
	const char *key, *value;
	size_t nkey, nvalue;
};

struct side {
	const char *at, *end;
	struct fact fact;
};

/* 1: a fact; 0: the end; -EBADMSG. */
static int next(struct side *s)
{
	const char *lf, *tab, *second;

	if (s->at == s->end)
		return 0;
	lf = memchr(s->at, '\n', (size_t)(s->end - s->at));
	if (!lf)
		return -EBADMSG;
	tab = memchr(s->at, '\t', (size_t)(lf - s->at));
	second = tab ? memchr(tab + 1, '\t', (size_t)(lf - tab - 1)) : NULL;
	if (!second)
		return -EBADMSG;
	s->fact = (struct fact){s->at, second + 1, (size_t)(second - s->at),
				(size_t)(lf - second - 1)};
	s->at = lf + 1;
	return 1;
}

static int order(const struct fact *a, const struct fact *b)
{
	int c = memcmp(a->key, b->key, a->nkey < b->nkey ? a->nkey : b->nkey);

	return c ? c : (a->nkey > b->nkey) - (a->nkey < b->nkey);
}

static int differs(const struct fact *x, const struct fact *y, struct err *err)
{
	const char *tab = memchr(x->key, '\t', x->nkey);
	int place = (int)(tab - x->key), what = (int)(x->nkey - (size_t)place - 1);

	err_set(err, -EILSEQ,
		"%.*s: '%.*s' has another layout on each ISA: %.*s on x86-64, %.*s on AArch64",
		place > 160 ? 160 : place, x->key, what > 120 ? 120 : what, tab + 1,
		x->nvalue > 60 ? 60 : (int)x->nvalue, x->value,
		y->nvalue > 60 ? 60 : (int)y->nvalue, y->value);
	return -EILSEQ;
}

int types_compare(const char *x86, size_t nx86, const char *arm, size_t narm, struct err *err)
{
	struct side x = {.at = x86, .end = x86 + nx86}, y = {.at = arm, .end = arm + narm};
	int has_x = next(&x), has_y = next(&y);

	while (has_x > 0 && has_y > 0) {
		int c = order(&x.fact, &y.fact);

		if (!c && (x.fact.nvalue != y.fact.nvalue ||
			   memcmp(x.fact.value, y.fact.value, x.fact.nvalue) != 0))
			return differs(&x.fact, &y.fact, err);
		if (c <= 0)
			has_x = next(&x);
		if (c >= 0)
			has_y = next(&y);
	}
	if (has_x < 0 || has_y < 0)
		return err_set(err, -EBADMSG, "the compiler wrote no list of type layouts");
	return 0;
}
