/*
 * The experiment of the heterogeneous-ISA study (Barbalace et al., ASPLOS 2017): seeded sets of
 * jobs, in waves and sustained, on two Xeons and on a Xeon beside an X-Gene, under every policy.
 * The baseline is static-x86 on the two Xeons, as there: what one buys without another ISA.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/client.h"
#include "cli/replay.h"
#include "common/compiler.h"
#include "common/json.h"
#include "scheduler/replay/request.h"

#define LOADS    2
#define CLUSTERS 2

static const char *const cluster_names[CLUSTERS] = {"two-xeon", "xeon-xgene"};
static const char *const load_names[] = {"periodic", "sustained"};

/* Mean and largest of the sets. */
struct share {
	double mean, best;
};

/* One policy on one cluster over all sets of one load. */
struct cell {
	struct share saved, scaled_saved, edp_saved, slower;
	double energy_j, scaled_j, makespan_s, edp_js; /* means */
	uint64_t migrations, sleeps;
	uint64_t unfinished;
};

struct study {
	const struct replay_choice *choice;
	struct machines machines[CLUSTERS];
	const struct policy *policies[REPLAY_MAX_POLICIES];
	size_t n;
	uint64_t nsets;
	struct cell cells[LOADS][CLUSTERS][REPLAY_MAX_POLICIES];
	json_t *sets;
};

static void add_share(struct share *x, double v, bool first, uint64_t n)
{
	x->mean += v / (double)n;
	x->best = first ? v : fmax(x->best, v);
}

static void take(struct study *s, int load, bool first, int cluster, size_t policy,
		 const struct replay_sum *sum, const struct replay_sum *base)
{
	struct cell *c = &s->cells[load][cluster][policy];
	double n = (double)s->nsets;

	add_share(&c->saved, 1 - sum->energy_j / base->energy_j, first, s->nsets);
	add_share(&c->scaled_saved, 1 - sum->scaled_j / base->scaled_j, first, s->nsets);
	add_share(&c->edp_saved, 1 - sum->edp_js / base->edp_js, first, s->nsets);
	add_share(&c->slower, sum->makespan_s / base->makespan_s - 1, first, s->nsets);
	c->energy_j += sum->energy_j / n;
	c->scaled_j += sum->scaled_j / n;
	c->makespan_s += sum->makespan_s / n;
	c->edp_js += sum->edp_js / n;
	c->migrations += sum->migrations;
	c->sleeps += sum->sleeps;
	c->unfinished += sum->jobs - sum->completed;
}

static int one(struct study *s, const struct trace *t, int load, uint64_t set, int cluster,
	       size_t policy, struct replay_sum *base, struct err *e)
{
	struct replay_choice quiet = *s->choice;
	const struct policy *p = policy < s->n ? s->policies[policy] : policy_find("static-x86");
	struct replay *r = NULL;
	json_t *doc;
	int rc;

	quiet.json = !s->choice->progress;
	rc = replay_one(&quiet, t, &s->machines[cluster], p, &r, e);
	if (rc)
		return rc;
	if (replay_interrupted()) {
		replay_free(r);
		return err_set(e, -EINTR, "interrupted at set %" PRIu64 " of %s load", set,
			       load_names[load]);
	}
	if (policy >= s->n) {
		*base = r->sum;
	} else {
		take(s, load, set == s->choice->first_set, cluster, policy, &r->sum, base);
		doc = replay_json(r);
		if (doc) {
			(void)json_object_set_new(doc, "load", json_string(load_names[load]));
			(void)json_object_set_new(doc, "set", json_integer((json_int_t)set));
			(void)json_object_set_new(doc, "cluster",
						  json_string(cluster_names[cluster]));
			(void)json_array_append_new(s->sets, doc);
		}
	}
	replay_free(r);
	return 0;
}

static int run_sets(struct study *s, struct err *e)
{
	for (int load = 0; load < LOADS; load++)
		for (uint64_t k = 0; k < s->nsets; k++) {
			uint64_t set = s->choice->first_set + k;
			struct replay_sum base = {0};
			struct trace t = {0};
			int rc = request_make_trace(request_made_traces[load], set, &t, e);

			if (!rc)
				rc = one(s, &t, load, set, 0, s->n, &base, e);
			for (int c = 0; !rc && c < CLUSTERS; c++)
				for (size_t p = 0; !rc && p < s->n; p++)
					rc = one(s, &t, load, set, c, p, &base, e);
			trace_free(&t);
			if (rc)
				return rc;
		}
	return 0;
}

static void print_cell(const char *policy, const struct cell *c)
{
	(void)printf("%-18s %9.1f %9.1f %10.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %6" PRIu64
		     " %6" PRIu64 "%s\n",
		     policy, c->energy_j / 1000, c->scaled_j / 1000, c->makespan_s,
		     100 * c->saved.mean, 100 * c->saved.best, 100 * c->scaled_saved.mean,
		     100 * c->scaled_saved.best, 100 * c->edp_saved.mean, 100 * c->edp_saved.best,
		     100 * c->slower.mean, c->migrations, c->sleeps,
		     c->unfinished ? "  (not all jobs completed)" : "");
}

static void print_study(const struct study *s)
{
	(void)printf("Means over %" PRIu64
		     " sets; savings in %% relative to static-x86 on two-xeon over "
		     "the same "
		     "sets.\nEnergies modelled from the machines' profiles; SCALED: every "
		     "machine's power as "
		     "if made\nin %u nm, see docs/replay.md.\n",
		     s->nsets, s->machines[1].process_nm);
	for (int load = 0; load < LOADS; load++)
		for (int c = 0; c < CLUSTERS; c++) {
			(void)printf("\n%s load, %s\n", load_names[load], cluster_names[c]);
			(void)printf("%-18s %9s %9s %10s %7s %7s %7s %7s %7s %7s %7s %6s %6s\n",
				     "POLICY", "KJ", "SCALED_KJ", "MAKESPAN_S", "SAVED", "BEST",
				     "SCALED", "BEST", "EDP", "BEST", "SLOWER", "MOVES", "SLEEPS");
			for (size_t p = 0; p < s->n; p++)
				print_cell(s->policies[p]->name, &s->cells[load][c][p]);
		}
	(void)printf("\n%-18s %9s %9s %10s\n", "ALL FOUR", "KJ", "SCALED_KJ", "MAKESPAN_S");
	for (size_t p = 0; p < s->n; p++) {
		struct cell all = {0};

		for (int k = 0; k < LOADS * CLUSTERS; k++) {
			const struct cell *c = &s->cells[k / CLUSTERS][k % CLUSTERS][p];

			all.energy_j += c->energy_j / (LOADS * CLUSTERS);
			all.scaled_j += c->scaled_j / (LOADS * CLUSTERS);
			all.makespan_s += c->makespan_s / (LOADS * CLUSTERS);
		}
		(void)printf("%-18s %9.1f %9.1f %10.1f\n", s->policies[p]->name,
			     all.energy_j / 1000, all.scaled_j / 1000, all.makespan_s);
	}
}

static json_t *summary(const struct study *s)
{
	json_t *rows = json_array();

	for (int load = 0; load < LOADS; load++)
		for (int c = 0; c < CLUSTERS; c++)
			for (size_t p = 0; rows && p < s->n; p++) {
				const struct cell *x = &s->cells[load][c][p];

				(void)json_array_append_new(
					rows,
					json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, "
						  "s:f, s:f, s:f, "
						  "s:f, s:f, s:I, s:I}",
						  "load", load_names[load], "cluster",
						  cluster_names[c], "policy", s->policies[p]->name,
						  "energy_j", x->energy_j, "scaled_j", x->scaled_j,
						  "makespan_s", x->makespan_s, "edp_js", x->edp_js,
						  "saved_mean", x->saved.mean, "saved_best",
						  x->saved.best, "scaled_saved_mean",
						  x->scaled_saved.mean, "scaled_saved_best",
						  x->scaled_saved.best, "edp_saved_mean",
						  x->edp_saved.mean, "edp_saved_best",
						  x->edp_saved.best, "slower_mean", x->slower.mean,
						  "migrations", (json_int_t)x->migrations, "sleeps",
						  (json_int_t)x->sleeps));
			}
	return rows;
}

int replay_study(const struct replay_choice *o, struct err *e)
{
	struct study *s = calloc(1, sizeof(*s));
	int rc = s ? replay_policies(o->policies, s->policies, &s->n, e)
		   : err_set(e, -ENOMEM, "out of memory");

	if (!rc) {
		s->choice = o;
		s->nsets = o->last_set - o->first_set + 1;
		s->sets = json_array();
	}
	for (int c = 0; !rc && c < CLUSTERS; c++)
		rc = machines_load(cluster_names[c], &s->machines[c], e);
	/* One process for both clusters, or their scaled columns could not be compared. */
	if (!rc && s->machines[0].process_nm != s->machines[1].process_nm)
		rc = err_set(e, -EINVAL,
			     "the two clusters' scaled columns are of different processes");
	if (!rc)
		rc = run_sets(s, e);
	if (!rc && o->json) {
		_cleanup_json_ json_t *doc = json_pack("{s:o, s:O, s:s}", "summary", summary(s),
						       "sets", s->sets, "kind", "modelled");

		cli_print_json(doc);
	} else if (!rc) {
		print_study(s);
	}
	for (int c = 0; s && c < CLUSTERS; c++)
		machines_release(&s->machines[c]);
	if (s)
		json_decref(s->sets);
	free(s);
	return rc ? cli_fail(e) : 0;
}
