#include "binaries/machine/unwind.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Pointer encodings: the format in the lower half, what it is relative to in the upper. */
enum { ABSOLUTE = 0, ULEB = 1, UDATA4 = 3, UDATA8 = 4, SDATA4 = 0xb, SDATA8 = 0xc };
enum { RELATIVE_HERE = 0x10, OMIT = 0xff };

/* Reads within bounds; once `bad`, everything is 0. */
struct cursor {
	const struct loaded *in;
	size_t at, end;
	bool bad;
};

static uint64_t fixed(struct cursor *c, size_t n)
{
	uint64_t v = 0;

	if (c->bad || n > c->end - c->at) {
		c->bad = true;
		return 0;
	}
	memcpy(&v, c->in->data + c->at, n);
	c->at += n;
	return v;
}

static uint64_t uleb(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; !c->bad; shift += 7) {
		uint64_t byte = fixed(c, 1);

		if (shift < 64)
			v |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return v;
}

static uint64_t pointer(struct cursor *c, unsigned encoding)
{
	uint64_t here = c->in->addr + c->at, v;

	if (encoding == OMIT)
		return 0;
	switch (encoding & 0x0f) {
	case ABSOLUTE:
	case UDATA8:
	case SDATA8:
		v = fixed(c, 8);
		break;
	case UDATA4:
		v = fixed(c, 4);
		break;
	case SDATA4:
		v = (uint64_t)(int64_t)(int32_t)fixed(c, 4);
		break;
	case ULEB:
		v = uleb(c);
		break;
	default:
		c->bad = true;
		return 0;
	}
	return v && (encoding & 0x70) == RELATIVE_HERE ? v + here : v;
}

/* The encodings of a common information entry. */
struct cie {
	unsigned code, lsda;
	bool has_augmentation;
};

static struct cie read_cie(const struct loaded *in, size_t at, size_t end, bool *bad)
{
	struct cursor c = {in, at, end, *bad};
	struct cie cie = {ABSOLUTE, OMIT, false};
	const char *augmentation;

	fixed(&c, 1); /* version */
	augmentation = (const char *)in->data + c.at;
	while (fixed(&c, 1))
		;
	uleb(&c); /* code and data alignment, return register */
	uleb(&c);
	uleb(&c);
	cie.has_augmentation = !c.bad && augmentation[0] == 'z';
	if (cie.has_augmentation)
		uleb(&c);
	for (const char *a = augmentation + 1; cie.has_augmentation && !c.bad && *a; a++) {
		if (*a == 'P')
			pointer(&c, (unsigned)fixed(&c, 1) & 0x0f);
		else if (*a == 'L')
			cie.lsda = (unsigned)fixed(&c, 1);
		else if (*a == 'R')
			cie.code = (unsigned)fixed(&c, 1);
	}
	*bad = c.bad;
	return cie;
}

static int by_start(const void *a, const void *b)
{
	const struct unwind_fn *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int compare_start(const void *start, const void *fn)
{
	uint64_t a = *(const uint64_t *)start, b = ((const struct unwind_fn *)fn)->start;

	return (a > b) - (a < b);
}

const struct unwind_fn *unwind_find(const struct unwind_fn *fns, size_t n, uint64_t start)
{
	return n ? bsearch(&start, fns, n, sizeof(*fns), compare_start) : NULL;
}

/* The entry at [at, end), whose pointer to its CIE is at AT. */
static struct unwind_fn read_fde(const struct loaded *in, size_t at, size_t end, bool *bad)
{
	struct cursor c = {in, at, end, false};
	uint64_t back = fixed(&c, 4);
	struct cursor at_cie = {in, at - back, in->len, back > at};
	uint64_t len = fixed(&at_cie, 0);
	struct unwind_fn fn = {0};
	struct cie cie;

	at_cie.bad |= back < 4;
	len = fixed(&at_cie, 4);
	*bad = at_cie.bad || len < 4 || len > in->len - at_cie.at || fixed(&at_cie, 4) != 0;
	if (*bad)
		return fn;
	cie = read_cie(in, at_cie.at, at_cie.at + len - 4, bad);
	fn.start = pointer(&c, cie.code);
	fn.len = pointer(&c, cie.code & 0x0f);
	if (cie.has_augmentation && uleb(&c))
		fn.lsda = pointer(&c, cie.lsda);
	*bad |= c.bad;
	return fn;
}

int unwind_read(const struct loaded *eh_frame, struct unwind_fn **out, size_t *n, struct err *err)
{
	struct cursor c = {eh_frame, 0, eh_frame->len, false};
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	while (!c.bad && c.at + 4 <= c.end) {
		uint64_t len = fixed(&c, 4);
		size_t at = c.at;
		uint32_t id;

		if (!len)
			break;
		if (len < 4 || len > c.end - c.at) {
			c.bad = true;
			break;
		}
		memcpy(&id, eh_frame->data + at, sizeof(id));
		c.at += len;
		if (!id)
			continue;
		if (*n == cap) {
			struct unwind_fn *v = reallocarray(*out, cap ? cap * 2 : 256, sizeof(*v));

			if (!v)
				return err_set(err, -ENOMEM, "out of memory");
			*out = v;
			cap = cap ? cap * 2 : 256;
		}
		(*out)[(*n)++] = read_fde(eh_frame, at, at + len, &c.bad);
	}
	if (c.bad)
		return err_set(err, -EINVAL, "the unwind tables are damaged");
	if (*n)
		qsort(*out, *n, sizeof(**out), by_start);
	return 0;
}

int unwind_sites(const struct loaded *table, const struct unwind_fn *fn, struct machine_site **out,
		 size_t *n, struct err *err)
{
	struct cursor c = {table, 0, table->len, fn->lsda < table->addr};
	unsigned encoding;
	size_t cap = 0;
	uint64_t len;

	*out = NULL;
	*n = 0;
	c.at = c.bad || fn->lsda - table->addr > table->len ? table->len : fn->lsda - table->addr;
	if (fixed(&c, 1) != OMIT)
		c.bad = true; /* landing pads from another base than the function's start */
	if (fixed(&c, 1) != OMIT)
		uleb(&c);
	encoding = (unsigned)fixed(&c, 1);
	len = uleb(&c);
	if (!c.bad && len <= c.end - c.at)
		c.end = c.at + len;
	else
		c.bad = true;
	while (!c.bad && c.at < c.end) {
		uint64_t start = pointer(&c, encoding & 0x0f), size = pointer(&c, encoding & 0x0f);
		uint64_t pad = pointer(&c, encoding & 0x0f);
		struct machine_site *v;

		uleb(&c); /* action */
		if (!pad)
			continue;
		if (*n == cap) {
			cap = cap ? cap * 2 : 16;
			v = reallocarray(*out, cap, sizeof(*v));
			if (!v)
				return err_set(err, -ENOMEM, "out of memory");
			*out = v;
		}
		(*out)[(*n)++] = (struct machine_site){fn->start + start, fn->start + start + size,
						       fn->start + pad};
	}
	return c.bad ? err_set(err, -EINVAL, "a call-site table is damaged") : 0;
}
