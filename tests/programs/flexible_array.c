/* Structs that end in a flexible array: grown, copied, chained, indexed from both ends. */
#include "sum.h"

#include <stdlib.h>

struct vector {
	size_t used, room;
	struct vector *older;
	double sum;
	struct {
		short id;
		float weight;
	} item[];
};

static struct vector *make(size_t room, struct vector *older)
{
	struct vector *v = calloc(1, sizeof(*v) + room * sizeof(v->item[0]));

	v->room = room;
	v->older = older;
	return v;
}

static struct vector *push(struct vector *v, int id, float weight)
{
	if (v->used == v->room) {
		struct vector *w = make(v->room * 2, v);

		memcpy(w->item, v->item, v->used * sizeof(v->item[0]));
		w->used = v->used;
		w->sum = v->sum;
		v = w;
	}
	v->item[v->used].id = (short)id;
	v->item[v->used++].weight = weight;
	v->sum += (double)weight;
	return v;
}

int main(void)
{
	struct vector *v = make(2, NULL);
	int generation = 0;

	for (int i = 0; i < some(37); i++)
		v = push(v, i * 31 % 17, (float)i * 0.25f);
	while (v) {
		struct vector *older = v->older;
		uint64_t h = SUM_START;

		for (size_t i = 0; i < v->used; i++)
			h = mixd(mix(h, (uint64_t)v->item[i].id),
				 (double)v->item[v->used - 1 - i].weight);
		printf("%d: %zu of %zu, %g, %016llx\n", generation++, v->used, v->room, v->sum,
		       (unsigned long long)h);
		free(v);
		v = older;
	}
	return 0;
}
