/*
 * What programs take: seconds and watts on each ISA, learned from the segments
 * of jobs that completed, and until then from the machine profiles.
 *
 * Times are kept as work: seconds times the speed of the node, so that machines
 * of one ISA share what is learned. A job that ran on both ISAs teaches about
 * the one that is less known, the other one's share of the work being taken
 * as known.
 */
#include "scheduler/core/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAMS_MAX 4096 /* jobs of further programs are placed without learning */
#define LEFT_MIN     0.02 /* a job that runs has something left to do */
#define WATTS_MIN_MS 900  /* readings over less time say little */

static uint64_t fnv(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ull;
	return (h ^ 0xff) * 1099511628211ull;
}

/* The arguments' text in the launch text, whose "env" no string can imitate: quotes in it are
 * escaped. */
static char *args_of(const struct job_spec *spec)
{
	static const char head[] = "{\"args\":", tail[] = ",\"env\":";
	const char *from = spec->launch, *to;

	if (!from || strncmp(from, head, sizeof(head) - 1) != 0)
		return NULL;
	from += sizeof(head) - 1;
	to = strstr(from, tail);
	return to ? strndup(from, (size_t)(to - from)) : NULL;
}

struct program *core_program(struct cluster *c, const struct job_spec *spec)
{
	char *args = args_of(spec);
	uint64_t key =
		fnv(fnv(fnv(14695981039346656037ull, spec->bundle), spec->name), args ? args : "");
	struct program **slot = &c->program_hash[key % ARRAY_SIZE(c->program_hash)], *p;

	for (p = *slot; p; p = p->hash_next)
		if (p->key == key) {
			free(args);
			return p;
		}
	p = c->nprograms < PROGRAMS_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (!p) {
		free(args);
		return NULL;
	}
	p->key = key;
	p->args = args;
	memcpy(p->bundle, spec->bundle, sizeof(p->bundle));
	memcpy(p->name, spec->name, sizeof(p->name));
	p->hash_next = *slot;
	*slot = p;
	c->nprograms++;
	return p;
}

void programs_free(struct cluster *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->program_hash); i++)
		for (struct program *p = c->program_hash[i], *next; p; p = next) {
			next = p->hash_next;
			free(p->args);
			free(p);
		}
}

/* ---- estimates ------------------------------------------------------------------ */

/* Seconds of the program in a machine's "NAME:SECONDS ..." list; 0: it isn't there. */
static double profile_seconds(const char *runs, const char *name)
{
	size_t len = strlen(name);

	for (const char *s = runs; s && *s; s = strchr(s, ' '), s = s ? s + 1 : NULL)
		if (!strncmp(s, name, len) && s[len] == ':')
			return strtod(s + len + 1, NULL);
	return 0;
}

/* The same, remembered with the program: a machine's list never changes. */
static double profiled_seconds(const struct job *j, const struct machine *m)
{
	struct program *p = j->program;
	uint32_t k = m->index % ARRAY_SIZE(p->profiled);

	if (!p)
		return profile_seconds(m->runs, j->spec.name);
	if (p->profiled[k].machine != m->index + 1) {
		p->profiled[k].machine = m->index + 1;
		p->profiled[k].seconds = profile_seconds(m->runs, j->spec.name);
	}
	return p->profiled[k].seconds;
}

static const struct belief *learned(const struct program *p, const struct machine *m)
{
	const struct belief *b = p ? &p->of[m->isa][m->emulated] : NULL;

	return b && b->runs ? b : NULL;
}

/* What another kind of node taught, by the ratio of speeds. An emulated one's time says nothing
 * about others. */
static const struct belief *learned_elsewhere(const struct program *p)
{
	for (int i = 0; p && i < ISA_COUNT; i++)
		if (p->of[i][0].runs)
			return &p->of[i][0];
	return NULL;
}

struct estimate core_estimate(const struct job *j, const struct machine *m)
{
	const struct program *p = j->program;
	const struct belief *b = learned(p, m);
	struct estimate e = {.watts = m->core_w * j->spec.cpus};

	if (b) {
		e.seconds = b->work_s / node_speed(m);
		e.runs = b->runs;
	} else {
		e.seconds = profiled_seconds(j, m);
		if (e.seconds <= 0 && (b = learned_elsewhere(p)))
			e.seconds = b->work_s / node_speed(m);
	}
	if (p && p->of[m->isa][m->emulated].watt_runs)
		e.watts = p->of[m->isa][m->emulated].watts;
	e.joules = e.seconds * e.watts;
	return e;
}

double core_seconds(const struct cluster *c, const struct job *j, const struct machine *m)
{
	double s = core_estimate(j, m).seconds;

	return s > 0 ? s : c->policy_opt.horizon_s / (m->speed > 0 ? m->speed : 1);
}

static double fastest_s(const struct cluster *c, const struct job *j)
{
	double best = 0;

	for (uint32_t i = 0; i < c->nmachines; i++) {
		const struct machine *m = c->machines[i];
		double s;

		if (!m->nodes || !(j->spec.isas & (1u << m->isa)) || m->cpus < j->spec.cpus)
			continue;
		s = core_seconds(c, j, m);
		if (best <= 0 || s < best)
			best = s;
	}
	return best;
}

double core_bound_s(const struct cluster *c, const struct job *j)
{
	const struct tree_node *t = tree_last(&c->ends);
	double own = fastest_s(c, j) * c->policy_opt.max_slowdown, last = 0;

	if (t) {
		const struct job *o = job_of(t);

		if (o->expected_end_ms > c->now_ms)
			last = (double)(o->expected_end_ms - c->now_ms) / 1000;
	}
	return last > own ? last : own;
}

double work_left(double done)
{
	double left = done < 1 ? 1 - done : done - 1;

	return left > LEFT_MIN ? left : LEFT_MIN;
}

/* ---- segments ------------------------------------------------------------------------ */

void ends_set(struct cluster *c, struct job *j, uint64_t expected_end_ms)
{
	j->expected_end_ms = expected_end_ms;
	if (j->node)
		j->node->last_end_known = false;
	j->key->order.key = expected_end_ms ? expected_end_ms : UINT64_MAX;
	j->key->order.tie = j->id;
	tree_insert(&c->ends, &j->key->order);
}

void ends_clear(struct cluster *c, struct job *j)
{
	tree_remove(&c->ends, &j->key->order);
}

void segment_begin(struct cluster *c, uint64_t now_ms, struct job *j, double predicted_j,
		   struct effects *fx)
{
	struct estimate e = core_estimate(j, j->node->machine);
	struct effect *f = fx_add(fx, FX_SEGMENT);
	uint64_t end = 0;

	j->segment_ms = now_ms;
	j->segment_uj = j->segment_uj_ms = 0;
	if (e.seconds > 0)
		end = now_ms + (uint64_t)(work_left(j->done) * e.seconds * 1000) + 1;
	if (j->spec.time_limit_s && (!end || end > j->started_ms + j->spec.time_limit_s * 1000))
		end = j->started_ms + j->spec.time_limit_s * 1000;
	ends_set(c, j, end);
	c->settled_ms = now_ms;
	f->job = j;
	f->attempt = j->attempt;
	f->epoch = j->epoch;
	f->started_ms = now_ms;
	f->isa = j->node->isa;
	f->emulated = j->node->emulated;
	f->predicted_j = predicted_j > 0 ? predicted_j : (double)NAN;
	memcpy(f->node_name, j->node->name, sizeof(f->node_name));
}

/* The power it drew, from the readings of this segment. */
static void learn_watts(struct job *j, const struct machine *m)
{
	struct belief *b;

	if (!j->program || j->segment_uj_ms < WATTS_MIN_MS)
		return;
	b = &j->program->of[m->isa][m->emulated];
	b->watt_runs++;
	b->watts +=
		((double)j->segment_uj / 1e3 / (double)j->segment_uj_ms - b->watts) / b->watt_runs;
}

void segment_end(struct cluster *c, uint64_t now_ms, struct job *j, const char *outcome,
		 struct effects *fx)
{
	const struct machine *m = j->node->machine;
	struct estimate e = core_estimate(j, m);
	double s = (double)(now_ms - j->segment_ms) / 1000;
	struct effect *f = fx_add(fx, FX_SEGMENT);

	ends_clear(c, j);
	learn_watts(j, m);
	j->isa_s[m->isa] += s * node_speed(m);
	j->isa_emulated[m->isa] = m->emulated;
	if (e.seconds > 0)
		j->done += s / e.seconds;
	f->job = j;
	f->attempt = j->attempt;
	f->epoch = j->epoch;
	f->started_ms = j->segment_ms;
	f->ended_ms = now_ms;
	f->cpu_us = j->cpu_us_here;
	f->isa = m->isa;
	f->emulated = m->emulated;
	f->predicted_j = (double)NAN;
	memcpy(f->node_name, j->node->name, sizeof(f->node_name));
	(void)snprintf(f->outcome, sizeof(f->outcome), "%s", outcome);
}

static void learn_work(struct belief *b, double work_s)
{
	double before = work_s - b->work_s;

	b->runs++;
	b->work_s += before / b->runs;
	b->spread += before * (work_s - b->work_s);
}

void program_learn(struct cluster *c, struct job *j, struct effects *fx)
{
	double t[ISA_COUNT] = {j->isa_s[0], j->isa_s[1]};
	struct belief *b[ISA_COUNT];
	int known;

	(void)c;
	_Static_assert(ISA_COUNT == 2, "a job has run on one ISA or on both");
	if (!j->program)
		return;
	for (int i = 0; i < ISA_COUNT; i++)
		b[i] = &j->program->of[i][j->isa_emulated[i]];
	if (t[0] <= 0 || t[1] <= 0) {
		known = t[0] > 0 ? 0 : 1;
		if (t[known] > 0)
			learn_work(b[known], t[known]);
	} else if (b[0]->runs || b[1]->runs) {
		known = b[0]->runs >= b[1]->runs ? 0 : 1;
		/* What the better known one did of the work; the other one did the rest. */
		if (t[known] < 0.9 * b[known]->work_s)
			learn_work(b[!known], t[!known] / (1 - t[known] / b[known]->work_s));
	} else {
		/* Speeds say that both take the same work. */
		learn_work(b[0], t[0] + t[1]);
		learn_work(b[1], t[0] + t[1]);
	}
	fx_add(fx, FX_MODEL)->program = j->program;
}

void core_energy(struct cluster *c, struct node *n, const struct energy_interval *i)
{
	for (uint32_t k = 0; i->counted && k < i->njobs; k++) {
		struct job *j = cluster_job(c, i->jobs[k].job);

		if (!j || j->node != n || j->attempt != i->jobs[k].attempt ||
		    i->from_ms + 200 < j->segment_ms)
			continue;
		j->segment_uj += i->jobs[k].energy_uj;
		j->segment_uj_ms += i->to_ms - i->from_ms;
	}
}
