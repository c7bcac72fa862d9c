#include "scheduler/policy/node_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 16 /* nodes in a set that is chosen with look-ahead */

static int cheaper(const void *a, const void *b, void *arg)
{
	const struct view_node *nodes = arg;
	const struct view_node *x = &nodes[*(const uint32_t *)a], *y = &nodes[*(const uint32_t *)b];

	if (x->idle_w < y->idle_w || x->idle_w > y->idle_w)
		return x->idle_w < y->idle_w ? -1 : 1;
	if (x->core_w < y->core_w || x->core_w > y->core_w)
		return x->core_w < y->core_w ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int larger(const void *a, const void *b, void *arg)
{
	const struct view_node *nodes = arg;
	const struct view_node *x = &nodes[*(const uint32_t *)a], *y = &nodes[*(const uint32_t *)b];

	if (x->cpus != y->cpus)
		return x->cpus > y->cpus ? -1 : 1;
	return cheaper(a, b, arg);
}

/* cpus of the count largest nodes that are neither chosen nor i. */
static uint64_t largest_left(const struct policy_view *v, const struct node_set *s, uint32_t count,
			     uint32_t i)
{
	uint64_t cpus = 0;

	for (uint32_t k = 0; k < s->n && count; k++) {
		if (s->in[s->by_cpus[k]] || s->by_cpus[k] == i)
			continue;
		cpus += v->nodes[s->by_cpus[k]].cpus;
		count--;
	}
	return cpus;
}

static void take_node(const struct policy_view *v, struct node_set *s, uint32_t at)
{
	uint32_t i = s->by_power[at];

	memmove(&s->by_power[s->chosen + 1], &s->by_power[s->chosen],
		(at - s->chosen) * sizeof(uint32_t));
	s->by_power[s->chosen++] = i;
	s->in[i] = true;
	s->cpus += v->nodes[i].cpus;
}

static void choose(const struct policy_view *v, struct node_set *s, uint64_t demand)
{
	uint32_t least = 0;
	uint64_t cpus = 0;

	while (least < s->n && (cpus < demand || !least))
		cpus += v->nodes[s->by_cpus[least++]].cpus;
	if (demand > cpus)
		demand = cpus;
	/* Of so many: each time the cheapest with which the largest others still suffice. */
	while (s->cpus < demand && least <= EXACT_MAX && s->chosen < least) {
		for (uint32_t k = s->chosen; k < s->n; k++) {
			uint32_t i = s->by_power[k];

			if (s->cpus + v->nodes[i].cpus +
				    largest_left(v, s, least - s->chosen - 1, i) >=
			    demand) {
				take_node(v, s, k);
				break;
			}
		}
	}
	while (s->cpus < demand && s->chosen < s->n)
		take_node(v, s, s->chosen);
}

int node_set_choose(struct node_set *s, const struct policy_view *v, uint64_t demand)
{
	memset(s, 0, sizeof(*s));
	s->by_power = calloc(v->nnodes + 1, sizeof(uint32_t));
	s->by_cpus = calloc(v->nnodes + 1, sizeof(uint32_t));
	s->before = calloc(v->nnodes + 1, sizeof(uint32_t));
	s->in = calloc(v->nnodes + 1, sizeof(bool));
	if (!s->by_power || !s->by_cpus || !s->before || !s->in) {
		node_set_free(s);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < v->nnodes; i++)
		if (v->nodes[i].usable && v->nodes[i].cpus)
			s->by_power[s->n++] = i;
	memcpy(s->by_cpus, s->by_power, s->n * sizeof(uint32_t));
	qsort_r(s->by_power, s->n, sizeof(uint32_t), cheaper, v->nodes);
	qsort_r(s->by_cpus, s->n, sizeof(uint32_t), larger, v->nodes);
	choose(v, s, demand);
	return 0;
}

void node_set_free(struct node_set *s)
{
	free(s->by_power);
	free(s->by_cpus);
	free(s->before);
	free(s->in);
}
