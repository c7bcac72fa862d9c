/*
 * An ordered set of structures that carry their own links: a treap. Insertion,
 * removal and search take O(log n) on average whatever the order of the keys.
 * What is compared lies beside the links, so that a search touches nothing else.
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
	uint64_t key, tie; /* ascending by key, of equal ones by tie; both together are unique */
	uint32_t weight;
};

struct tree {
	struct tree_node *root;
	uint32_t n;
	uint32_t seed;
	void (*pull)(struct tree_node *t); /* or NULL */
};

#define tree_entry(t, type, member) ((type *)(void *)((char *)(t) - offsetof(type, member)))

void tree_init(struct tree *t, void (*pull)(struct tree_node *));
/* Its key and tie must not change while it is in. */
void tree_insert(struct tree *t, struct tree_node *x);
void tree_remove(struct tree *t, struct tree_node *x);
/* The least and the greatest; NULL in an empty tree. */
struct tree_node *tree_first(const struct tree *t);
struct tree_node *tree_last(const struct tree *t);
/* The least above, and the greatest below; there need be none of that key and tie. */
struct tree_node *tree_after(const struct tree *t, uint64_t key, uint64_t tie);
struct tree_node *tree_before(const struct tree *t, uint64_t key, uint64_t tie);
/* The n least in their order, at once; returns how many there are. */
uint32_t tree_list(const struct tree *t, struct tree_node **out, uint32_t n);

#endif
