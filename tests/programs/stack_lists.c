/* Lists whose nodes are locals of the frames of a recursion, also reached from the heap and
 * statics. */
#include "sum.h"

#include <stdlib.h>

struct node {
	struct node *next;
	int value, *also;
};

static struct node *newest;
static struct node **on_heap;

static int walk(const struct node *n)
{
	int sum = 0;

	for (; n; n = n->next)
		for (int k = 0; k < some(1); k++)
			sum = sum * 3 + n->value + *n->also;
	return sum;
}

static int grow(int depth, struct node *list)
{
	int extra = depth * 2;
	struct node here = {list, depth, &extra}, **saved = &newest;

	*saved = &here;
	on_heap[depth] = &here;
	if (depth == 0)
		return walk(&here);
	int below = grow(depth - 1, &here);
	newest = &here;
	here.value += below & 7;
	extra++;
	return below + walk(newest) + on_heap[depth]->value;
}

int main(void)
{
	on_heap = calloc(12, sizeof(*on_heap));
	for (int i = 0; i < 6; i++)
		printf("%d\n", grow(i, NULL) & 0xffffff);
	newest = NULL;
	free(on_heap);
	return 0;
}
