/*
 * An ordered set of structures that carry their own links: a treap. Insertion,
 * removal and search take O(log n) on average whatever the order of the keys.
 *
 * A tree may keep a summary of each subtree (the largest free memory below, for
 * example): pull() recomputes a node's from its own value and its children's.
 * Priorities come from a counter, so that the same events give the same tree.
 */
#ifndef DROVER_SCHEDULER_CORE_TREE_H
#define DROVER_SCHEDULER_CORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_node {
	struct tree_node *child[2];
	uint32_t weight;
};

struct tree {
	struct tree_node *root;
	uint32_t n;
	uint32_t seed;
	int (*compare)(const struct tree_node *a, const struct tree_node *b); /* a total order */
	void (*pull)(struct tree_node *t);                                    /* or NULL */
};

#define tree_entry(t, type, member) ((type *)(void *)((char *)(t) - offsetof(type, member)))

void tree_init(struct tree *t, int (*compare)(const struct tree_node *, const struct tree_node *),
	       void (*pull)(struct tree_node *));
/* The key must not change while it is in. */
void tree_insert(struct tree *t, struct tree_node *x);
void tree_remove(struct tree *t, struct tree_node *x);
/* The least and the greatest; NULL in an empty tree. */
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
/* The least above x, and the greatest below; x need not be in the tree. */
struct tree_node *tree_after(const struct tree *t, const struct tree_node *x);
struct tree_node *tree_before(const struct tree *t, const struct tree_node *x);

#endif
