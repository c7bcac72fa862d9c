#include "binaries/machine/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/machine/returns.h"
#include "binaries/machine/state.h"
#include "common/compiler.h"
#include "migrator/include/abi.h"

enum { WORD = 8 };

static const struct value plain, lost = {.kind = VALUE_LOST};

struct walk {
	const struct machine_program *p;
	const struct machine_function *f;
	struct machine_found *found;
	struct err *err;
	cs_insn *insns;
	size_t n;
	bool *leader;         /* of each instruction: a block begins here */
	bool *is_pad;         /* of each instruction: a landing pad */
	bool *is_call;        /* of each instruction */
	struct state *states; /* of each instruction that is a leader, at its begin */
	size_t *queue, queued;
	bool *waiting;
	struct state table; /* at jumps by table */
	bool judging;       /* states are settled: say what is wrong */
};

static int wrong(const struct walk *w, size_t i, const char *what)
{
	return err_set(w->err, -EILSEQ, "machine code at 0x%" PRIx64 " (%s): %s",
		       w->insns[i].address, w->p->abi == &machine_x86_64 ? "x86-64" : "AArch64",
		       what);
}

static int compare_address(const void *addr, const void *insn)
{
	uint64_t a = *(const uint64_t *)addr, b = ((const cs_insn *)insn)->address;

	return (a > b) - (a < b);
}

/* Index of the instruction at ADDR, or SIZE_MAX. */
static size_t at(const struct walk *w, uint64_t addr)
{
	const cs_insn *i = bsearch(&addr, w->insns, w->n, sizeof(*i), compare_address);

	return i ? (size_t)(i - w->insns) : SIZE_MAX;
}

static const struct machine_site *site_of(const struct machine_function *f, uint64_t addr)
{
	for (size_t i = 0; i < f->npads; i++)
		if (addr >= f->pads[i].start && addr < f->pads[i].end)
			return &f->pads[i];
	return NULL;
}

/* ---- one step ---------------------------------------------------------------- */

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
		return wrong(w, i, "a landing pad saves an address of the native stack");
	if (v.kind == VALUE_CONST && v.named && (uint64_t)v.n >= p->own_start &&
	    (uint64_t)v.n < p->own_end)
		return wrong(w, i, "a landing pad saves an address that this ISA alone has");
	return 0;
}

static int judge_store(struct walk *w, size_t i, const struct place *p, struct value to,
		       struct value v)
{
	if (to.n < 0 || (uint64_t)to.n + p->size > to.size)
		return wrong(w, i, "a landing pad writes outside its frame record");
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
		return wrong(w, i, "a landing pad copies a number of bytes that is not constant");
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
static struct value as_site(const struct walk *w, struct value v)
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
	struct value site = as_site(w, s->reg[w->p->abi->args[0]]);
	bool known = site.kind == VALUE_SITE;

	*record = (struct value){.kind = VALUE_RECORD, .size = site.size};
	if (w->judging && s->pad != PAD_ENTERED)
		return wrong(w, i,
			     "a frame record is asked for outside a landing pad, or twice "
			     "in one");
	if (w->judging && !known)
		return wrong(w, i,
			     "a landing pad saves for no site, or for those of several functions");
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
			return wrong(
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
	struct value site = as_site(w, s->reg[abi->args[0]]), block = s->reg[abi->args[1]],
		     table = s->reg[abi->args[2]];
	const struct drover_homes *homes;
	int r;

	if (!w->judging)
		return 0;
	if (s->pad != PAD_ENTERED)
		return wrong(w, i, "a frame record is asked for outside a landing pad");
	/* Behind the inner frame's rebuilding the site is the record's, which the runtime has
	 * checked. */
	if (site.kind != VALUE_PLAIN &&
	    (site.kind != VALUE_SITE || w->p->tables[site.n].id != w->f->id))
		return wrong(w, i, "a landing pad saves for no site of its function");
	homes = fn && table.kind == VALUE_CONST ? homes_at(w, (uint64_t)table.n, fn->nsites) : NULL;
	if (!homes || (homes->size && block.kind != VALUE_STACK))
		return wrong(w, i,
			     "a resume clone has no table of what it keeps, or no room for it");
	r = judge_homes(w, i, fn, homes);
	for (size_t k = 0; k < s->n && !r; k++)
		if (s->slots[k].at > block.n - WORD &&
		    s->slots[k].at < block.n + (int64_t)homes->size)
			r = judge_value(w, i, s->slots[k].v);
	w->found->stores += homes->words[fn->nsites];
	return r;
}

static void clobber(const struct machine_abi *abi, struct state *s)
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
	clobber(abi, s);
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

static int step(struct walk *w, struct state *s, size_t i, const struct micro *m)
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

/* ---- the flow graph ------------------------------------------------------------ */

static int flow_to(struct walk *w, size_t i, struct state *s)
{
	int r;

	if (i == SIZE_MAX || w->judging)
		return 0;
	for (int k = 0; k < MACHINE_REGS; k++)
		s->reg[k] = as_site(w, s->reg[k]);
	for (size_t k = 0; k < s->n; k++)
		s->slots[k].v = as_site(w, s->slots[k].v);
	r = state_join(&w->states[i], s);
	if (r > 0 && !w->waiting[i]) {
		w->waiting[i] = true;
		w->queue[w->queued++] = i;
	}
	return r < 0 ? err_set(w->err, r, "out of memory") : 0;
}

static int enter_pad(struct walk *w, size_t i, const struct state *now)
{
	const struct machine_site *site = site_of(w->f, w->insns[i].address);
	struct state s = {0};
	int r;

	if (!site)
		return 0;
	r = state_copy(&s, now);
	clobber(w->p->abi, &s);
	s.pad = PAD_ENTERED;
	if (!r)
		r = flow_to(w, at(w, site->pad), &s);
	state_free(&s);
	return r;
}

/* A jump through a pointer with the stack as it was at entry is a call at the function's end. */
static int jump(struct walk *w, const struct micro *m, struct state *s)
{
	struct value stack = s->reg[w->p->abi->stack];
	int r = 0;

	if (m->a.type == PLACE_IMM)
		r = flow_to(w, at(w, (uint64_t)m->a.n), s);
	else if (!w->judging && (stack.kind != VALUE_STACK || stack.n != w->p->abi->entry))
		r = state_join(&w->table, s);
	return r < 0 ? r : 1;
}

static bool never_returns(const struct walk *w, const struct micro *m)
{
	return m->kind == MICRO_CALL && m->a.type == PLACE_IMM && w->p->returns &&
	       !returns(w->p->returns, (uint64_t)m->a.n);
}

/* What the last step of an instruction does to the flow: 1 if the block ends, 0, or an error. */
static int leave(struct walk *w, size_t i, const struct micro *m, struct state *s)
{
	uint64_t to = m->a.type == PLACE_IMM ? (uint64_t)m->a.n : 0;
	bool unwinds = to && to == w->p->unwind;
	bool inlined =
		site_of(w->f, w->insns[i].address); /* there is a caller's pad to go on with */

	switch (m->kind) {
	case MICRO_CALL:
		if (unwinds && w->judging && s->pad != PAD_ASKED &&
		    !(inlined && s->pad == PAD_INLINED))
			return wrong(w, i, "a landing pad goes on without having saved its frame");
		return unwinds || (to && to == w->p->keep) || never_returns(w, m);
	case MICRO_BRANCH:
		return flow_to(w, at(w, to), s);
	case MICRO_JUMP:
		return jump(w, m, s);
	case MICRO_END:
		return 1;
	default:
		return 0;
	}
}

/* From a leader to the end of its block. */
static int block(struct walk *w, size_t i)
{
	struct state s = {0};
	int r = state_copy(&s, &w->states[i]);

	for (; i < w->n && r == 0; i++) {
		struct micro steps[MICRO_MAX];
		size_t n = w->p->abi->translate(&w->insns[i], steps);

		for (size_t k = 0; k < n && r == 0; k++) {
			if (steps[k].kind == MICRO_CALL && !w->judging)
				r = enter_pad(w, i, &s);
			if (r == 0)
				r = step(w, &s, i, &steps[k]);
			if (r == 0)
				r = leave(w, i, &steps[k], &s);
		}
		if (r || i + 1 == w->n || !w->leader[i + 1])
			continue;
		/* Nothing runs into a landing pad: what stands before it does not return. */
		r = w->is_pad[i + 1] ? 0 : flow_to(w, i + 1, &s);
		break;
	}
	state_free(&s);
	return r > 0 ? 0 : r;
}

static int settle(struct walk *w)
{
	int r = 0;

	while (w->queued && !r) {
		size_t i = w->queue[--w->queued];

		w->waiting[i] = false;
		r = block(w, i);
	}
	return r;
}

/* Blocks nothing leads to are the targets of jumps by table. */
static int enter_by_table(struct walk *w)
{
	int r = 0;

	for (size_t i = 0; i < w->n && !r && w->table.reached; i++)
		if (w->leader[i] && !w->is_pad[i] && !w->states[i].reached) {
			r = flow_to(w, i, &w->table);
			if (!r)
				r = settle(w);
		}
	return r;
}

static void mark(bool *marks, size_t i)
{
	if (i != SIZE_MAX)
		marks[i] = true;
}

static void find_leaders(struct walk *w)
{
	w->leader[0] = true;
	for (size_t i = 0; i < w->n; i++) {
		struct micro steps[MICRO_MAX];
		size_t n = w->p->abi->translate(&w->insns[i], steps);

		for (size_t k = 0; k < n; k++) {
			const struct micro *m = &steps[k];
			bool goes = m->kind == MICRO_JUMP || m->kind == MICRO_BRANCH;

			w->is_call[i] |= m->kind == MICRO_CALL;
			if (goes && m->a.type == PLACE_IMM)
				mark(w->leader, at(w, (uint64_t)m->a.n));
			if ((goes || m->kind == MICRO_END || never_returns(w, m)) && i + 1 < w->n)
				mark(w->leader, i + 1);
		}
	}
	for (size_t i = 0; i < w->f->npads; i++) {
		mark(w->leader, at(w, w->f->pads[i].pad));
		mark(w->is_pad, at(w, w->f->pads[i].pad));
	}
}

/* ---- the whole function ---------------------------------------------------------- */

/* Each entry of the table stands for one call, and has a pad no other entry has. */
static int judge_table(struct walk *w)
{
	for (size_t k = 0; k < w->f->npads; k++) {
		const struct machine_site *s = &w->f->pads[k];
		size_t calls = 0, pad = at(w, s->pad), first = SIZE_MAX;

		for (size_t i = 0; i < w->n; i++) {
			if (w->insns[i].address < s->start || w->insns[i].address >= s->end)
				continue;
			first = first == SIZE_MAX ? i : first;
			calls += w->is_call[i];
		}
		if (first == SIZE_MAX)
			return err_set(w->err, -EILSEQ,
				       "the call-site table names code outside its function");
		if (calls != 1)
			return wrong(w, first,
				     "an entry of the call-site table has more or less "
				     "than one call");
		if (pad == SIZE_MAX)
			return wrong(w, first, "the landing pad is outside the function");
		for (size_t other = 0; other < k; other++)
			if (w->f->pads[other].pad == s->pad)
				return wrong(w, first, "two calls share a landing pad");
		if (w->states[pad].reached && w->states[pad].pad != PAD_ENTERED)
			return wrong(w, pad, "a landing pad is entered by a jump");
	}
	w->found->pads += w->f->npads;
	return 0;
}

static int judge(struct walk *w)
{
	int r = judge_table(w);

	w->judging = true;
	for (size_t i = 0; i < w->n && !r; i++)
		if (w->leader[i] && w->states[i].reached)
			r = block(w, i);
	return r;
}

static int follow(struct walk *w)
{
	struct state entry = {0};
	int r;

	entry.reg[w->p->abi->stack] = (struct value){.kind = VALUE_STACK, .n = w->p->abi->entry};
	r = flow_to(w, 0, &entry);
	if (!r)
		r = settle(w);
	if (!r)
		r = enter_by_table(w);
	return r ? r : judge(w);
}

static int disassemble(struct walk *w, csh handle)
{
	const struct machine_function *f = w->f;

	w->n = cs_disasm(handle, f->code, f->len, f->addr, 0, &w->insns);
	if (!w->n || w->insns[w->n - 1].address + w->insns[w->n - 1].size != f->addr + f->len)
		return err_set(w->err, -EINVAL, "cannot read the machine code at 0x%" PRIx64,
			       w->n ? w->insns[w->n - 1].address + w->insns[w->n - 1].size
				    : f->addr);
	w->leader = calloc(w->n, sizeof(*w->leader));
	w->is_pad = calloc(w->n, sizeof(*w->is_pad));
	w->is_call = calloc(w->n, sizeof(*w->is_call));
	w->waiting = calloc(w->n, sizeof(*w->waiting));
	w->queue = calloc(w->n, sizeof(*w->queue));
	w->states = calloc(w->n, sizeof(*w->states));
	if (!w->leader || !w->is_pad || !w->is_call || !w->waiting || !w->queue || !w->states)
		return err_set(w->err, -ENOMEM, "out of memory");
	find_leaders(w);
	return 0;
}

static void release(struct walk *w)
{
	for (size_t i = 0; i < w->n && w->states; i++)
		state_free(&w->states[i]);
	state_free(&w->table);
	free(w->states);
	free(w->queue);
	free(w->waiting);
	free(w->is_call);
	free(w->is_pad);
	free(w->leader);
	if (w->insns)
		cs_free(w->insns, w->n);
}

int machine_follow(const struct machine_program *p, const struct machine_function *f,
		   struct machine_found *found, struct err *err)
{
	struct walk w = {.p = p, .f = f, .found = found, .err = err};
	csh handle;
	int r;

	if (cs_open(p->abi->arch, p->abi->mode, &handle) != CS_ERR_OK)
		return err_set(err, -EINVAL, "the disassembler does not know this ISA");
	(void)cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	r = disassemble(&w, handle);
	if (!r)
		r = follow(&w);
	release(&w);
	(void)cs_close(&handle);
	found->functions += !r;
	return r;
}
