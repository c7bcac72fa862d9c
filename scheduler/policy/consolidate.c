/*
 * consolidate: as few nodes as hold the demand, and of those sets one with the
 * least idle power. While few jobs run that is the node that idles cheapest;
 * when a burst needs more cpus than it has, a larger machine may hold all alone
 * and running jobs go there; when the burst is over they come back. Emptied
 * nodes are put to sleep.
 *
 * Waiting jobs go to the set at once; running ones follow when they have been
 * outside of it for settle_ms and the move is predicted to save energy. A node
 * that sleeps is woken for all jobs of another if that saves more than the wake
 * takes.
 */
#include "scheduler/policy/machine_set.h"
#include "scheduler/policy/together.h"

#define LOOK 4 /* nodes of a machine whose jobs are looked at */

static const char *const options[] = {
	"hysteresis",     "settle_ms",    "cooldown_ms", "max_in_flight", "horizon_s",
	"require_saving", "min_saving_j", "sleep_after", "min_awake",     NULL};

/* The fullest node of the set that has room. */
static struct node *target(struct policy_view *v, const struct machine_set *s, const struct job *j)
{
	for (uint32_t k = 0; k < s->n; k++) {
		struct node *n = NULL;

		if (s->count[k] && policy_may(v, j, s->by_power[k]))
			n = index_fullest(&s->by_power[k]->up, j->spec.cpus, j->spec.memory_bytes);
		if (n)
			return n;
	}
	return NULL;
}

static double added_w(const struct node *n, const struct job *j)
{
	return n->core_w * j->spec.cpus + (n->used_cpus ? 0 : n->idle_w);
}

static struct node *place(struct policy_view *v, const struct job *j, const char **why)
{
	struct node *best;

	*why = "consolidate: fewest nodes with the least idle power";
	best = target(v, machine_set_of(v), j);
	if (best)
		return best;
	/* Its ISA isn't in the set, or running jobs outside of it are in the way. */
	*why = "consolidate: least added power outside the set";
	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *n = NULL;

		if (policy_may(v, j, m))
			n = index_fullest(&m->up, j->spec.cpus, j->spec.memory_bytes);
		if (n && (!best || added_w(n, j) < added_w(best, j)))
			best = n;
	}
	return best;
}

/* Jobs of a node that should be empty; true if any of them could leave. */
static bool empty(struct policy_view *v, const struct machine_set *s, struct node *from,
		  bool settled)
{
	bool outside = false;

	list_each_safe(l, next, &from->jobs)
	{
		struct job *j = list_entry(l, struct job, at);
		struct node *to = j->migration ? NULL : target(v, s, j);
		struct saving saving;

		if (!to || to == from ||
		    (to->machine == from->machine && policy_used(to) < policy_used(from)))
			continue;
		saving = core_saving(v->c, j, to);
		if (!core_worth(v->c, &saving))
			continue;
		outside = true;
		if (settled)
			(void)policy_move(v, j, to, NULL,
					  "consolidate: the demand fits %u node%s; empties %.32s "
					  "(%.0f W idle) onto %.32s",
					  s->nodes, s->nodes == 1 ? "" : "s", from->name,
					  from->idle_w, to->name);
	}
	return outside;
}

static void moves(struct policy_view *v)
{
	struct cluster *c = v->c;
	bool settled = c->low_since_ms && v->now_ms >= c->low_since_ms + v->opt->settle_ms;
	bool outside = false;
	const struct machine_set *s = machine_set_of(v);

	for (uint32_t k = 0; k < s->n; k++) {
		struct machine *m = s->by_power[k];
		struct node *n = m->busy > s->count[k] ? policy_least_used(m, NULL) : NULL;
		uint32_t surplus = n ? m->busy - s->count[k] : 0;

		for (int look = 0; n && surplus && look < LOOK; look++, surplus--) {
			outside |= empty(v, s, n, settled);
			n = policy_least_used(m, n);
		}
	}
	for (uint32_t i = 0; i < c->nmachines && !outside; i++) {
		struct node *n = policy_least_used(c->machines[i], NULL);

		if (n)
			together_to_asleep(v, n, "consolidate");
	}
	if (!outside)
		c->low_since_ms = 0;
	else if (!c->low_since_ms)
		c->low_since_ms = v->now_ms;
}

const struct policy policy_consolidate = {
	.name = "consolidate",
	.summary = "fewest nodes with the least idle power; running jobs leave the others, which "
		   "sleep",
	.sleeps = true,
	.options = options,
	.place = place,
	.moves = moves,
};
