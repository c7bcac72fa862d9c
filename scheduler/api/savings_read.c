/*
 * The live side of the savings: the cluster's nodes and jobs, read in small steps
 * so that the engine's lock is never held for long.
 */
#include <errno.h>
#include <string.h>

#include "scheduler/api/savings.h"

#define PAGE 1000

void live_free(struct live *l)
{
	free(l->nodes);
	free(l->kinds);
	free(l->jobs);
	memset(l, 0, sizeof(*l));
}

/* ---- nodes -------------------------------------------------------------- */

static int by_name(const void *pa, const void *pb)
{
	const struct live_node *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

static bool find_kind(struct live *l, const struct node *n, uint32_t *out)
{
	struct err e = ERR_INIT;
	struct live_kind *k;

	for (uint32_t i = 0; i < l->nkinds; i++)
		if (!strcmp(l->kinds[i].name, n->profile) && l->kinds[i].profile.isa == n->isa) {
			*out = i;
			return true;
		}
	k = realloc(l->kinds, (l->nkinds + 1) * sizeof(*k));
	if (!k)
		return false;
	l->kinds = k;
	k = &l->kinds[l->nkinds];
	memset(k, 0, sizeof(*k));
	memcpy(k->name, n->profile, sizeof(k->name));
	/* Paths are the agents' own. */
	if (!n->profile[0] || strchr(n->profile, '/') ||
	    profile_load(n->profile, &k->profile, &e) || k->profile.isa != n->isa) {
		k->assumed = true;
		err_clear(&e);
		if (profile_load(profile_default(n->isa), &k->profile, &e))
			memset(&k->profile, 0, sizeof(k->profile));
		k->profile.isa = n->isa;
	}
	*out = (uint32_t)l->nkinds++;
	return true;
}

int live_nodes(struct engine *en, struct live *l, struct err *e)
{
	const struct cluster *c = en->cluster;

	l->nodes = calloc((size_t)c->nnodes + 1, sizeof(*l->nodes));
	for (uint32_t i = 0; l->nodes && i < c->nnodes; i++) {
		struct live_node *n = &l->nodes[l->nnodes];

		memcpy(n->name, c->nodes[i]->name, sizeof(n->name));
		if (!find_kind(l, c->nodes[i], &n->kind))
			return err_set(e, -ENOMEM, "no memory for the nodes' profiles");
		l->assumed += l->kinds[n->kind].assumed;
		l->nnodes++;
	}
	if (!l->nodes)
		return err_set(e, -ENOMEM, "no memory for the nodes");
	qsort(l->nodes, l->nnodes, sizeof(*l->nodes), by_name);
	return 0;
}

const struct live_kind *live_kind_of(const struct live *l, const char *node)
{
	struct live_node key = {.kind = 0};
	const struct live_node *n;

	(void)snprintf(key.name, sizeof(key.name), "%s", node);
	n = l->nnodes ? bsearch(&key, l->nodes, l->nnodes, sizeof(key), by_name) : NULL;
	return n ? &l->kinds[n->kind] : NULL;
}

/* ---- jobs --------------------------------------------------------------- */

struct reading {
	struct live *l;
	const struct profile *reference;
	const struct shadow_job *known;
	size_t nknown;
	/* the job whose segments are read */
	struct shadow_job *job;
	uint32_t attempt;
	double wall_s, cpu_s;
	uint64_t running_ms; /* since when the segment under way runs; 0: none */
	char running_on[CORE_NAME_MAX];
};

/* Numbers for equal names (FNV-1a), not 0. */
static uint32_t number_of(const char *a, const char *b)
{
	uint32_t h = 2166136261u;

	for (; *a; a++)
		h = (h ^ (unsigned char)*a) * 16777619u;
	for (h ^= 0xff; *b; b++)
		h = (h ^ (unsigned char)*b) * 16777619u;
	return (h & 0x7fffffff) | 1;
}

static const struct shadow_job *find_known(const struct reading *r, uint64_t id)
{
	size_t lo = 0, hi = r->nknown;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->known[mid].id == id)
			return &r->known[mid];
		if (r->known[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static double work_on(struct reading *r, const char *node)
{
	const struct live_kind *k = live_kind_of(r->l, node);

	if (!k || k->assumed)
		r->job->estimated = true;
	return k ? shadow_work(&k->profile, r->reference, r->job->kernel, r->job->class) : 1;
}

/* Only the last attempt counts: what earlier ones did was lost. */
static void add_segment(const struct segment_record *s, void *arg)
{
	struct reading *r = arg;
	double wall = s->to_ms > s->from_ms ? (double)(s->to_ms - s->from_ms) / 1000 : 0;

	if (!r->job->start_ms)
		r->job->start_ms = s->from_ms;
	if (s->attempt != r->attempt) {
		r->attempt = s->attempt;
		r->wall_s = r->cpu_s = r->job->work_s = 0;
		r->job->estimated = false;
	}
	r->running_ms = 0;
	if (!s->to_ms) {
		r->running_ms = s->from_ms;
		(void)snprintf(r->running_on, sizeof(r->running_on), "%s", s->node);
		return;
	}
	r->job->work_s += wall * work_on(r, s->node);
	r->job->estimated |= s->emulated; /* an emulator's time says little of the machine */
	r->wall_s += wall;
	r->cpu_s += (double)s->cpu_us / 1e6;
}

/* What is believed of one that isn't over. */
static void look_at_live(struct reading *r, const struct cluster *c, uint64_t now_ms)
{
	struct shadow_job *out = r->job;
	const struct job *j = cluster_job(c, out->id);
	const struct node *like = NULL; /* the job is estimated as if there */
	double total = 0;

	out->estimated = true;
	if (r->running_ms && now_ms > r->running_ms) {
		double wall = (double)(now_ms - r->running_ms) / 1000;

		out->work_s += wall * work_on(r, r->running_on);
		r->wall_s += wall;
		r->cpu_s += j ? (double)j->cpu_us_here / 1e6 : 0;
	}
	out->done_s = out->work_s;
	for (uint32_t i = 0; j && i < c->nnodes; i++) {
		const struct node *n = c->nodes[i];

		if (n->machine && (j->spec.isas & (1u << n->isa)) &&
		    (!like || (like->emulated && !n->emulated)))
			like = n;
	}
	if (like)
		total = core_seconds(c, j, like->machine) * work_on(r, like->name);
	if (!(total > 0))
		total = c->policy_opt.horizon_s;
	if (total > out->work_s)
		out->work_s = total;
}

static void keep_job(struct job_record *rec, void *arg)
{
	struct reading *r = arg;
	struct live *l = r->l;
	const struct job *j = &rec->job;
	const struct shadow_job *known = job_is_over(j) ? find_known(r, j->id) : NULL;
	struct shadow_job *out;
	uint64_t after = 0;

	if (l->njobs == l->jobs_cap) {
		size_t cap = l->jobs_cap ? l->jobs_cap * 2 : 256;
		struct shadow_job *v = realloc(l->jobs, cap * sizeof(*v));

		if (!v) {
			l->failed = true;
			return;
		}
		l->jobs = v;
		l->jobs_cap = cap;
	}
	out = &l->jobs[l->njobs++];
	if (known) {
		*out = *known;
		return;
	}
	for (uint32_t i = 0; i < j->spec.ndependencies; i++)
		if (j->spec.dependencies[i].job > after)
			after = j->spec.dependencies[i].job;
	*out = (struct shadow_job){
		.id = j->id,
		.submit_ms =
			j->spec.begin_ms > j->submitted_ms ? j->spec.begin_ms : j->submitted_ms,
		.end_ms = job_is_over(j) ? j->ended_ms : 0,
		.after = after,
		.memory_bytes = j->spec.memory_bytes,
		.busy = -1, /* its segments are not read yet */
		.cpus = j->spec.cpus,
		.limit_s = j->spec.time_limit_s < UINT32_MAX ? (uint32_t)j->spec.time_limit_s : 0,
		.user = number_of(j->spec.user, ""),
		.program = number_of(j->spec.bundle, j->spec.name),
		.failed = j->state == JOB_FAILED || j->state == JOB_NODE_FAIL};
	shadow_kernel(j->spec.name, &out->kernel, &out->class);
	/* An end without a time (it never was, or the clock stepped) is that of its submission. */
	if (job_is_over(j) && out->end_ms < j->submitted_ms)
		out->end_ms = j->submitted_ms + 1;
}

/* What its segments, and of one that isn't over the core, say of a job that was not known. */
static int complete(struct engine *en, struct reading *r, struct err *e)
{
	int rc;

	r->attempt = 0;
	r->wall_s = r->cpu_s = 0;
	r->running_ms = 0;
	rc = store_segments(en->store, r->job->id, add_segment, r, e);
	r->job->done_s = r->job->work_s;
	if (!rc && !r->job->end_ms) {
		rc = engine_lock(en, e);
		if (rc)
			return rc;
		look_at_live(r, en->cluster, engine_now_ms());
		engine_unlock(en);
	}
	r->job->busy = 1;
	/* Too short for a report of its CPU time: taken as busy. */
	if (r->wall_s > 0 && r->cpu_s > 0 && r->cpu_s < r->wall_s * r->job->cpus)
		r->job->busy = (float)(r->cpu_s / (r->wall_s * r->job->cpus));
	return rc;
}

static int complete_all(struct engine *en, struct reading *r, const atomic_bool *stop,
			struct err *e)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < r->l->njobs; i++) {
		r->job = &r->l->jobs[i];
		if (r->job->busy < 0)
			rc = complete(en, r, e);
		if (!rc && atomic_load(stop))
			rc = err_set(e, -ECANCELED, "the scheduler is stopping");
	}
	return rc;
}

int live_jobs(struct engine *en, struct live *l, const struct profile *reference,
	      const struct shadow_job *known, size_t nknown, uint64_t to_ms,
	      const atomic_bool *stop, struct err *e)
{
	struct reading r = {.l = l, .reference = reference, .known = known, .nknown = nknown};
	struct job_filter f = {.isa = -1, .until_ms = to_ms, .newest_first = true, .limit = PAGE};
	struct job_cursor next;
	int rc;

	do {
		rc = store_jobs(en->store, &f, keep_job, &r, &next, e);
		f.after = next;
		if (!rc && l->failed)
			rc = err_set(e, -ENOMEM, "no memory for the jobs");
		if (!rc && atomic_load(stop))
			rc = err_set(e, -ECANCELED, "the scheduler is stopping");
	} while (!rc && next.id && l->njobs < SHADOW_JOBS_MAX);
	if (rc)
		return rc;
	if (next.id && l->njobs)
		l->oldest_ms = l->jobs[l->njobs - 1].submit_ms;
	rc = complete_all(en, &r, stop, e);
	for (size_t i = 0; i < l->njobs; i++)
		l->unmeasured += l->jobs[i].estimated;
	return rc;
}
