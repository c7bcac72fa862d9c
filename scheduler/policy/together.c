/*
 * The last jobs of a slow machine together to a faster one, which then ends them
 * sooner and for fewer joules; or the jobs of a machine that idles dear to one
 * that idles cheap, for which it may have to be woken.
 */
#include "scheduler/policy/together.h"

#define TOGETHER 16 /* at most so many jobs */

/* What the move of all is expected to save, and what by sleep. */
struct plan {
	struct node *from, *to;
	double wait_s;       /* until to is awake; the jobs run on meanwhile */
	double stay_s, go_s; /* until the last of them has ended, here and there */
	double idle_j, net_j, move_j;
	bool late; /* one would end later than the policy's bound */
};

/* The part of a job that is left when the destination is awake. */
static double left_then(const struct saving *s, double wait_s)
{
	return s->stay_s > wait_s ? (s->stay_s - wait_s) / s->stay_s : 0;
}

static struct plan make_plan(const struct policy_view *v, struct node *from, struct node *to)
{
	struct plan p = {.from = from, .to = to};
	double others_s = (double)(core_last_end_ms(v->c, to, NULL) - v->now_ms) / 1000;

	if (to->power != POWER_ON) {
		p.wait_s = to->machine->wake_s;
		others_s = p.wait_s;
		p.idle_j = -to->machine->wake_j;
	}
	list_each(l, &from->jobs)
	{
		const struct job *j = list_entry(l, struct job, at);
		struct saving s = core_saving(v->c, j, to);
		double left = left_then(&s, p.wait_s), go_s = p.wait_s + left * s.go_s;

		p.stay_s = s.stay_s > p.stay_s ? s.stay_s : p.stay_s;
		if (left <= 0)
			continue; /* it ends before */
		p.go_s = go_s > p.go_s ? go_s : p.go_s;
		p.net_j += left * (s.stay_j - s.go_j) - s.move_j;
		p.move_j += s.move_j;
		p.late |= v->c->policy_by_last_end && go_s > core_bound_s(v->c, j);
	}
	p.idle_j += (p.stay_s - p.wait_s) * core_awake_w(from->machine);
	if (p.go_s > others_s)
		p.idle_j -= (p.go_s - others_s) * core_awake_w(to->machine);
	p.net_j += p.idle_j;
	return p;
}

static bool all_movable(const struct policy_view *v, const struct node *from,
			const struct machine *m, uint64_t *memory)
{
	int most = TOGETHER;

	*memory = 0;
	if (m == from->machine || !from->used_cpus || from->used_cpus > m->cpus)
		return false;
	list_each(l, &from->jobs)
	{
		const struct job *j = list_entry(l, struct job, at);

		*memory += j->spec.memory_bytes;
		if (!most-- || !core_movable(v->c, j) || !(j->spec.isas & (1u << m->isa)))
			return false;
	}
	return true;
}

static void move_all(struct policy_view *v, const struct plan *p, const char *name)
{
	uint32_t cpus = p->from->used_cpus;

	list_each_safe(l, next, &p->from->jobs)
	{
		struct job *j = list_entry(l, struct job, at);
		struct saving s = core_saving(v->c, j, p->to);

		s.idle_j = p->idle_j * j->spec.cpus / cpus;
		s.net_j = p->net_j * j->spec.cpus / cpus;
		(void)policy_move(v, j, p->to, &s,
				  "%s: the rest of all jobs of %.40s takes %.3g J less on "
				  "%.40s",
				  name, p->from->name, p->net_j, p->to->name);
	}
}

void together_to_awake(struct policy_view *v, struct node *from, const char *name)
{
	for (uint32_t i = 0; i < v->c->nmachines && v->moves_left; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *to = NULL;
		struct plan p;
		uint64_t memory;

		if (all_movable(v, from, m, &memory))
			to = index_fullest(&m->up, from->used_cpus, memory);
		if (!to)
			continue;
		p = make_plan(v, from, to);
		/* Later is only what the node was woken for. */
		if (p.late || (p.go_s >= p.stay_s && !to->woken_to_move) ||
		    p.net_j <= v->opt->min_saving_j)
			continue;
		move_all(v, &p, name);
		return;
	}
}

void together_to_asleep(struct policy_view *v, struct node *from, const char *name)
{
	struct plan best = {.net_j = 0};

	if (!policy_may_wake(v))
		return;
	for (uint32_t i = 0; i < v->c->nmachines && v->moves_left; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *to = NULL;
		struct plan p;
		uint64_t memory;

		if (m->asleep.n && all_movable(v, from, m, &memory))
			to = index_fullest(&m->asleep, from->used_cpus, memory);
		if (!to)
			continue;
		p = make_plan(v, from, to);
		if (!p.late && p.net_j > best.net_j &&
		    p.net_j > v->opt->min_saving_j + v->opt->hysteresis * (p.move_j + m->wake_j))
			best = p;
	}
	if (best.to)
		policy_wake(v, best.to,
			    "%s: the rest of all jobs of %.40s takes %.3g J less here, the wake "
			    "included",
			    name, from->name, best.net_j);
}
