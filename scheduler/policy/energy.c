/*
 * energy: each job where it is predicted to take the least joules, as long as
 * that takes at most max_slowdown times as long as on the fastest machine.
 *
 * A job's joules are its own, above idle power, and those of the idle power for
 * which it keeps a node awake: all of it on a node that would be empty without
 * it, its share by cpus otherwise. Running jobs move where the rest of them is
 * cheaper. Nodes that idle are put to sleep.
 */
#include "scheduler/policy/policy.h"

#define LOOK 2 /* nodes of a machine whose jobs are looked at */

static const char *const options[] = {
	"max_slowdown",   "horizon_s",    "cooldown_ms", "max_in_flight", "hysteresis",
	"require_saving", "min_saving_j", "sleep_after", "min_awake",     NULL};

static double seconds(const struct policy_view *v, const struct job *j, const struct machine *m)
{
	double s = core_estimate(j, m).seconds;

	return s > 0 ? s : v->opt->horizon_s / (m->speed > 0 ? m->speed : 1);
}

static double fastest_s(const struct policy_view *v, const struct job *j)
{
	double best = 0;

	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];
		double s;

		if (!m->nodes || !(j->spec.isas & (1u << m->isa)) || m->cpus < j->spec.cpus)
			continue;
		s = seconds(v, j, m);
		if (best <= 0 || s < best)
			best = s;
	}
	return best;
}

static double joules(const struct policy_view *v, const struct job *j, const struct node *n)
{
	const struct machine *m = n->machine;
	double awake_w = m->idle_w > m->sleep_w ? m->idle_w - m->sleep_w : 0;
	double share = n->used_cpus ? (double)j->spec.cpus / m->cpus : 1;

	return seconds(v, j, m) * (core_estimate(j, m).watts + awake_w * share);
}

static struct node *cheapest(struct policy_view *v, const struct job *j, double limit_s)
{
	struct node *best = NULL;
	double best_j = 0;

	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *n = NULL;
		double e;

		if (policy_may(v, j, m) && (limit_s <= 0 || seconds(v, j, m) <= limit_s))
			n = index_fullest(&m->up, j->spec.cpus, j->spec.memory_bytes);
		if (!n)
			continue;
		e = joules(v, j, n);
		if (!best || e < best_j) {
			best = n;
			best_j = e;
		}
	}
	return best;
}

static struct node *place(struct policy_view *v, const struct job *j, const char **why)
{
	struct node *n = cheapest(v, j, fastest_s(v, j) * v->opt->max_slowdown);

	*why = "energy: least predicted joules within the slowdown allowed";
	if (n)
		return n;
	/* Waiting would be slower still than the slow machine that is free. */
	*why = "energy: the machines within the slowdown allowed are taken";
	return cheapest(v, j, 0);
}

/* The best move of a job of this node, if any saves. */
static void move_of(struct policy_view *v, struct node *from)
{
	list_each(l, &from->jobs)
	{
		struct job *j = list_entry(l, struct job, queue);
		double limit_s, best_j = 0;
		struct node *best = NULL;

		if (!v->moves_left)
			return;
		if (!core_movable(v->c, j))
			continue;
		limit_s = fastest_s(v, j) * v->opt->max_slowdown;
		for (uint32_t i = 0; i < v->c->nmachines; i++) {
			const struct machine *m = v->c->machines[i];
			struct node *n = NULL;
			struct saving s;

			if (policy_may(v, j, m) && seconds(v, j, m) <= limit_s)
				n = index_fullest(&m->up, j->spec.cpus, j->spec.memory_bytes);
			if (!n || n == from ||
			    (m == from->machine && policy_used(n) < policy_used(from)))
				continue;
			s = core_saving(v->c, j, n);
			if (s.net_j > best_j) {
				best = n;
				best_j = s.net_j;
			}
		}
		if (best)
			(void)policy_move(v, j, best,
					  "energy: the rest of it takes %.3g J less on %.40s",
					  best_j, best->name);
	}
}

static void moves(struct policy_view *v)
{
	for (uint32_t i = 0; i < v->c->nmachines && v->moves_left; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *n = policy_least_used(m, NULL);

		for (int k = 0; n && k < LOOK && v->moves_left; k++) {
			struct node *next = policy_least_used(m, n);

			move_of(v, n);
			n = next;
		}
	}
}

const struct policy policy_energy = {
	.name = "energy",
	.summary = "least predicted joules within a slowdown bound; idle nodes sleep",
	.sleeps = true,
	.options = options,
	.place = place,
	.moves = moves,
};
