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

/* 0: unknown. Package and memory together outweigh the package alone. */
static int rank(const char *scope)
{
	static const char *const scopes[] = {"device",       "dram",     "package", "soc",
					     "package+dram", "platform", "node"};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (!strcmp(scope, scopes[i]))
			return (int)i + 1;
	return 0;
}

bool ledger_counted(const char *scope, const char *const *scopes)
{
	bool parts = !strcmp(scope, "dram");
	int own = rank(parts ? "package" : scope);

	for (; *scopes; scopes++) {
		if (rank(*scopes) > own)
			return false;
		parts = parts && strcmp(*scopes, "package") != 0;
	}
	/* Memory without a package beside it would be a part passed off as the whole. */
	return !parts;
}

uint64_t ledger_part(uint64_t v, uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((unsigned __int128)v * part / whole) : 0;
}

/* What of v lies between a and b of a length: differences of running sums, so that parts add up. */
static uint64_t between(uint64_t v, uint64_t a, uint64_t b, uint64_t len)
{
	return ledger_part(v, b, len) - ledger_part(v, a, len);
}

bool ledger_clip(struct energy_interval *i, uint64_t from_ms, uint64_t to_ms)
{
	uint64_t len = i->to_ms - i->from_ms, a, b;

	/* One of no length lies where it begins. */
	if (i->to_ms <= i->from_ms)
		return i->from_ms >= from_ms && i->from_ms < to_ms;
	if (i->to_ms <= from_ms || i->from_ms >= to_ms)
		return false;
	a = i->from_ms < from_ms ? from_ms - i->from_ms : 0;
	b = i->to_ms > to_ms ? to_ms - i->from_ms : len;
	if (a == 0 && b == len)
		return true;
	i->to_ms = i->from_ms + b;
	i->from_ms += a;
	i->idle_uj = between(i->idle_uj, a, b, len);
	i->system_uj = between(i->system_uj, a, b, len);
	i->gap_ms = between(i->gap_ms, a, b, len);
	i->energy_uj = i->idle_uj + i->system_uj;
	for (uint32_t k = 0; k < i->njobs; k++) {
		i->jobs[k].energy_uj = between(i->jobs[k].energy_uj, a, b, len);
		i->energy_uj += i->jobs[k].energy_uj;
	}
	return true;
}

uint64_t ledger_share_idle(const struct energy_interval *i, uint64_t *share)
{
	uint64_t all = 0, given = 0;

	for (uint32_t k = 0; k < i->njobs; k++)
		all += i->jobs[k].energy_uj;
	for (uint32_t k = 0; k < i->njobs; k++) {
		share[k] = ledger_part(i->idle_uj, i->jobs[k].energy_uj, all);
		given += share[k];
	}
	return given;
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

static void add_node(struct ledger_sum *s, const struct energy_interval *i, uint64_t jobs_uj,
		     uint64_t idle_given)
{
	uint64_t before = s->to_ms;
	bool first = s->intervals == 0;

	take_labels(s, i);
	s->energy_uj += i->energy_uj;
	s->idle_uj += i->idle_uj;
	s->system_uj += i->system_uj;
	s->jobs_uj += jobs_uj;
	s->idle_attributed_uj += idle_given;
	s->gap_ms += i->gap_ms;
	/* Nobody read the meter in between: the agent was away. */
	if (s->node[0] && !first && i->from_ms > before)
		s->gap_ms += i->from_ms - before;
	s->balanced = s->balanced && !ledger_check(i, NULL);
}

static void add_clipped(struct ledger *l, const struct energy_interval *i)
{
	uint64_t shares[ENERGY_JOBS_MAX], jobs_uj = 0, gap;
	uint64_t given = ledger_share_idle(i, shares);
	struct ledger_sum *s;

	for (uint32_t k = 0; k < i->njobs; k++) {
		jobs_uj += i->jobs[k].energy_uj;
		s = job_sum(l, i->jobs[k].job);
		if (!s)
			return;
		take_labels(s, i);
		s->energy_uj += i->jobs[k].energy_uj;
		s->jobs_uj = s->energy_uj;
		s->idle_attributed_uj += shares[k];
	}
	s = node_sum(l, i->node);
	if (!s)
		return;
	gap = s->gap_ms;
	add_node(s, i, jobs_uj, given);
	if (!l->total.intervals)
		l->total.balanced = true;
	gap = s->gap_ms - gap;
	add_node(&l->total, i, jobs_uj, given);
	l->total.gap_ms += gap - i->gap_ms;
}

void ledger_add(struct ledger *l, const struct energy_interval *i)
{
	struct energy_interval *part;

	if (!i->counted)
		return;
	if (!l->to_ms || (i->from_ms >= l->from_ms && i->to_ms <= l->to_ms)) {
		add_clipped(l, i);
		return;
	}
	part = malloc(sizeof(*part));
	if (!part) {
		l->failed = true;
		return;
	}
	*part = *i;
	if (ledger_clip(part, l->from_ms, l->to_ms))
		add_clipped(l, part);
	free(part);
}
