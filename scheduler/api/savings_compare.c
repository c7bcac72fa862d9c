/* One comparison of the live cluster with its shadow, and how it is told; see savings.h. */
#include "scheduler/api/savings.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/json.h"
#include "scheduler/api/energy.h"
#include "scheduler/ledger/ledger.h"

/* The difference is told while the energy of at most this part of the nodes' time is not known. */
#define GAP_SHARE_MAX 0.01

struct comparison {
	struct engine *en;
	struct savings_memory *memory;
	const atomic_bool *stop;
	struct live live;
	struct baseline baseline;
	struct machines machines;
	struct ledger ledger;
	struct shadow_energy energy;
	struct shadow_side here, shadow;
	struct trace trace;
	struct replay *replay;
	uint64_t from_ms, to_ms;
	size_t njobs; /* chosen */
	unsigned int process_nm;
};

static void comparison_free(struct comparison *c)
{
	live_free(&c->live);
	baseline_free(&c->baseline);
	machines_release(&c->machines);
	ledger_free(&c->ledger);
	trace_free(&c->trace);
	replay_free(c->replay);
}

static void add_energy(const struct energy_interval *i, void *arg)
{
	struct comparison *c = arg;
	const struct live_kind *k = live_kind_of(&c->live, i->node);

	if (!i->counted)
		return;
	ledger_add(&c->ledger, i);
	shadow_energy_add(&c->energy, i,
			  machines_process_factor(k ? k->profile.process_nm : 0, c->process_nm));
}

/* The finest process of either side. */
static unsigned int finest(const struct comparison *c)
{
	unsigned int nm = c->machines.process_nm;

	for (size_t i = 0; i < c->live.nkinds; i++) {
		unsigned int other = c->live.kinds[i].profile.process_nm;

		if (other && (!nm || other < nm))
			nm = other;
	}
	return nm;
}

static int prepare(struct comparison *c, struct err *e)
{
	uint64_t now = engine_now_ms();
	int r = engine_lock(c->en, e);

	if (r)
		return r;
	/* Readings that are on their way are no gap: both sides end before them. */
	if (c->to_ms >= now)
		c->to_ms = energy_known_until(c->en->latest, now);
	r = baseline_get(c->en, &c->baseline, e);
	if (!r)
		r = live_nodes(c->en, &c->live, e);
	engine_unlock(c->en);
	if (!r)
		r = baseline_machines(&c->baseline, 0, &c->machines, e);
	if (r)
		return err_wrap(e, "the baseline can't be compared with");
	c->process_nm = finest(c);
	if (c->process_nm == c->machines.process_nm)
		return 0;
	machines_release(&c->machines);
	return baseline_machines(&c->baseline, c->process_nm, &c->machines, e);
}

static int by_id(const void *pa, const void *pb)
{
	const struct shadow_job *a = pa, *b = pb;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* What won't change any more needn't be read again. */
static void remember(struct savings_memory *m, const struct live *l)
{
	struct shadow_job *v = malloc((l->njobs + 1) * sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < l->njobs; i++)
		if (l->jobs[i].end_ms)
			v[n++] = l->jobs[i];
	if (n)
		qsort(v, n, sizeof(*v), by_id);
	free(m->known);
	m->known = v;
	m->nknown = v ? n : 0;
}

static int read_jobs(struct comparison *c, struct err *e)
{
	const struct profile *reference = &c->machines.reference;
	struct savings_memory *m = c->memory;
	uint64_t first = UINT64_MAX;
	int r;

	if (strcmp(m->reference, reference->name) != 0) {
		m->nknown = 0;
		(void)snprintf(m->reference, sizeof(m->reference), "%s", reference->name);
	}
	r = live_jobs(c->en, &c->live, reference, m->known, m->nknown, c->to_ms, c->stop, e);
	if (r)
		return r;
	remember(m, &c->live);
	for (size_t i = 0; i < c->live.njobs; i++)
		if (c->live.jobs[i].submit_ms < first)
			first = c->live.jobs[i].submit_ms;
	if (c->from_ms == UINT64_MAX)
		c->from_ms = first < c->to_ms ? first : c->to_ms;
	if (c->from_ms < c->live.oldest_ms)
		c->from_ms = c->live.oldest_ms;
	if (c->from_ms > c->to_ms)
		c->from_ms = c->to_ms;
	c->njobs = shadow_choose(c->live.jobs, c->live.njobs, c->from_ms, c->to_ms);
	c->live.unmeasured = 0;
	for (size_t i = 0; i < c->njobs; i++)
		c->live.unmeasured += c->live.jobs[i].estimated;
	return 0;
}

static bool stopping(void *arg, double part)
{
	const struct comparison *c = arg;

	(void)part;
	return atomic_load(c->stop);
}

static int run_shadow(struct comparison *c, struct err *e)
{
	struct replay_options o = {.trace = &c->trace,
				   .machines = &c->machines,
				   .policy = c->baseline.policy,
				   .policy_options = policy_options_default,
				   .clamp = true,
				   .stop_ms = c->to_ms - c->from_ms,
				   .progress = stopping,
				   .arg = c};
	int r = shadow_trace(c->live.jobs, c->njobs, c->from_ms, &c->trace, e);

	if (!r)
		r = replay_run(&o, &c->replay, e);
	if (!r && c->replay->cancelled)
		r = err_set(e, -ECANCELED, "the scheduler is stopping");
	if (!r)
		r = shadow_replay_side(c->live.jobs, c->replay, c->from_ms, c->to_ms, &c->shadow,
				       e);
	return r;
}

static int compare(struct comparison *c, struct err *e)
{
	int r = prepare(c, e);

	if (!r)
		r = read_jobs(c, e);
	if (r || c->from_ms == c->to_ms)
		return r;
	c->ledger.from_ms = c->from_ms;
	c->ledger.to_ms = c->to_ms;
	shadow_energy_init(&c->energy, c->from_ms, c->to_ms);
	r = store_energy(c->en->store, c->from_ms, c->to_ms, add_energy, c, e);
	if (!r && c->ledger.failed)
		r = err_set(e, -ENOMEM, "no memory for the sums");
	if (!r)
		r = shadow_live_side(c->live.jobs, c->njobs, c->from_ms, c->to_ms, &c->here, e);
	if (r)
		return r;
	c->here.energy_j = c->energy.total_j;
	c->here.edp_js = c->here.energy_j * c->here.makespan_s;
	return run_shadow(c, e);
}

/* ---- the answer --------------------------------------------------------- */

static json_t *render_side(const struct shadow_side *s, double energy_j, const char *source,
			   const char *scope, const char *kind)
{
	return json_pack("{s:f, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I}", "energy_j", energy_j,
			 "source", source, "scope", scope, "kind", kind, "makespan_s",
			 s->makespan_s, "mean_wait_s", s->mean_wait_s, "p95_wait_s", s->p95_wait_s,
			 "edp_js", energy_j * s->makespan_s, "jobs", (json_int_t)s->jobs,
			 "unfinished", (json_int_t)s->unfinished);
}

static json_t *percent(double saved, double of)
{
	return of > 0 ? json_real(100 * saved / of) : json_null();
}

static json_t *render_saved(const struct comparison *c, double here_j, double shadow_j)
{
	double edp = shadow_j * c->shadow.makespan_s - here_j * c->here.makespan_s;

	return json_pack("{s:f, s:o, s:f, s:o}", "energy_j", shadow_j - here_j, "percent",
			 percent(shadow_j - here_j, shadow_j), "edp_js", edp, "edp_percent",
			 percent(edp, shadow_j * c->shadow.makespan_s));
}

static json_t *render_series(const struct comparison *c, const double *joules, double factor)
{
	double length = (double)(c->to_ms - c->from_ms) / c->energy.npoints, here = 0;
	json_t *out = json_array();

	if (!c->replay)
		return out;
	for (uint32_t k = 0; out && k <= c->energy.npoints; k++) {
		uint64_t ms = k == c->energy.npoints ? c->to_ms - c->from_ms
						     : (uint64_t)((double)k * length);

		(void)json_array_append_new(
			out, json_pack("[I, f, f]", (json_int_t)(c->from_ms + ms), here,
				       shadow_energy_until(c->replay, ms) * factor));
		if (k < c->energy.npoints)
			here += joules[k];
	}
	return out;
}

/* Time of nodes for which nothing was read: within, before and after their readings. */
static uint64_t unknown_ms(const struct comparison *c)
{
	uint64_t ms = c->ledger.total.gap_ms, whole = c->to_ms - c->from_ms;

	for (size_t i = 0; i < c->ledger.nnodes; i++) {
		const struct ledger_sum *n = &c->ledger.nodes[i];

		ms += n->from_ms > c->from_ms ? n->from_ms - c->from_ms : 0;
		ms += n->to_ms < c->to_ms ? c->to_ms - n->to_ms : 0;
	}
	if (c->live.nnodes > c->ledger.nnodes)
		ms += whole * (c->live.nnodes - c->ledger.nnodes);
	return ms;
}

/* Part of the nodes' time for which their energy is not known. */
static double unknown_share(const struct comparison *c)
{
	size_t nodes = c->live.nnodes > c->ledger.nnodes ? c->live.nnodes : c->ledger.nnodes;
	double all = (double)(c->to_ms - c->from_ms) * (double)nodes;

	return all > 0 ? (double)unknown_ms(c) / all : 0;
}

/* The difference, or null where too little is known of the live side to tell it. */
static json_t *render_difference(const struct comparison *c, double here_j, double shadow_j)
{
	return unknown_share(c) > GAP_SHARE_MAX ? json_null() : render_saved(c, here_j, shadow_j);
}

/* The factor of all of the baseline's machines; negative: they differ. */
static double one_factor(const struct machines *m)
{
	for (uint32_t i = 1; i < m->ngroups; i++)
		if (fabs(m->groups[i].scaled - m->groups[0].scaled) > 1e-12)
			return -1;
	return m->groups[0].scaled;
}

static json_t *render_scaled(const struct comparison *c, const char *source, const char *scope)
{
	double shadow_j = c->replay ? c->replay->sum.scaled_j : 0;
	double factor = one_factor(&c->machines);
	char note[400];

	(void)snprintf(note, sizeof(note),
		       "A projection: each machine's power times (%u nm / its process)^2, what "
		       "constant-field scaling says of the same design in %u nm; a lower bound%s",
		       c->process_nm, c->process_nm,
		       c->live.assumed ? ". Nodes without a known profile count as their ISA's"
				       : "");
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "process_nm", (int)c->process_nm, "note",
			 note, "live",
			 render_side(&c->here, c->energy.scaled_j, source, scope, "modelled"),
			 "shadow", render_side(&c->shadow, shadow_j, "model", "node", "modelled"),
			 "saved", render_difference(c, c->energy.scaled_j, shadow_j), "series",
			 /* Of unlike machines only the total is known by machine. */
			 factor < 0 ? json_array() : render_series(c, c->energy.scaled, factor));
}

static const char *or_none(const char *label)
{
	return label[0] ? label : "none";
}

static json_t *render_withheld(const struct comparison *c)
{
	double share = unknown_share(c);

	if (share <= GAP_SHARE_MAX)
		return json_null();
	return json_sprintf("the energy of %.1f %% of the nodes' time is not known, so the cluster "
			    "used more than its figure; at most %.0f %% may be missing",
			    100 * share, 100 * GAP_SHARE_MAX);
}

static json_t *render(const struct comparison *c)
{
	const struct ledger_sum *t = &c->ledger.total;
	const char *source = or_none(t->source), *scope = or_none(t->scope);
	const struct replay_sum *r = c->replay ? &c->replay->sum : NULL;

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, "
			 "s:f, s:b}",
			 "from_ms", (json_int_t)c->from_ms, "to_ms", (json_int_t)c->to_ms,
			 "baseline", baseline_json(&c->baseline), "live",
			 render_side(&c->here, c->here.energy_j, source, scope, or_none(t->kind)),
			 "shadow",
			 render_side(&c->shadow, c->shadow.energy_j, "model", "node", "modelled"),
			 "saved", render_difference(c, c->here.energy_j, c->shadow.energy_j),
			 "withheld", render_withheld(c), "scaled",
			 c->process_nm ? render_scaled(c, source, scope) : json_null(), "series",
			 render_series(c, c->energy.joules, 1), "jobs", (json_int_t)c->njobs,
			 "estimated_jobs", (json_int_t)c->live.unmeasured, "refused_jobs",
			 (json_int_t)(r ? r->refused : 0), "narrowed_jobs",
			 (json_int_t)(r ? r->clamped : 0), "gap_ms", (json_int_t)unknown_ms(c),
			 "gap_share", unknown_share(c), "cut", c->live.oldest_ms != 0);
}

int savings_compare(struct engine *en, struct savings_memory *memory, const atomic_bool *stop,
		    uint64_t from_ms, uint64_t to_ms, json_t **out, struct err *e)
{
	struct comparison *c = calloc(1, sizeof(*c));
	int r;

	*out = NULL;
	if (!c)
		return err_set(e, -ENOMEM, "no memory for the comparison");
	c->en = en;
	c->memory = memory;
	c->stop = stop;
	c->from_ms = from_ms;
	c->to_ms = to_ms;
	r = compare(c, e);
	if (!r) {
		*out = render(c);
		if (!*out)
			r = err_set(e, -ENOMEM, "no memory for the comparison");
	}
	comparison_free(c);
	free(c);
	return r;
}
