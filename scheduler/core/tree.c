#include "scheduler/core/tree.h"

void tree_init(struct tree *t, void (*pull)(struct tree_node *))
{
	*t = (struct tree){.seed = 2463534242u, .pull = pull};
}

static bool less(const struct tree_node *a, uint64_t key, uint64_t tie)
{
	return a->key != key ? a->key < key : a->tie < tie;
}

static void pull(const struct tree *t, struct tree_node *x)
{
	if (t->pull && x)
		t->pull(x);
}

/* The summaries of all on the way from at to where x is, or would be. */
static void pull_path(const struct tree *t, struct tree_node *at, const struct tree_node *x)
{
	if (!at)
		return;
	if (at != x)
		pull_path(t, at->child[less(at, x->key, x->tie)], x);
	t->pull(at);
}

/* Everything below x to *left, the rest to *right. */
static void split(const struct tree *t, struct tree_node *at, const struct tree_node *x,
		  struct tree_node **left, struct tree_node **right)
{
	if (!at) {
		*left = *right = NULL;
	} else if (less(at, x->key, x->tie)) {
		split(t, at->child[1], x, &at->child[1], right);
		*left = at;
		pull(t, at);
	} else {
		split(t, at->child[0], x, left, &at->child[0]);
		*right = at;
		pull(t, at);
	}
}

static struct tree_node *merge(const struct tree *t, struct tree_node *a, struct tree_node *b)
{
	if (!a || !b)
		return a ? a : b;
	if (a->weight > b->weight) {
		a->child[1] = merge(t, a->child[1], b);
		pull(t, a);
		return a;
	}
	b->child[0] = merge(t, a, b->child[0]);
	pull(t, b);
	return b;
}

void tree_insert(struct tree *t, struct tree_node *x)
{
	struct tree_node **at = &t->root;

	/* xorshift32: Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003 */
	t->seed ^= t->seed << 13;
	t->seed ^= t->seed >> 17;
	t->seed ^= t->seed << 5;
	x->weight = t->seed;
	while (*at && (*at)->weight >= x->weight)
		at = &(*at)->child[less(*at, x->key, x->tie)];
	split(t, *at, x, &x->child[0], &x->child[1]);
	*at = x;
	t->n++;
	if (t->pull)
		pull_path(t, t->root, x);
}

void tree_remove(struct tree *t, struct tree_node *x)
{
	struct tree_node **at = &t->root;

	while (*at != x) {
		if (!*at)
			return;
		at = &(*at)->child[less(*at, x->key, x->tie)];
	}
	*at = merge(t, x->child[0], x->child[1]);
	x->child[0] = x->child[1] = NULL;
	t->n--;
	if (t->pull)
		pull_path(t, t->root, x);
}

static struct tree_node *end(const struct tree *t, int side)
{
	struct tree_node *at = t->root;

	while (at && at->child[side])
		at = at->child[side];
	return at;
}

struct tree_node *tree_first(const struct tree *t)
{
	return end(t, 0);
}

struct tree_node *tree_last(const struct tree *t)
{
	return end(t, 1);
}

struct tree_node *tree_after(const struct tree *t, uint64_t key, uint64_t tie)
{
	struct tree_node *at = t->root, *best = NULL;

	while (at) {
		bool above = !less(at, key, tie) && (at->key != key || at->tie != tie);

		if (above)
			best = at;
		at = at->child[!above];
	}
	return best;
}

static uint32_t list(struct tree_node *at, struct tree_node **out, uint32_t n)
{
	uint32_t k = at && n ? list(at->child[0], out, n) : 0;

	if (!at || k == n)
		return k;
	out[k++] = at;
	return k + list(at->child[1], out + k, n - k);
}

uint32_t tree_list(const struct tree *t, struct tree_node **out, uint32_t n)
{
	return list(t->root, out, n);
}

struct tree_node *tree_before(const struct tree *t, uint64_t key, uint64_t tie)
{
	struct tree_node *at = t->root, *best = NULL;

	while (at) {
		bool below = less(at, key, tie);

		if (below)
			best = at;
		at = at->child[below];
	}
	return best;
}
