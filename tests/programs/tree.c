/* A treap: recursion that returns pointers, rotations, in-order walk by callback, freeing. */
#include "sum.h"

#include <stdlib.h>

struct tree {
	struct tree *left, *right;
	int key;
	unsigned int priority;
};

static unsigned int seed = 1;

static struct tree *rotate(struct tree *t, int to_right)
{
	struct tree *top = to_right ? t->left : t->right;

	if (to_right) {
		t->left = top->right;
		top->right = t;
	} else {
		t->right = top->left;
		top->left = t;
	}
	return top;
}

static struct tree *insert(struct tree *t, int key)
{
	if (!t) {
		t = calloc(1, sizeof(*t));
		seed = seed * 1664525u + 1013904223u;
		t->key = key;
		t->priority = seed >> 8;
		return t;
	}
	if (key < t->key) {
		t->left = insert(t->left, key);
		return t->left->priority > t->priority ? rotate(t, 1) : t;
	}
	if (key > t->key) {
		t->right = insert(t->right, key);
		return t->right->priority > t->priority ? rotate(t, 0) : t;
	}
	return t;
}

static int depth(const struct tree *t)
{
	int l = t ? depth(t->left) : 0, r = t ? depth(t->right) : 0;

	return t ? 1 + (l > r ? l : r) : 0;
}

static void walk(const struct tree *t, void (*visit)(int, void *), void *arg)
{
	if (!t)
		return;
	walk(t->left, visit, arg);
	visit(t->key, arg);
	walk(t->right, visit, arg);
}

static void visit(int key, void *arg)
{
	uint64_t *h = arg;

	*h = mix(*h, (uint64_t)key);
}

static void drop(struct tree *t)
{
	if (!t)
		return;
	drop(t->left);
	drop(t->right);
	free(t);
}

int main(void)
{
	uint64_t h = SUM_START;
	struct tree *t = NULL;

	for (int i = 0; i < some(10); i++)
		t = insert(t, i * 37 % 23);
	walk(t, visit, &h);
	show("keys", h);
	printf("depth %d\n", depth(t));
	drop(t);
	return 0;
}
