/*
 * The smallest set closed under "is called by", found by passes over all calls
 * until nothing changes: the depth of the call graph bounds their number.
 */
#include "binaries/link/migrate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binaries/object/strmap.h"
#include "binaries/object/strv.h"

struct node {
	const char *id; /* name, or name.MODULE */
	bool may;
};

struct type {
	const char *name;
	bool may;
};

struct graph {
	const struct migrate_module *mods;
	size_t n;
	struct node *nodes;
	struct type *types;
	size_t nnodes, ntypes;
	struct strmap by_id, by_type;
	struct strmap owner;   /* of a name defined in several modules: the module that counts */
	struct strv local_ids; /* owns the composed names */
};

static size_t add_node(struct graph *g, const char *id)
{
	size_t i = strmap_put(&g->by_id, id, g->nnodes);

	if (i == g->nnodes)
		g->nodes[g->nnodes++] = (struct node){id, false};
	return i;
}

/* The function NAME means in module MOD: its own local one before a global one. */
static size_t resolve(struct graph *g, const struct migrate_module *mod, const char *name)
{
	char local[1024];
	size_t i = STRMAP_NONE;
	int n = snprintf(local, sizeof local, "%s.%s", name, mod->id);

	if (n > 0 && (size_t)n < sizeof local)
		i = strmap_get(&g->by_id, local);
	return i == STRMAP_NONE ? strmap_get(&g->by_id, name) : i;
}

/* A strong definition counts, or else the first weak one. */
static int find_owners(struct graph *g)
{
	for (int weak = 0; weak < 2; weak++)
		for (size_t m = 0; m < g->n; m++) {
			const struct summary *s = g->mods[m].summary;

			for (size_t i = 0; i < s->nsymbols; i++)
				if (s->symbols[i].kind != 'U' &&
				    (s->symbols[i].kind == 'W') == (weak == 1) &&
				    strmap_put(&g->owner, s->symbols[i].name, m) == STRMAP_NONE)
					return -ENOMEM;
		}
	return 0;
}

/* A weak definition that another one takes the place of. */
static bool replaced(const struct graph *g, size_t m, const char *name)
{
	size_t owner = strmap_get(&g->owner, name);

	return owner != STRMAP_NONE && owner != m;
}

static int build(struct graph *g)
{
	size_t nodes = 1, types = 1;

	for (size_t m = 0; m < g->n; m++) {
		nodes += g->mods[m].summary->nfns;
		types += g->mods[m].summary->ntaken + g->mods[m].summary->ncalls;
	}
	g->nodes = calloc(nodes, sizeof *g->nodes);
	g->types = calloc(types, sizeof *g->types);
	if (!g->nodes || !g->types || find_owners(g) < 0)
		return -ENOMEM;
	for (size_t m = 0; m < g->n; m++) {
		const struct summary *s = g->mods[m].summary;

		for (size_t i = 0; i < s->nfns; i++) {
			const char *id = s->fns[i].name;

			if (s->fns[i].local) {
				strv_addf(&g->local_ids, "%s.%s", id, g->mods[m].id);
				if (strv_failed(&g->local_ids))
					return -ENOMEM;
				id = g->local_ids.v[g->local_ids.n - 1];
			}
			if (add_node(g, id) == STRMAP_NONE)
				return -ENOMEM;
		}
		for (size_t i = 0; i < s->ntaken; i++) {
			size_t t = strmap_put(&g->by_type, s->taken[i].type, g->ntypes);

			if (t == STRMAP_NONE)
				return -ENOMEM;
			if (t == g->ntypes)
				g->types[g->ntypes++].name = s->taken[i].type;
		}
	}
	return 0;
}

/* Whether a call of the function may reach a migration point. */
static bool calls_may(struct graph *g, const struct migrate_module *mod, const struct summary_fn *f)
{
	const struct summary_call *c = mod->summary->calls + f->first_call;

	for (size_t i = 0; i < f->ncalls; i++) {
		size_t k = c[i].callee ? resolve(g, mod, c[i].callee)
				       : strmap_get(&g->by_type, c[i].type);

		if (k == STRMAP_NONE)
			continue;
		if (c[i].callee ? g->nodes[k].may : g->types[k].may)
			return true;
	}
	return false;
}

static bool fn_may(struct graph *g, const struct migrate_module *mod, const struct summary_fn *f)
{
	return !f->never && (f->polls || calls_may(g, mod, f));
}

/* One pass; true if something was found that the one before did not know. */
static bool pass(struct graph *g)
{
	bool changed = false;

	for (size_t m = 0; m < g->n; m++) {
		const struct migrate_module *mod = &g->mods[m];
		const struct summary *s = mod->summary;

		for (size_t i = 0; i < s->nfns; i++) {
			struct node *node = &g->nodes[resolve(g, mod, s->fns[i].name)];

			if (!s->fns[i].local && replaced(g, m, s->fns[i].name))
				continue;
			if (!node->may && fn_may(g, mod, &s->fns[i]))
				changed = node->may = true;
		}
		for (size_t i = 0; i < s->ntaken; i++) {
			size_t k = resolve(g, mod, s->taken[i].name);
			size_t t = strmap_get(&g->by_type, s->taken[i].type);

			if (k != STRMAP_NONE && g->nodes[k].may && !g->types[t].may)
				changed = g->types[t].may = true;
		}
	}
	return changed;
}

static int list_replaced(const struct graph *g, struct buf *out)
{
	for (size_t m = 0; m < g->n; m++) {
		const struct summary *s = g->mods[m].summary;

		for (size_t i = 0; i < s->nsymbols; i++)
			if (s->symbols[i].kind == 'W' && replaced(g, m, s->symbols[i].name) &&
			    buf_printf(out, "!%s.%s\n", s->symbols[i].name, g->mods[m].id) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* Functions that are not instrumented: why, and whether a migration may have to wait for them. */
static int list_blocked(struct graph *g, struct buf *out)
{
	for (size_t m = 0; m < g->n; m++) {
		const struct migrate_module *mod = &g->mods[m];
		const struct summary *s = mod->summary;

		for (size_t i = 0; i < s->nfns; i++) {
			const struct summary_fn *f = &s->fns[i];

			if (f->never && f->ncalls &&
			    buf_printf(out, "#%s %s%s%s %u %s %s\n", mod->id, f->name,
				       f->local ? "." : "", f->local ? mod->id : "", f->line,
				       calls_may(g, mod, f) ? "waits" : "harmless", f->never) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

int migrate_decide(const struct migrate_module *mods, size_t n, struct buf *out, struct err *err)
{
	struct graph g = {.mods = mods, .n = n};
	int bad = build(&g);

	if (!bad)
		while (pass(&g))
			;
	for (size_t i = 0; !bad && i < g.nnodes; i++)
		if (g.nodes[i].may)
			bad = buf_printf(out, "%s\n", g.nodes[i].id);
	for (size_t i = 0; !bad && i < g.ntypes; i++)
		if (g.types[i].may)
			bad = buf_printf(out, "*%s\n", g.types[i].name);
	if (!bad)
		bad = list_replaced(&g, out);
	if (!bad)
		bad = list_blocked(&g, out);
	free(g.nodes);
	free(g.types);
	strmap_free(&g.owner);
	strmap_free(&g.by_id);
	strmap_free(&g.by_type);
	strv_free(&g.local_ids);
	return bad ? err_set(err, -ENOMEM, "deciding what may migrate: out of memory") : 0;
}
