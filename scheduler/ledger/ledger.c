#include "scheduler/ledger/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void ledger_free(struct ledger *l)
{
	free(l->nodes);
	free(l->jobs);
	free(l->job_index);
	memset(l, 0, sizeof(*l));
}

bool ledger_counted(const char *scope, const char *const *scopes)
{
	if (!strcmp(scope, "node"))
		return true;
	for (; *scopes; scopes++)
		if (!strcmp(*scopes, "node"))
			return false;
	return !strcmp(scope, "package") || !strcmp(scope, "dram");
}

/* Sums without wrapping: a total that doesn't fit is no total. */
static bool add(uint64_t *sum, uint64_t v)
{
	return !__builtin_add_overflow(*sum, v, sum);
}

int ledger_check(const struct energy_interval *i, struct err *e)
{
	uint64_t parts = 0;
	bool fits = add(&parts, i->idle_uj) && add(&parts, i->system_uj);

	for (uint32_t k = 0; fits && k < i->njobs; k++)
		fits = add(&parts, i->jobs[k].energy_uj);
	if (!fits || parts != i->energy_uj)
		return err_set(e, -EINVAL,
			       "energy of %s: %" PRIu64
			       " uJ is not the sum of idle, system and jobs",
			       i->meter, i->energy_uj);
	if (i->to_ms < i->from_ms)
		return err_set(e, -EINVAL, "energy of %s: an interval ends before it begins",
			       i->meter);
	return 0;
}

static void label(char out[16], const char *in)
{
	if (!out[0])
		(void)snprintf(out, 16, "%s", in);
	else if (strcmp(out, in))
		(void)snprintf(out, 16, "mixed");
}

static void take_labels(struct ledger_sum *s, const struct energy_interval *i)
{
	label(s->source, i->source);
	label(s->scope, i->scope);
	label(s->kind, i->kind);
	if (!s->intervals || i->from_ms < s->from_ms)
		s->from_ms = i->from_ms;
	if (i->to_ms > s->to_ms)
		s->to_ms = i->to_ms;
	s->intervals++;
}

static struct ledger_sum *grow(struct ledger *l, struct ledger_sum **v, size_t *n, size_t *cap)
{
	if (*n == *cap) {
		size_t more = *cap ? *cap * 2 : 16;
		struct ledger_sum *bigger = realloc(*v, more * sizeof(**v));

		if (!bigger) {
			l->failed = true;
			return NULL;
		}
		*v = bigger;
		*cap = more;
	}
	memset(&(*v)[*n], 0, sizeof(**v));
	return &(*v)[(*n)++];
}

static struct ledger_sum *node_sum(struct ledger *l, const char *name)
{
	struct ledger_sum *s;

	/* Intervals come by node, so it is nearly always the last one. */
	for (size_t i = l->nnodes; i-- > 0;)
		if (!strcmp(l->nodes[i].node, name))
			return &l->nodes[i];
	s = grow(l, &l->nodes, &l->nnodes, &l->nodes_cap);
	if (s) {
		(void)snprintf(s->node, sizeof(s->node), "%s", name);
		s->balanced = true;
	}
	return s;
}

static bool rehash(struct ledger *l)
{
	size_t buckets = l->job_buckets ? l->job_buckets * 2 : 64;
	uint32_t *index = calloc(buckets, sizeof(*index));

	if (!index)
		return false;
	for (size_t i = 0; i < l->njobs; i++) {
		size_t b = l->jobs[i].job % buckets;

		while (index[b])
			b = (b + 1) % buckets;
		index[b] = (uint32_t)i + 1;
	}
	free(l->job_index);
	l->job_index = index;
	l->job_buckets = buckets;
	return true;
}

static struct ledger_sum *job_sum(struct ledger *l, uint64_t job)
{
	struct ledger_sum *s;
	size_t b;

	if (l->njobs * 2 >= l->job_buckets && !rehash(l)) {
		l->failed = true;
		return NULL;
	}
	for (b = job % l->job_buckets; l->job_index[b]; b = (b + 1) % l->job_buckets)
		if (l->jobs[l->job_index[b] - 1].job == job)
			return &l->jobs[l->job_index[b] - 1];
	s = grow(l, &l->jobs, &l->njobs, &l->jobs_cap);
	if (s) {
		s->job = job;
		s->balanced = true;
		l->job_index[b] = (uint32_t)l->njobs;
	}
	return s;
}

static void add_node(struct ledger_sum *s, const struct energy_interval *i, uint64_t jobs_uj)
{
	take_labels(s, i);
	s->energy_uj += i->energy_uj;
	s->idle_uj += i->idle_uj;
	s->system_uj += i->system_uj;
	s->jobs_uj += jobs_uj;
	s->gap_ms += i->gap_ms;
	s->balanced = s->balanced && !ledger_check(i, NULL);
}

void ledger_add(struct ledger *l, const struct energy_interval *i)
{
	struct ledger_sum *s;
	uint64_t jobs_uj = 0;

	if (!i->counted)
		return;
	for (uint32_t k = 0; k < i->njobs; k++) {
		jobs_uj += i->jobs[k].energy_uj;
		s = job_sum(l, i->jobs[k].job);
		if (!s)
			return;
		take_labels(s, i);
		s->energy_uj += i->jobs[k].energy_uj;
		s->jobs_uj = s->energy_uj;
	}
	s = node_sum(l, i->node);
	if (!s)
		return;
	add_node(s, i, jobs_uj);
	if (!l->total.intervals)
		l->total.balanced = true;
	add_node(&l->total, i, jobs_uj);
}
