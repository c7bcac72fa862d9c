/* Pointers into the stack held in structs, arrays, globals and on the heap, across frames. */
#include "sum.h"

#include <stdlib.h>

struct node {
	int value;
	struct node *next;
	int *home; /* where the value was counted */
};

static struct node **global_tail;

/* A list whose nodes lie in the frames of a recursion. */
static uint64_t chain(struct node *outer, int depth, int *count)
{
	struct node mine = {depth * 3, outer, count};
	struct node *p = &mine;
	uint64_t h = SUM_START;

	(*mine.home)++;
	if (depth > 0)
		return chain(p, depth - 1, count);
	for (; p; p = p->next) {
		h = mix(h, (uint64_t)p->value);
		(*p->home)++;
	}
	return h;
}

static void swap(int **a, int **b)
{
	int *t = *a;

	*a = *b;
	*b = t;
}

int main(void)
{
	int count = 0, a[8], *index[8], **top = index;
	struct node tail = {7, NULL, &count}, **boxed = malloc(sizeof(*boxed) * 2);

	global_tail = boxed;
	boxed[0] = &tail;
	boxed[1] = NULL;
	show("chain", chain(boxed[0], some(9), &count));
	for (int i = 0; i < some(8); i++) {
		a[i] = i * i;
		index[i] = &a[7 - i];
		(*global_tail)->value += a[i];
	}
	for (int i = 0; i < some(4); i++)
		swap(top + i, &index[7 - i]);
	for (int i = 0; i < some(8); i++) {
		*index[i] += i;
		printf("%d %td %d\n", *index[i], index[i] - a, tail.value);
		tail.home = *index[i] & 1 ? &a[i] : &count;
		(*boxed[0]->home)++;
	}
	printf("count %d\n", count);
	free(boxed);
	return 0;
}
