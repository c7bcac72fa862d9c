#include "scheduler/policy/policy.h"

#include <stdarg.h>
#include <string.h>

#include "scheduler/core/internal.h"

const struct policy *const policies[] = {
	&policy_balance,         &policy_unbalance,         &policy_consolidate, &policy_energy,
	&policy_static_balanced, &policy_static_unbalanced, &policy_static_x86,  NULL,
};

const struct policy *policy_find(const char *name)
{
	if (!strcmp(name, "static"))
		name = "static-balanced";
	for (size_t i = 0; policies[i]; i++)
		if (!strcmp(policies[i]->name, name))
			return policies[i];
	return NULL;
}

/* ---- options ---------------------------------------------------------------- */

#define OPTION(kind, member, unit, min, max, meaning)                                              \
	{#member, unit, meaning, kind, offsetof(struct policy_options, member), min, max}

const struct policy_option policy_options_table[] = {
	OPTION(OPTION_F64, hysteresis, "", 0, 1,
	       "balance, unbalance: share of a node's cpus by which a move must narrow the "
	       "difference;"
	       " all: share of its own cost that a move must save on top of it"),
	OPTION(OPTION_U64, cooldown_ms, "ms", 0, 86400000,
	       "least time between two moves of a job, also after its start"),
	OPTION(OPTION_U64, settle_ms, "ms", 0, 86400000,
	       "how long the demand must have been lower before jobs are gathered"),
	OPTION(OPTION_U32, max_in_flight, "", 0, 10000, "migrations at a time in the cluster"),
	OPTION(OPTION_F64, horizon_s, "s", 0.001, 86400,
	       "time over which joules are predicted for a job whose time isn't known"),
	OPTION(OPTION_BOOL, require_saving, "", 0, 1,
	       "make only moves that are predicted to save energy"),
	OPTION(OPTION_F64, min_saving_j, "J", 0, 1e9, "least predicted saving of a move"),
	OPTION(OPTION_F64, bias, "", 0, 1000,
	       "cpus of the fastest machines for one of the others; 0: by their speeds"),
	OPTION(OPTION_F64, max_slowdown, "", 1, 1000,
	       "longest time on the chosen machine, in times on the fastest one"),
	OPTION(OPTION_F64, sleep_after, "", 0, 1000,
	       "idle time before a node is put to sleep, in break-even times of its profile"),
	OPTION(OPTION_U32, min_awake, "", 0, 1e6, "nodes that are kept awake"),
	{NULL, NULL, NULL, OPTION_F64, 0, 0, 0},
};

double policy_option_get(const struct policy_option *d, const struct policy_options *o)
{
	const char *p = (const char *)o + d->offset;
	uint64_t u64;
	uint32_t u32;
	double f64;
	bool b;

	switch (d->kind) {
	case OPTION_U64:
		memcpy(&u64, p, sizeof(u64));
		return (double)u64;
	case OPTION_U32:
		memcpy(&u32, p, sizeof(u32));
		return u32;
	case OPTION_BOOL:
		memcpy(&b, p, sizeof(b));
		return b;
	case OPTION_F64:
		break;
	}
	memcpy(&f64, p, sizeof(f64));
	return f64;
}

void policy_option_set(const struct policy_option *d, struct policy_options *o, double value)
{
	char *p = (char *)o + d->offset;
	uint64_t u64 = (uint64_t)value;
	uint32_t u32 = (uint32_t)value;
	bool b = value > 0;

	if (d->kind == OPTION_U64)
		memcpy(p, &u64, sizeof(u64));
	else if (d->kind == OPTION_U32)
		memcpy(p, &u32, sizeof(u32));
	else if (d->kind == OPTION_BOOL)
		memcpy(p, &b, sizeof(b));
	else
		memcpy(p, &value, sizeof(value));
}

/* ---- for policies ------------------------------------------------------------- */

bool policy_may(struct policy_view *v, const struct job *j, const struct machine *m)
{
	const struct cluster *c = v->c;

	if (!(j->spec.isas & (1u << m->isa)) || m->cpus < j->spec.cpus || !m->up.n)
		return false;
	if (!c->cap_mw || (double)c->mw + m->core_w * 1000 * j->spec.cpus <= (double)c->cap_mw)
		return true;
	if (index_emptiest(&m->up, j->spec.cpus, j->spec.memory_bytes))
		v->capped = true;
	return false;
}

static bool move(struct policy_view *v, struct job *j, struct node *to, const struct saving *s,
		 const char *reason)
{
	if (!v->moves_left || to == j->node || !core_movable(v->c, j))
		return false;
	if (v->c->cap_mw &&
	    (double)v->c->mw + to->core_w * 1000 * j->spec.cpus > (double)v->c->cap_mw)
		return false;
	if (!core_worth(v->c, s) || !backfill_take(v->c, v->now_ms, to, j))
		return false;
	if (!migration_start(v->c, v->now_ms, j, to, reason, s, false, v->fx)) {
		v->fx->failed = true;
		return false;
	}
	v->moves_left--;
	return true;
}

/* Writes a reason of CORE_REASON_MAX bytes. */
static void put_reason(char *reason, const char *fmt, va_list ap)
{
	if (vsnprintf(reason, CORE_REASON_MAX, fmt, ap) < 0)
		reason[0] = '\0';
}

bool policy_move(struct policy_view *v, struct job *j, struct node *to, const struct saving *s,
		 const char *fmt, ...)
{
	struct saving its = s ? *s : core_saving(v->c, j, to);
	char reason[CORE_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	put_reason(reason, fmt, ap);
	va_end(ap);
	return move(v, j, to, &its, reason);
}

bool policy_may_wake(const struct policy_view *v)
{
	return v->moves_left && !v->c->waiting_cpus && !power_any_waking(v->c);
}

void policy_wake(struct policy_view *v, struct node *n, const char *fmt, ...)
{
	char reason[CORE_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	put_reason(reason, fmt, ap);
	va_end(ap);
	if (policy_may_wake(v) && power_wake_to_move(v->c, v->now_ms, n, reason, v->fx))
		v->moves_left--;
}

uint32_t policy_used(const struct node *n)
{
	return n->used_cpus - n->leaving_cpus;
}

struct node *policy_least_used(const struct machine *m, const struct node *at)
{
	const struct tree_node *x = at ? &at->key->order : NULL;
	struct tree_node *t = tree_before(&m->up, x ? x->key : m->cpus, x ? x->tie : 0);

	return t ? node_of(t) : NULL;
}
