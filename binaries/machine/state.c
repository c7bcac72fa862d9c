#include "binaries/machine/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 8 };

static const struct value plain, lost = {.kind = VALUE_LOST};

void state_free(struct state *s)
{
	free(s->slots);
	*s = (struct state){0};
}

static int make_room(struct state *s, size_t n)
{
	struct slot *v;

	if (n <= s->cap)
		return 0;
	n = n < 8 ? 8 : n * 2;
	v = reallocarray(s->slots, n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->slots = v;
	s->cap = n;
	return 0;
}

int state_copy(struct state *to, const struct state *from)
{
	int r = make_room(to, from->n);

	if (r)
		return r;
	to->reached = from->reached;
	to->pad = from->pad;
	memcpy(to->reg, from->reg, sizeof(to->reg));
	if (from->n)
		memcpy(to->slots, from->slots, from->n * sizeof(*to->slots));
	to->n = from->n;
	return 0;
}

static bool same(struct value a, struct value b)
{
	return a.kind == b.kind && a.named == b.named && a.size == b.size && a.n == b.n;
}

static struct value join(struct value a, struct value b)
{
	if (same(a, b))
		return a;
	/* Several landing pads store by the same code. */
	if (a.kind == b.kind && a.n == b.n && (a.kind == VALUE_RECORD || a.kind == VALUE_SITE)) {
		a.size = a.size < b.size ? a.size : b.size;
		return a;
	}
	return value_is_stack(a) || value_is_stack(b) ? lost : plain;
}

static const struct value *slot(const struct state *s, int64_t at)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->slots[i].at == at)
			return &s->slots[i].v;
	return NULL;
}

int state_join(struct state *to, const struct state *from)
{
	int changed = 0;

	if (!to->reached) {
		int r = state_copy(to, from);

		to->reached = true;
		return r ? r : 1;
	}
	if (to->pad != from->pad && to->pad != PAD_MIXED) {
		to->pad = PAD_MIXED;
		changed = 1;
	}
	for (int i = 0; i < MACHINE_REGS; i++) {
		struct value v = join(to->reg[i], from->reg[i]);

		changed |= !same(v, to->reg[i]);
		to->reg[i] = v;
	}
	for (size_t i = 0; i < to->n; i++) {
		const struct value *other = slot(from, to->slots[i].at);
		struct value v = join(to->slots[i].v, other ? *other : plain);

		changed |= !same(v, to->slots[i].v);
		to->slots[i].v = v;
	}
	for (size_t i = 0; i < from->n; i++) {
		int r;

		if (!value_is_stack(from->slots[i].v) || slot(to, from->slots[i].at))
			continue;
		r = make_room(to, to->n + 1);
		if (r)
			return r;
		to->slots[to->n++] = (struct slot){from->slots[i].at, lost};
		changed = 1;
	}
	return changed;
}

struct value state_address(const struct state *s, const struct place *p)
{
	struct value v = {.kind = VALUE_CONST, .named = true};

	if (p->base != MACHINE_NONE)
		v = s->reg[p->base];
	if (p->index != MACHINE_NONE)
		return value_is_stack(v) || value_is_stack(s->reg[p->index]) ? lost : plain;
	if (v.kind == VALUE_PLAIN || v.kind == VALUE_LOST)
		return v;
	if (v.kind == VALUE_SITE)
		return plain;
	v.n += p->n;
	return v;
}

bool state_holds_address(const struct state *s, int64_t at, uint64_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (value_is_stack(s->slots[i].v) && s->slots[i].at > at - WORD &&
		    s->slots[i].at < at + (int64_t)n)
			return true;
	return false;
}

struct value state_read(const struct state *s, const struct place *p)
{
	struct value v = plain;

	switch (p->type) {
	case PLACE_IMM:
		return (struct value){.kind = VALUE_CONST, .n = p->n};
	case PLACE_REG:
		v = p->reg == MACHINE_NONE ? plain : s->reg[p->reg];
		break;
	case PLACE_MEM: {
		struct value at = state_address(s, p);
		const struct value *word;

		if (at.kind != VALUE_STACK)
			return plain;
		word = slot(s, at.n);
		if (word && p->size == WORD)
			return *word;
		return state_holds_address(s, at.n, p->size) ? lost : plain;
	}
	default:
		return plain;
	}
	if (p->size >= WORD)
		return v;
	if (v.kind == VALUE_CONST && p->size == WORD / 2)
		v.n = (uint32_t)v.n;
	else if (v.kind != VALUE_PLAIN)
		v = value_is_stack(v) ? lost : plain;
	return v;
}

/* Every word that [at, at + size) touches holds V from now on; part of a word: nothing of interest.
 */
static int write_slots(struct state *s, int64_t at, unsigned size, struct value v)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->slots[i].at <= at - WORD || s->slots[i].at >= at + (int64_t)size)
			s->slots[kept++] = s->slots[i];
	s->n = kept;
	if (v.kind == VALUE_PLAIN || size < WORD)
		return 0;
	if (size > WORD)
		v = value_is_stack(v) ? lost : plain;
	for (unsigned k = 0; k < size && !r && v.kind != VALUE_PLAIN; k += WORD) {
		r = make_room(s, s->n + 1);
		if (!r)
			s->slots[s->n++] = (struct slot){at + k, v};
	}
	return r;
}

int state_write(struct state *s, const struct place *p, struct value v)
{
	struct value at;

	if (p->type == PLACE_REG && p->reg != MACHINE_NONE) {
		if (p->size < WORD && v.kind == VALUE_CONST)
			v.n = (uint32_t)v.n;
		if (p->size < WORD / 2 && !value_is_stack(v))
			v = plain;
		s->reg[p->reg] = v;
	}
	if (p->type != PLACE_MEM)
		return 0;
	at = state_address(s, p);
	return at.kind == VALUE_STACK ? write_slots(s, at.n, p->size, v) : 0;
}
