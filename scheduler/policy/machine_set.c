#include "scheduler/policy/machine_set.h"

#include <stdlib.h>
#include <string.h>

static int cheaper(const void *a, const void *b)
{
	const struct machine *x = *(struct machine *const *)a, *y = *(struct machine *const *)b;

	if (x->idle_w < y->idle_w || x->idle_w > y->idle_w)
		return x->idle_w < y->idle_w ? -1 : 1;
	if (x->core_w < y->core_w || x->core_w > y->core_w)
		return x->core_w < y->core_w ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int larger(const void *a, const void *b)
{
	const struct machine *x = *(struct machine *const *)a, *y = *(struct machine *const *)b;

	if (x->cpus != y->cpus)
		return x->cpus > y->cpus ? -1 : 1;
	return cheaper(a, b);
}

static uint32_t chosen_of(const struct machine_set *s, const struct machine *m)
{
	for (uint32_t k = 0; k < s->n; k++)
		if (s->by_power[k] == m)
			return s->count[k];
	return 0;
}

/* Cpus of the largest nodes that are not chosen; in m's case not of the first x of it. */
static uint64_t largest_left(const struct machine_set *s, uint32_t nodes, const struct machine *m,
			     uint32_t x)
{
	uint64_t cpus = 0;

	for (uint32_t k = 0; k < s->n && nodes; k++) {
		const struct machine *o = s->by_cpus[k];
		uint32_t left = o->up.n - (o == m ? x : chosen_of(s, o));
		uint32_t take = left < nodes ? left : nodes;

		cpus += (uint64_t)take * o->cpus;
		nodes -= take;
	}
	return cpus;
}

/* The most nodes of m with which, of so many in all, the largest others still hold the rest. */
static uint32_t most_of(const struct machine_set *s, const struct machine *m, uint32_t nodes,
			uint64_t cpus, uint64_t demand)
{
	uint32_t low = 0, high = m->up.n < nodes ? m->up.n : nodes;

	while (low < high) {
		uint32_t x = low + (high - low + 1) / 2;

		if (cpus + (uint64_t)x * m->cpus + largest_left(s, nodes - x, m, x) >= demand)
			low = x;
		else
			high = x - 1;
	}
	return low;
}

void machine_set_choose(struct machine_set *s, const struct cluster *c, uint64_t demand)
{
	uint64_t cpus = 0;
	uint32_t nodes = 0;

	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; i < c->nmachines && s->n < SET_MACHINES; i++)
		if (c->machines[i]->up.n && c->machines[i]->cpus)
			s->by_power[s->n++] = c->machines[i];
	memcpy(s->by_cpus, s->by_power, s->n * sizeof(struct machine *));
	qsort(s->by_power, s->n, sizeof(struct machine *), cheaper);
	qsort(s->by_cpus, s->n, sizeof(struct machine *), larger);
	for (uint32_t k = 0; k < s->n && (cpus < demand || !nodes); k++) {
		const struct machine *m = s->by_cpus[k];
		uint64_t wanted = demand > cpus ? (demand - cpus + m->cpus - 1) / m->cpus : 1;
		uint32_t take = wanted < m->up.n ? (uint32_t)wanted : m->up.n;

		nodes += take;
		cpus += (uint64_t)take * m->cpus;
	}
	if (demand > cpus)
		demand = cpus;
	s->nodes = nodes;
	cpus = 0;
	for (uint32_t k = 0; k < s->n && nodes; k++) {
		s->count[k] = most_of(s, s->by_power[k], nodes, cpus, demand);
		cpus += (uint64_t)s->count[k] * s->by_power[k]->cpus;
		nodes -= s->count[k];
	}
}

const struct machine_set *machine_set_of(struct policy_view *v)
{
	uint64_t demand = v->c->running_cpus + v->c->waiting_cpus;

	if (v->set_demand != demand + 1)
		machine_set_choose(&v->set, v->c, demand);
	v->set_demand = demand + 1;
	return &v->set;
}
