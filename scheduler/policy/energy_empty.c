/*
 * energy: the last jobs of a slow machine together to a faster one, which then
 * ends them sooner and for fewer joules. One by one none of them might go.
 */
#include "scheduler/policy/energy.h"

#define TOGETHER 16 /* at most so many jobs */

/* All jobs of a node at once: alone each may cost more than it saves, as the others keep the node
 * awake. Joules saved by all, and of that by sleep. */
static double saved_by_all(const struct policy_view *v, const struct node *from, struct node *to,
			   double *idle_j)
{
	double stay_s = 0, go_s = 0, others_s, net_j = 0;

	list_each(l, &from->jobs)
	{
		struct saving s = core_saving(v->c, list_entry(l, struct job, at), to);

		stay_s = s.stay_s > stay_s ? s.stay_s : stay_s;
		go_s = s.go_s > go_s ? s.go_s : go_s;
		net_j += s.stay_j - s.go_j - s.move_j;
	}
	others_s = (double)(core_last_end_ms(v->c, to, NULL) - v->now_ms) / 1000;
	*idle_j = stay_s * (from->machine->idle_w - from->machine->sleep_w);
	if (go_s > others_s)
		*idle_j -= (go_s - others_s) * (to->machine->idle_w - to->machine->sleep_w);
	return go_s < stay_s ? net_j + *idle_j : 0;
}

static bool all_movable(struct policy_view *v, const struct node *from, const struct machine *m,
			uint64_t *memory)
{
	int most = TOGETHER;

	*memory = 0;
	list_each(l, &from->jobs)
	{
		struct job *j = list_entry(l, struct job, at);

		*memory += j->spec.memory_bytes;
		if (!most-- || !core_movable(v->c, j) || !policy_may(v, j, m) ||
		    core_seconds(v->c, j, m) > core_bound_s(v->c, j))
			return false;
	}
	return true;
}

void energy_empty(struct policy_view *v, struct node *from)
{
	for (uint32_t i = 0; i < v->c->nmachines && v->moves_left; i++) {
		const struct machine *m = v->c->machines[i];
		double idle_j = 0, net_j;
		uint64_t memory;
		struct node *to = NULL;

		if (m != from->machine && from->used_cpus <= m->cpus &&
		    all_movable(v, from, m, &memory))
			to = index_fullest(&m->up, from->used_cpus, memory);
		net_j = to ? saved_by_all(v, from, to, &idle_j) : 0;
		if (!to || net_j <= v->opt->min_saving_j)
			continue;
		list_each_safe(l, next, &from->jobs)
		{
			struct job *j = list_entry(l, struct job, at);
			struct saving s = core_saving(v->c, j, to);

			s.idle_j = idle_j * j->spec.cpus / from->used_cpus;
			s.net_j = net_j * j->spec.cpus / from->used_cpus;
			(void)policy_move_as(
				v, j, to, &s,
				"energy: the rest of all jobs of %.40s takes %.3g J less on "
				"%.40s",
				from->name, net_j, to->name);
		}
		return;
	}
}
