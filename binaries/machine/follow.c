/* The flow graph of one function, followed until nothing new is learnt, and then judged. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/machine/returns.h"
#include "binaries/machine/walk.h"
#include "common/compiler.h"

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

/* ---- the flow graph ------------------------------------------------------------ */

static int flow_to(struct walk *w, size_t i, struct state *s)
{
	int r;

	if (i == SIZE_MAX || w->judging)
		return 0;
	for (int k = 0; k < MACHINE_REGS; k++)
		s->reg[k] = walk_site(w, s->reg[k]);
	for (size_t k = 0; k < s->n; k++)
		s->slots[k].v = walk_site(w, s->slots[k].v);
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
	walk_clobber(w->p->abi, &s);
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
			return walk_wrong(w, i,
					  "a landing pad goes on without having saved its frame");
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
				r = walk_step(w, &s, i, &steps[k]);
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
			return walk_wrong(w, first,
					  "an entry of the call-site table has more or less "
					  "than one call");
		if (pad == SIZE_MAX)
			return walk_wrong(w, first, "the landing pad is outside the function");
		for (size_t other = 0; other < k; other++)
			if (w->f->pads[other].pad == s->pad)
				return walk_wrong(w, first, "two calls share a landing pad");
		if (w->states[pad].reached && w->states[pad].pad != PAD_ENTERED)
			return walk_wrong(w, pad, "a landing pad is entered by a jump");
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
