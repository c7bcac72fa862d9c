/*
 * energy: each job where it is predicted to add the least joules, within a
 * bound on the makespan.
 *
 * A job's joules are its own, above idle power, and those of the idle power of
 * the time by which its node's last job ends later because of it. So a job that
 * ends before others of its node costs no idle power there, and one that would
 * keep a second node awake pays for that. Running jobs move by the same count,
 * and then never back: the sum over the cluster only falls. The bound: a job may
 * be as slow as does not make the last job of the cluster later, or takes at most
 * max_slowdown times as long as on the fastest machine. Nodes that idle are put
 * to sleep, and woken for jobs that run elsewhere if that saves more than the
 * wake takes.
 */
#include "scheduler/policy/together.h"

#define LOOK      2 /* nodes of a machine whose jobs are looked at, */
#define LOOK_JOBS 8 /* and so many of them */

static const char *const options[] = {
	"max_slowdown",   "horizon_s",    "cooldown_ms", "max_in_flight", "hysteresis",
	"require_saving", "min_saving_j", "sleep_after", "min_awake",     NULL};

/* Jobs among which the node's idle power will be shared: those there, and those that wait. */
static double fellows(const struct policy_view *v, const struct job *j, const struct node *n)
{
	double cpus = (double)n->used_cpus + (double)v->c->waiting_cpus, own = j->spec.cpus;

	if (cpus > n->cpus)
		cpus = n->cpus;
	return cpus > own ? cpus / own : 1;
}

static double joules(const struct policy_view *v, const struct job *j, struct node *n)
{
	double s = core_seconds(v->c, j, n->machine);

	return s * core_estimate(j, n->machine).watts +
	       core_awake_j(v->c, n, j, s) / fellows(v, j, n);
}

static struct node *cheapest(struct policy_view *v, const struct job *j, double limit_s)
{
	struct node *best = NULL;
	double best_j = 0;

	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *n = NULL;
		double e;

		if (policy_may(v, j, m) && (limit_s <= 0 || core_seconds(v->c, j, m) <= limit_s))
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

/* A node that sleeps, or wakes already, would end the job within the bound: it waits for that. */
static bool soon(const struct policy_view *v, const struct job *j)
{
	double bound = core_bound_s(v->c, j);

	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];

		if ((j->spec.isas & (1u << m->isa)) &&
		    m->wake_s + core_seconds(v->c, j, m) <= bound &&
		    (index_fullest(&m->asleep, j->spec.cpus, j->spec.memory_bytes) ||
		     index_fullest(&m->waking, j->spec.cpus, j->spec.memory_bytes)))
			return true;
	}
	return false;
}

static struct node *place(struct policy_view *v, const struct job *j, const char **why)
{
	struct node *n = cheapest(v, j, core_bound_s(v->c, j));

	*why = "energy: adds the least predicted joules within the makespan allowed";
	if (n || soon(v, j))
		return n;
	/* Waiting would be slower still than the slow machine that is free. */
	*why = "energy: the machines within the makespan allowed are taken";
	return cheapest(v, j, 0);
}

/* The best move of a job of this node, if any saves. */
static void move_of(struct policy_view *v, struct node *from)
{
	int look = LOOK_JOBS;

	list_each(l, &from->jobs)
	{
		struct job *j = list_entry(l, struct job, at);
		double limit_s, best_j = 0;
		struct node *best = NULL;

		if (!v->moves_left || !look--)
			return;
		if (!core_movable(v->c, j))
			continue;
		limit_s = core_bound_s(v->c, j);
		for (uint32_t i = 0; i < v->c->nmachines; i++) {
			const struct machine *m = v->c->machines[i];
			struct node *n = NULL;
			struct saving s;

			if (policy_may(v, j, m) && core_seconds(v->c, j, m) <= limit_s)
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
			(void)policy_move(v, j, best, NULL,
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

			together_to_awake(v, n, "energy");
			if (!k)
				together_to_asleep(v, n, "energy");
			move_of(v, n);
			n = next;
		}
	}
}

const struct policy policy_energy = {
	.name = "energy",
	.summary = "least predicted joules within a slowdown bound; idle nodes sleep",
	.sleeps = true,
	.by_last_end = true,
	.foresees = true,
	.options = options,
	.place = place,
	.moves = moves,
};
