/*
 * What balance, unbalance and their static forms share: as many used cpus on
 * each node as its machine's weight says.
 */
#include "scheduler/policy/policy.h"

#define LOOK     4  /* of the fullest nodes whose jobs are looked at */
#define MACHINES 64 /* kinds looked at for moves */

double weight_equal(const struct policy_view *v, const struct machine *m)
{
	(void)v;
	(void)m;
	return 1;
}

static double speed(const struct machine *m)
{
	return m->speed > 0 ? m->speed : 1;
}

double weight_speed(const struct policy_view *v, const struct machine *m)
{
	double fastest = 0;

	if (v->opt->bias <= 0)
		return speed(m);
	for (uint32_t i = 0; i < v->c->nmachines; i++)
		if (v->c->machines[i]->nodes && speed(v->c->machines[i]) > fastest)
			fastest = speed(v->c->machines[i]);
	return speed(m) >= fastest ? v->opt->bias : 1;
}

/* Native before emulated, then the faster, then the one that is registered first. */
static bool preferred(const struct node *a, const struct node *b)
{
	if (a->emulated != b->emulated)
		return b->emulated;
	if (speed(a->machine) > speed(b->machine) || speed(a->machine) < speed(b->machine))
		return speed(a->machine) > speed(b->machine);
	return a->index < b->index;
}

struct node *spread_place(struct policy_view *v, const struct job *j, policy_weight *weight,
			  uint32_t isas)
{
	struct node *best = NULL;
	double best_load = 0;

	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];
		struct node *n;
		double load;

		if (!(isas & (1u << m->isa)) || !policy_may(v, j, m))
			continue;
		n = index_emptiest(&m->up, j->spec.cpus, j->spec.memory_bytes);
		if (!n)
			continue;
		load = (policy_used(n) + j->spec.cpus) / weight(v, m);
		if (!best || load < best_load || (load <= best_load && preferred(n, best))) {
			best = n;
			best_load = load;
		}
	}
	return best;
}

static struct node *lightest(struct policy_view *v, policy_weight *weight, double *load)
{
	struct node *best = NULL;

	for (uint32_t i = 0; i < v->c->nmachines; i++) {
		const struct machine *m = v->c->machines[i];
		struct tree_node *t = tree_last(&m->up);
		struct node *n = t ? node_of(t) : NULL;
		double l = n ? policy_used(n) / weight(v, m) : 0;

		if (n && (!best || l < *load || (l <= *load && preferred(n, best)))) {
			best = n;
			*load = l;
		}
	}
	return best;
}

/* A job of high for low that narrows the difference, started to move. */
static bool move_from(struct policy_view *v, struct node *high, struct node *low,
		      policy_weight *weight, const char *name)
{
	uint32_t least = high->cpus < low->cpus ? high->cpus : low->cpus;

	list_each(l, &high->jobs)
	{
		struct job *j = list_entry(l, struct job, at);
		double before = policy_used(high) / weight(v, high->machine);
		double after = (policy_used(low) + j->spec.cpus) / weight(v, low->machine);
		double mean = (weight(v, high->machine) + weight(v, low->machine)) / 2;

		if (before - after <= v->opt->hysteresis * least / mean || !core_movable(v->c, j) ||
		    !policy_may(v, j, low->machine) || node_free_cpus(low) < j->spec.cpus)
			continue;
		if (policy_move(v, j, low, NULL, "%s: %.40s has %u cpus in use, %.40s only %u",
				name, high->name, policy_used(high), low->name, policy_used(low)))
			return true;
	}
	return false;
}

/* The node with the highest load that at[] points to; at[] then points behind it. */
static struct node *heaviest(struct policy_view *v, struct tree_node **at, uint32_t n,
			     policy_weight *weight)
{
	uint32_t best = n;
	double best_load = -1;
	struct node *node;

	for (uint32_t i = 0; i < n; i++) {
		double load =
			at[i] ? policy_used(node_of(at[i])) / weight(v, v->c->machines[i]) : -1;

		if (load > best_load) {
			best = i;
			best_load = load;
		}
	}
	if (best == n)
		return NULL;
	node = node_of(at[best]);
	at[best] = tree_after(&v->c->machines[best]->up, at[best]->key, at[best]->tie);
	return node;
}

void spread_moves(struct policy_view *v, policy_weight *weight, const char *name)
{
	uint32_t n = v->c->nmachines < MACHINES ? v->c->nmachines : MACHINES;
	struct tree_node *at[MACHINES];
	bool moved = true;

	while (moved && v->moves_left) {
		double load = 0;
		struct node *low = lightest(v, weight, &load), *high;

		moved = false;
		for (uint32_t i = 0; i < n; i++)
			at[i] = tree_first(&v->c->machines[i]->up);
		for (int k = 0; low && k < LOOK && !moved; k++) {
			high = heaviest(v, at, n, weight);
			if (!high || high == low)
				break;
			moved = move_from(v, high, low, weight, name);
		}
	}
}
