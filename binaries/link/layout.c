/*
 * Pairing and placing.  Sections the plugin named pair by name; the rest
 * (assembly and libgcc) pair by a symbol both sides have at one offset.
 */
#include "binaries/link/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/object/strmap.h"
#include "common/compiler.h"

struct pairing {
	struct layout *l;
	const struct map *maps;
	const struct home *home;
	size_t *slot_of[ISA_COUNT]; /* by section index; STRMAP_NONE: none yet */
	size_t cap;
	struct strv keys; /* owns composed names */
};

/* Written data of the runtime and of assembly, which never moves. */
static enum region unnamed_region(const struct map_section *s)
{
	static const struct {
		const char *name;
		enum region region;
	} known[] = {
		{".text", REGION_TEXT},
		{".data", REGION_HOME},
		{".bss", REGION_HOMEBSS},
	};

	if (s->file[0] == '<' || !strncmp(s->name, ".data.rel.ro", 12))
		return REGION_PRIVATE;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i].name);

		if (!strncmp(s->name, known[i].name, n) && (!s->name[n] || s->name[n] == '.'))
			return known[i].region;
	}
	return REGION_PRIVATE;
}

static enum region region_for(const struct pairing *p, int isa, const struct map_section *s)
{
	enum region r = region_of(s->name);

	if ((r == REGION_DATA || r == REGION_BSS) && home_has(p->home, &p->maps[isa], s))
		r = r == REGION_DATA ? REGION_HOME : REGION_HOMEBSS;
	return r;
}

static int new_slot(struct pairing *p, int isa, size_t index, enum region region, bool by_name)
{
	const struct map_section *s = &p->maps[isa].sections[index];
	struct layout *l = p->l;

	if (l->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 1024;
		struct slot *v = reallocarray(l->slots, cap, sizeof *v);

		if (!v)
			return -ENOMEM;
		l->slots = v;
		p->cap = cap;
	}
	l->slots[l->n] = (struct slot){.name = s->name, .region = region, .by_name = by_name};
	l->slots[l->n].sec[isa] = s;
	p->slot_of[isa][index] = l->n++;
	return 0;
}

/*
 * The key of a section that is shared by name.  Further live sections of that
 * name (a weak definition kept in two modules, the functions' table) are
 * numbered: both links have them in the same order, that of the modules.
 */
static const char *key_of(struct pairing *p, const struct map_section *s, const struct strmap *seen)
{
	const char *key = s->name;

	for (size_t n = 2; key && strmap_get(seen, key) != STRMAP_NONE; n++) {
		strv_addf(&p->keys, "%s #%zu", s->name, n);
		key = strv_failed(&p->keys) ? NULL : p->keys.v[p->keys.n - 1];
	}
	return key;
}

static int pair_named(struct pairing *p)
{
	struct strmap slots = {0};
	int r = 0;

	for (int isa = 0; isa < ISA_COUNT && !r; isa++) {
		const struct map *m = &p->maps[isa];
		struct strmap seen = {0};

		for (size_t i = 0; i < m->nsections && !r; i++) {
			const struct map_section *s = &m->sections[i];
			enum region region = region_for(p, isa, s);
			const char *key;
			size_t k;

			if (region == REGION_PRIVATE || s->file[0] == '<')
				continue;
			key = key_of(p, s, &seen);
			if (!key || strmap_put(&seen, key, i) == STRMAP_NONE) {
				r = -ENOMEM;
				break;
			}
			k = strmap_put(&slots, key, p->l->n);
			if (k == p->l->n) {
				r = new_slot(p, isa, i, region, key == s->name);
			} else if (k == STRMAP_NONE) {
				r = -ENOMEM;
			} else {
				p->l->slots[k].sec[isa] = s;
				p->l->slots[k].by_name &= key == s->name;
				p->slot_of[isa][i] = k;
			}
		}
		strmap_free(&seen);
	}
	/* A numbered sibling makes the plain name ambiguous. */
	for (size_t i = 0; i < p->l->n && !r; i++)
		if (!p->l->slots[i].by_name) {
			size_t k = strmap_get(&slots, p->l->slots[i].name);

			if (k != STRMAP_NONE)
				p->l->slots[k].by_name = false;
		}
	strmap_free(&slots);
	return r;
}

/* Symbols the assembler and the linker make for themselves. */
static bool is_label(const char *name)
{
	return name[0] == '$' || name[0] == '.';
}

/* The region in which a section may be paired by symbol, or REGION_PRIVATE. */
static enum region symbol_region(const struct pairing *p, int isa, size_t i)
{
	const struct map_section *s = &p->maps[isa].sections[i];
	size_t k = p->slot_of[isa][i];
	enum region r = k == STRMAP_NONE ? unnamed_region(s) : p->l->slots[k].region;

	if (k != STRMAP_NONE && (r != REGION_TEXT || p->l->slots[k].sec[isa_other((enum isa)isa)]))
		return REGION_PRIVATE;
	return s->size ? r : REGION_PRIVATE;
}

/* Gives both sections one slot: that which either has, or a new one. */
static int join(struct pairing *p, size_t x, size_t a, enum region r)
{
	size_t *kx = &p->slot_of[ISA_X86_64][x], *ka = &p->slot_of[ISA_AARCH64][a];

	if (*kx == STRMAP_NONE && *ka == STRMAP_NONE) {
		int e = new_slot(p, ISA_X86_64, x, r, false);

		if (e < 0)
			return e;
	}
	if (*kx == STRMAP_NONE)
		*kx = *ka;
	*ka = *kx;
	p->l->slots[*kx].sec[ISA_X86_64] = &p->maps[ISA_X86_64].sections[x];
	p->l->slots[*kx].sec[ISA_AARCH64] = &p->maps[ISA_AARCH64].sections[a];
	p->l->slots[*kx].by_name = false;
	return 0;
}

static int pair_one(struct pairing *p, size_t i, const struct strmap *arm)
{
	const struct map *mx = &p->maps[ISA_X86_64], *ma = &p->maps[ISA_AARCH64];
	const struct map_section *s = &mx->sections[i];
	enum region r = symbol_region(p, ISA_X86_64, i);

	for (size_t n = 0; r != REGION_PRIVATE && n < s->nsymbols; n++) {
		const struct map_symbol *sym = &mx->symbols[s->first_symbol + n], *o;
		size_t k = is_label(sym->name) ? STRMAP_NONE : strmap_get(arm, sym->name);

		if (k == STRMAP_NONE)
			continue;
		o = &ma->symbols[k];
		if (o->offset != sym->offset || symbol_region(p, ISA_AARCH64, o->section) != r)
			continue;
		if (p->slot_of[ISA_X86_64][i] != STRMAP_NONE &&
		    p->slot_of[ISA_AARCH64][o->section] != STRMAP_NONE)
			continue;
		return join(p, i, o->section, r);
	}
	return 0;
}

static int pair_by_symbol(struct pairing *p)
{
	const struct map *ma = &p->maps[ISA_AARCH64];
	struct strmap arm = {0};
	int r = 0;

	for (size_t i = 0; i < ma->nsections && !r; i++) {
		const struct map_section *s = &ma->sections[i];

		if (symbol_region(p, ISA_AARCH64, i) == REGION_PRIVATE)
			continue;
		for (size_t k = s->first_symbol; k < s->first_symbol + s->nsymbols && !r; k++)
			if (!is_label(ma->symbols[k].name) &&
			    strmap_put(&arm, ma->symbols[k].name, k) == STRMAP_NONE)
				r = -ENOMEM;
	}
	for (size_t i = 0; i < p->maps[ISA_X86_64].nsections && !r; i++)
		r = pair_one(p, i, &arm);
	strmap_free(&arm);
	return r;
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/* Regions that begin on a page of their own: a segment, or the edge of what moves. */
static bool begins_page(int region)
{
	return region == REGION_TEXT || region == REGION_RELRO || region == REGION_DATA ||
	       region == REGION_HOMEBSS;
}

/* Room for the larger of a pair, on the stricter of its alignments. */
static void measure(struct slot *s)
{
	s->align = 1;
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		if (!s->sec[isa])
			continue;
		s->size = s->sec[isa]->size > s->size ? s->sec[isa]->size : s->size;
		s->align = s->sec[isa]->align > s->align ? s->sec[isa]->align : s->align;
	}
}

static void place(struct layout *l)
{
	uint64_t align[REGION_COUNT], at = LAYOUT_FIRST;

	for (int r = 0; r < REGION_COUNT; r++)
		align[r] = begins_page(r) ? LAYOUT_PAGE : 64;
	for (size_t i = 0; i < l->n; i++) {
		struct slot *s = &l->slots[i];

		measure(s);
		if (s->region < REGION_COUNT && s->align > align[s->region])
			align[s->region] = s->align;
	}
	for (int r = 0; r < REGION_COUNT; r++) {
		at = round_up(at, align[r]);
		l->start[r] = at;
		for (size_t i = 0; i < l->n; i++) {
			struct slot *s = &l->slots[i];

			if (s->region != (enum region)r)
				continue;
			at = round_up(at, s->align);
			s->addr = at;
			at += s->size;
		}
		/* Room for the identity of the program; see script.c. */
		if (r == REGION_RODATA) {
			l->build_id = round_up(at, 64);
			at = l->build_id + LAYOUT_BUILD_ID;
		}
		l->end[r] = at;
	}
	l->end[REGION_BSS] = round_up(l->end[REGION_BSS], LAYOUT_PAGE);
	l->private_base = round_up(at, 1u << 20);
}

int layout_make(struct layout *l, const struct map maps[ISA_COUNT], const struct home *home,
		struct err *err)
{
	struct pairing p = {.l = l, .maps = maps, .home = home};
	int r = 0;

	*l = (struct layout){0};
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		p.slot_of[isa] = calloc(maps[isa].nsections + 1, sizeof *p.slot_of[isa]);
		for (size_t i = 0; p.slot_of[isa] && i < maps[isa].nsections; i++)
			p.slot_of[isa][i] = STRMAP_NONE;
		r = p.slot_of[isa] ? r : -ENOMEM;
	}
	if (!r)
		r = pair_named(&p);
	if (!r)
		r = pair_by_symbol(&p);
	if (!r)
		place(l);
	for (int isa = 0; isa < ISA_COUNT; isa++)
		free(p.slot_of[isa]);
	strv_free(&p.keys);
	if (r < 0) {
		layout_free(l);
		return err_set(err, r, "aligned layout: out of memory");
	}
	return 0;
}

void layout_free(struct layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->slots[i].graft);
	free(l->slots);
	*l = (struct layout){0};
}
