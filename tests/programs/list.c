/* Linked lists on the heap: insertion in order, reversal, removal while walking. */
#include "sum.h"

#include <stdlib.h>

struct item {
	struct item *next;
	unsigned int value;
	char tag[8];
};

static void insert(struct item **at, unsigned int value)
{
	struct item *i = malloc(sizeof(*i));

	while (*at && (*at)->value < value)
		at = &(*at)->next;
	i->value = value;
	snprintf(i->tag, sizeof(i->tag), "%u", value % 1000);
	i->next = *at;
	*at = i;
}

static struct item *reverse(struct item *l)
{
	struct item *r = NULL;

	while (l) {
		struct item *next = l->next;

		l->next = r;
		r = l;
		l = next;
	}
	return r;
}

static uint64_t sum(const struct item *l)
{
	uint64_t h = SUM_START;

	for (; l; l = l->next)
		h = mixs(mix(h, l->value), l->tag);
	return h;
}

int main(void)
{
	struct item *list = NULL, **at = &list;
	unsigned int x = 12345;

	for (int i = 0; i < some(16); i++) {
		x = x * 1103515245u + 12345u;
		insert(&list, x >> 20);
	}
	show("inserted", sum(list));
	list = reverse(list);
	show("reversed", sum(list));
	while (*at) {
		struct item *i = *at;

		if (i->value % 3 == 0) {
			*at = i->next;
			printf("out %s\n", i->tag);
			free(i);
		} else {
			at = &i->next;
		}
	}
	show("thinned", sum(list));
	while (list) {
		struct item *next = list->next;

		free(list);
		list = next;
	}
	return 0;
}
