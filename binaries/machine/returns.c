#include "binaries/machine/returns.h"

#include <stdlib.h>

#include "common/compiler.h"

enum { DEPTH = 64 }; /* of calls in calls that are followed */

static bool may_return(const struct returns_program *p, uint64_t addr, unsigned depth);

/* Where a function goes on from an instruction. */
struct next {
	uint64_t to[2];
	size_t n;
	bool returns;
};

static struct next go_on(const struct returns_program *p, const struct unwind_fn *fn,
			 const cs_insn *i, unsigned depth)
{
	struct micro steps[MICRO_MAX];
	size_t n = p->abi->translate(i, steps);
	uint64_t behind = i->address + i->size;

	for (size_t k = 0; k < n; k++) {
		const struct micro *m = &steps[k];
		uint64_t to = m->a.type == PLACE_IMM ? (uint64_t)m->a.n : 0;

		switch (m->kind) {
		case MICRO_CALL:
			if (to && !may_return(p, to, depth + 1))
				return (struct next){.n = 0};
			break;
		case MICRO_JUMP:
			if (to >= fn->start && to < fn->start + fn->len)
				return (struct next){.to = {to}, .n = 1};
			return (struct next){.returns = !to || may_return(p, to, depth + 1)};
		case MICRO_BRANCH:
			return (struct next){.to = {to, behind}, .n = 2};
		case MICRO_END:
			return (struct next){.returns = m->c != 0};
		default:
			break;
		}
	}
	return (struct next){.to = {behind}, .n = 1};
}

/* Every instruction that can be reached, each once. */
static bool walk(const struct returns_program *p, const struct unwind_fn *fn, csh handle,
		 unsigned depth)
{
	_cleanup_free_ bool *seen = calloc(fn->len, sizeof(*seen));
	_cleanup_free_ uint64_t *queue = calloc(fn->len, sizeof(*queue));
	const unsigned char *code = p->bytes(p->context, fn->start, fn->len);
	cs_insn *insn = cs_malloc(handle);
	bool answer = !seen || !queue || !code || !insn;
	size_t queued = 0;

	if (!answer) {
		queue[queued++] = fn->start;
		seen[0] = true;
	}
	while (queued && !answer) {
		uint64_t addr = queue[--queued];
		size_t left = fn->len - (addr - fn->start);
		const uint8_t *at = code + (addr - fn->start);
		struct next next;

		if (!cs_disasm_iter(handle, &at, &left, &addr, insn)) {
			answer = true;
			break;
		}
		next = go_on(p, fn, insn, depth);
		answer = next.returns;
		for (size_t k = 0; k < next.n; k++) {
			uint64_t off = next.to[k] - fn->start;

			if (off >= fn->len) {
				answer = true;
			} else if (!seen[off]) {
				seen[off] = true;
				queue[queued++] = next.to[k];
			}
		}
	}
	if (insn)
		cs_free(insn, 1);
	return answer;
}

static bool may_return(const struct returns_program *p, uint64_t addr, unsigned depth)
{
	const struct unwind_fn *fn = unwind_find(p->fns, p->n, addr);
	signed char *known = fn ? &p->known[fn - p->fns] : NULL;
	bool answer = true;
	csh handle;

	for (size_t k = 0; k < ARRAY_SIZE(p->never); k++)
		if (addr && addr == p->never[k])
			return false;
	if (!known || *known || depth > DEPTH)
		return !known || *known >= 0;
	*known = 1; /* while it is looked at */
	if (cs_open(p->abi->arch, p->abi->mode, &handle) == CS_ERR_OK) {
		(void)cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
		answer = walk(p, fn, handle, depth);
		(void)cs_close(&handle);
	}
	*known = answer ? 1 : -1;
	return answer;
}

bool returns(const struct returns_program *p, uint64_t addr)
{
	return may_return(p, addr, 0);
}
