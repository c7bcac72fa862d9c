#include "scheduler/core/tree.h"

void tree_init(struct tree *t, int (*compare)(const struct tree_node *, const struct tree_node *),
	       void (*pull)(struct tree_node *))
{
	*t = (struct tree){.seed = 2463534242u, .compare = compare, .pull = pull};
}

static void pull(const struct tree *t, struct tree_node *x)
{
	if (t->pull && x)
		t->pull(x);
}

/* Everything below x to *left, the rest to *right. */
static void split(const struct tree *t, struct tree_node *at, const struct tree_node *x,
		  struct tree_node **left, struct tree_node **right)
{
	if (!at) {
		*left = *right = NULL;
	} else if (t->compare(at, x) < 0) {
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

static struct tree_node *insert(struct tree *t, struct tree_node *at, struct tree_node *x)
{
	int side;

	if (!at || x->weight > at->weight) {
		split(t, at, x, &x->child[0], &x->child[1]);
		pull(t, x);
		return x;
	}
	side = t->compare(at, x) < 0;
	at->child[side] = insert(t, at->child[side], x);
	pull(t, at);
	return at;
}

void tree_insert(struct tree *t, struct tree_node *x)
{
	/* xorshift32: Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003 */
	t->seed ^= t->seed << 13;
	t->seed ^= t->seed >> 17;
	t->seed ^= t->seed << 5;
	x->child[0] = x->child[1] = NULL;
	x->weight = t->seed;
	t->root = insert(t, t->root, x);
	t->n++;
}

static struct tree_node *erase(struct tree *t, struct tree_node *at, const struct tree_node *x)
{
	int side;

	if (!at)
		return NULL;
	if (at == x) {
		t->n--;
		return merge(t, at->child[0], at->child[1]);
	}
	side = t->compare(at, x) < 0;
	at->child[side] = erase(t, at->child[side], x);
	pull(t, at);
	return at;
}

void tree_remove(struct tree *t, struct tree_node *x)
{
	t->root = erase(t, t->root, x);
	x->child[0] = x->child[1] = NULL;
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

struct tree_node *tree_after(const struct tree *t, const struct tree_node *x)
{
	struct tree_node *at = t->root, *best = NULL;

	while (at) {
		bool above = t->compare(at, x) > 0;

		if (above)
			best = at;
		at = at->child[!above];
	}
	return best;
}

struct tree_node *tree_before(const struct tree *t, const struct tree_node *x)
{
	struct tree_node *at = t->root, *best = NULL;

	while (at) {
		bool below = t->compare(at, x) < 0;

		if (below)
			best = at;
		at = at->child[below];
	}
	return best;
}
