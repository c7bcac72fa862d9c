/* One step of an instruction, and what a landing pad must not save. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "binaries/machine/walk.h"
#include "common/compiler.h"
#include "migrator/include/abi.h"

enum { WORD = 8 };

static const struct value plain, lost = {.kind = VALUE_LOST};

int walk_wrong(const struct walk *w, size_t i, const char *what)
{
	return err_set(w->err, -EILSEQ, "machine code at 0x%" PRIx64 " (%s): %s",
		       w->insns[i].address, w->p->abi == &machine_x86_64 ? "x86-64" : "AArch64",
		       what);
}

static struct value sum(struct value a, struct value b, bool minus)
{
	if (minus && value_is_stack(a) && value_is_stack(b))
		return plain; /* a distance */
	if (!minus && a.kind == VALUE_CONST && b.kind != VALUE_CONST) {
		struct value t = a;

		a = b;
		b = t;
	}
	if (b.kind == VALUE_CONST && a.kind != VALUE_PLAIN && a.kind != VALUE_LOST) {
		a.n = (int64_t)(minus ? (uint64_t)a.n - (uint64_t)b.n
				      : (uint64_t)a.n + (uint64_t)b.n);
		return a;
	}
	return value_is_stack(a) || value_is_stack(b) ? lost : plain;
}

/* What nothing that is saved may be. */
static int judge_value(struct walk *w, size_t i, struct value v)
{
	const struct machine_program *p = w->p;

	w->found->stores++;
	if (value_is_stack(v))
		return walk_wrong(w, i, "a landing pad saves an address of the native stack");
	if (v.kind == VALUE_CONST && v.named && (uint64_t)v.n >= p->own_start &&
	    (uint64_t)v.n < p->own_end)
		return walk_wrong(w, i, "a landing pad saves an address that this ISA alone has");
	return 0;
}

static int judge_store(struct walk *w, size_t i, const struct place *p, struct value to,
		       struct value v)
{
	if (to.n < 0 || (uint64_t)to.n + p->size > to.size)
		return walk_wrong(w, i, "a landing pad writes outside its frame record");
	return judge_value(w, i, v);
}

static int store(struct walk *w, struct state *s, size_t i, const struct place *p, struct value v)
{
	struct value to = p->type == PLACE_MEM ? state_address(s, p) : plain;
	int r = w->judging && to.kind == VALUE_RECORD ? judge_store(w, i, p, to, v) : 0;

	return r ? r : state_write(s, p, v);
}

/* A copy of N bytes from memory at FROM to memory at TO. */
static int bytes(struct walk *w, const struct state *s, size_t i, struct value to,
		 struct value from, struct value n)
{
	const struct place whole = {.type = PLACE_MEM, .size = (unsigned)n.n};

	if (!w->judging || to.kind != VALUE_RECORD)
		return 0;
	if (n.kind != VALUE_CONST)
		return walk_wrong(w, i,
				  "a landing pad copies a number of bytes that is not constant");
	return judge_store(w, i, &whole, to,
			   from.kind == VALUE_STACK && state_holds_address(s, from.n, (uint64_t)n.n)
				   ? lost
				   : plain);
}

static int compare_table(const void *addr, const void *table)
{
	const struct machine_table *t = table;
	uint64_t a = *(const uint64_t *)addr;

	if (a < t->addr)
		return -1;
	return a - t->addr >= (uint64_t)t->nsites * sizeof(struct drover_site);
}

/* The row of a site, if V is the address of one. */
struct value walk_site(const struct walk *w, struct value v)
{
	const struct machine_program *p = w->p;
	const struct transform_fn *fn;
	const struct machine_table *t;
	uint64_t addr = (uint64_t)v.n, site;

	if (v.kind != VALUE_CONST || !p->ntables)
		return v;
	t = bsearch(&addr, p->tables, p->ntables, sizeof(*t), compare_table);
	if (!t || (addr - t->addr) % sizeof(struct drover_site))
		return v;
	site = (addr - t->addr) / sizeof(struct drover_site);
	fn = transform_find(p->transform, t->id);
	if (!fn || site >= fn->nsites)
		return v;
	return (struct value){.kind = VALUE_SITE,
			      .n = t - p->tables,
			      .size = p->transform->sites[fn->first_site + site].size};
}

/* The call that asks for a frame record: of a function inlined here, or of this one. */
static int ask(struct walk *w, struct state *s, size_t i, struct value *record)
{
	struct value site = walk_site(w, s->reg[w->p->abi->args[0]]);
	bool known = site.kind == VALUE_SITE;

	*record = (struct value){.kind = VALUE_RECORD, .size = site.size};
	if (w->judging && s->pad != PAD_ENTERED)
		return walk_wrong(w, i,
				  "a frame record is asked for outside a landing pad, or twice "
				  "in one");
	if (w->judging && !known)
		return walk_wrong(
			w, i, "a landing pad saves for no site, or for those of several functions");
	if (s->pad != PAD_ENTERED)
		s->pad = PAD_MIXED;
	else
		s->pad = known && w->p->tables[site.n].id == w->f->id ? PAD_ASKED : PAD_INLINED;
	return 0;
}

/* The rows of a clone's table are those of .state_transform. */
static int judge_homes(struct walk *w, size_t i, const struct transform_fn *fn,
		       const struct drover_homes *homes)
{
	const struct transform *t = w->p->transform;

	for (uint32_t k = 0; k < fn->nsites; k++) {
		const struct transform_site *site = &t->sites[fn->first_site + k];
		uint32_t n;
		const struct drover_home *h = drover_homes_of(homes, k, &n);
		bool good = n == site->nvalues;

		for (uint32_t v = 0; v < n && good; v++) {
			const struct transform_value *value = &t->values[site->first_value + v];

			good = h[v].offset == value->offset && h[v].size == value->size &&
			       h[v].home <= homes->size && h[v].size <= homes->size - h[v].home;
		}
		if (!good)
			return walk_wrong(
				w, i,
				"a resume clone keeps other values than .state_transform says");
	}
	return 0;
}

static const struct drover_homes *homes_at(const struct walk *w, uint64_t addr, size_t nsites)
{
	const struct machine_program *p = w->p;
	const struct drover_homes *h;
	size_t head = sizeof(*h) + (nsites + 1) * sizeof(uint32_t);

	h = p->bytes ? (const void *)p->bytes(p->context, addr, head) : NULL;
	if (!h || h->nsites != nsites || h->words[0])
		return NULL;
	for (uint32_t k = 0; k < nsites; k++)
		if (h->words[k] > h->words[k + 1])
			return NULL;
	return (const void *)p->bytes(p->context, addr,
				      head + h->words[nsites] * sizeof(struct drover_home));
}

/* The call that makes a record of the clone's block of memory. */
static int keep(struct walk *w, struct state *s, size_t i)
{
	const struct machine_abi *abi = w->p->abi;
	const struct transform_fn *fn = transform_find(w->p->transform, w->f->id);
	struct value site = walk_site(w, s->reg[abi->args[0]]), block = s->reg[abi->args[1]],
		     table = s->reg[abi->args[2]];
	const struct drover_homes *homes;
	int r;

	if (!w->judging)
		return 0;
	if (s->pad != PAD_ENTERED)
		return walk_wrong(w, i, "a frame record is asked for outside a landing pad");
	/* Behind the inner frame's rebuilding the site is the record's, which the runtime has
	 * checked. */
	if (site.kind != VALUE_PLAIN &&
	    (site.kind != VALUE_SITE || w->p->tables[site.n].id != w->f->id))
		return walk_wrong(w, i, "a landing pad saves for no site of its function");
	homes = fn && table.kind == VALUE_CONST ? homes_at(w, (uint64_t)table.n, fn->nsites) : NULL;
	if (!homes || (homes->size && block.kind != VALUE_STACK))
		return walk_wrong(
			w, i, "a resume clone has no table of what it keeps, or no room for it");
	r = judge_homes(w, i, fn, homes);
	for (size_t k = 0; k < s->n && !r; k++)
		if (s->slots[k].at > block.n - WORD &&
		    s->slots[k].at < block.n + (int64_t)homes->size)
			r = judge_value(w, i, s->slots[k].v);
	w->found->stores += homes->words[fn->nsites];
	return r;
}

void walk_clobber(const struct machine_abi *abi, struct state *s)
{
	for (int r = 0; r < MACHINE_REGS; r++)
		if (!(abi->kept >> r & 1))
			s->reg[r] = plain;
}

static int call(struct walk *w, struct state *s, size_t i, const struct micro *m)
{
	const struct machine_abi *abi = w->p->abi;
	uint64_t to = m->a.type == PLACE_IMM ? (uint64_t)m->a.n : 0;
	struct value result = plain;
	int r = 0;

	if (to && to == w->p->frame)
		r = ask(w, s, i, &result);
	else if (to && to == w->p->keep)
		r = keep(w, s, i);
	else if (to && (to == w->p->copy || to == w->p->move))
		r = bytes(w, s, i, s->reg[abi->args[0]], s->reg[abi->args[1]],
			  s->reg[abi->args[2]]);
	if (to && to == w->p->copy)
		result = s->reg[abi->args[0]];
	walk_clobber(abi, s);
	s->reg[abi->result] = result;
	return r;
}

static struct value insert(struct value a, const struct micro *m)
{
	if (a.kind != VALUE_CONST)
		return value_is_stack(a) ? lost : plain;
	a.n = (int64_t)(((uint64_t)a.n & ~(UINT64_C(0xffff) << (m->b.n & 63))) |
			m->c << (m->b.n & 63));
	return a;
}

int walk_step(struct walk *w, struct state *s, size_t i, const struct micro *m)
{
	struct value a = state_read(s, &m->a), b = state_read(s, &m->b);

	switch (m->kind) {
	case MICRO_COPY:
		return store(w, s, i, &m->dst, a);
	case MICRO_ADD:
	case MICRO_SUB:
		return store(w, s, i, &m->dst, sum(a, b, m->kind == MICRO_SUB));
	case MICRO_ADDRESS:
		return store(w, s, i, &m->dst, state_address(s, &m->a));
	case MICRO_INSERT:
		return store(w, s, i, &m->dst, insert(a, m));
	case MICRO_CHOOSE:
	case MICRO_MIX:
		return store(w, s, i, &m->dst,
			     value_is_stack(a) || value_is_stack(b) ? lost : plain);
	case MICRO_BYTES:
		if (b.kind == VALUE_CONST)
			b.n *= (int64_t)m->c;
		return bytes(w, s, i, state_read(s, &m->dst), a, b);
	case MICRO_CALL:
		return call(w, s, i, m);
	default:
		return 0;
	}
}
