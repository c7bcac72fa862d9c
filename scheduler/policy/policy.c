#include "scheduler/policy/policy.h"

#include <stdarg.h>
#include <string.h>

const struct policy *const policies[] = {
	&policy_balance,
	&policy_consolidate,
	&policy_static,
	NULL,
};

const struct policy *policy_find(const char *name)
{
	for (size_t i = 0; policies[i]; i++)
		if (!strcmp(policies[i]->name, name))
			return policies[i];
	return NULL;
}

bool policy_fits(const struct policy_view *v, const struct view_job *j, uint32_t i)
{
	const struct view_node *n = &v->nodes[i];

	return n->usable && (j->isas & (1u << n->isa)) && n->used + j->cpus <= n->cpus;
}

double policy_load(const struct view_node *n)
{
	return n->cpus ? (double)n->used / n->cpus : 1.0;
}

double policy_added_w(const struct policy_view *v, const struct view_job *j, uint32_t i)
{
	const struct view_node *n = &v->nodes[i];

	return n->core_w * j->cpus + (n->used ? 0 : n->idle_w);
}

static struct decision *claim(struct policy_view *v, struct view_job *j, uint32_t i)
{
	struct decision *d = &v->decisions[v->ndecisions++];

	d->job = j;
	d->node = i;
	if (j->node != VIEW_NOWHERE)
		v->nodes[j->node].used -= j->cpus;
	v->nodes[i].used += j->cpus;
	j->node = i;
	j->movable = false;
	return d;
}

void policy_place(struct policy_view *v, struct view_job *j, uint32_t i, const char *why)
{
	double cost_j = policy_added_w(v, j, i) * v->opt->horizon_s;
	struct decision *d = claim(v, j, i);

	d->predicted_j = -cost_j;
	(void)snprintf(d->reason, sizeof(d->reason), "%s", why);
}

void policy_move(struct policy_view *v, struct view_job *j, uint32_t i, double predicted_j,
		 const char *fmt, ...)
{
	struct decision *d = claim(v, j, i);
	va_list ap;

	d->predicted_j = predicted_j;
	v->moves_left--;
	va_start(ap, fmt);
	if (vsnprintf(d->reason, sizeof(d->reason), fmt, ap) < 0)
		d->reason[0] = '\0';
	va_end(ap);
}

/* Is a better than b for one more job of cpus? */
static bool less_loaded(const struct view_node *a, const struct view_node *b, uint32_t cpus)
{
	double la = (double)(a->used + cpus) / a->cpus, lb = (double)(b->used + cpus) / b->cpus;

	if (la < lb || lb < la)
		return la < lb;
	if (a->emulated != b->emulated)
		return b->emulated;
	return strcmp(a->name, b->name) < 0;
}

uint32_t policy_least_loaded(const struct policy_view *v, const struct view_job *j)
{
	uint32_t best = VIEW_NOWHERE;

	for (uint32_t i = 0; i < v->nnodes; i++)
		if (policy_fits(v, j, i) &&
		    (best == VIEW_NOWHERE || less_loaded(&v->nodes[i], &v->nodes[best], j->cpus)))
			best = i;
	return best;
}
