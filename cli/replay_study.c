/*
 * The experiment of the heterogeneous-ISA study (Barbalace et al., ASPLOS 2017): ten seeded sets of
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

#define SETS     10
#define CLUSTERS 2

static const char *const cluster_names[CLUSTERS] = {"two-xeon", "xeon-xgene"};
static const char *const load_names[] = {"periodic", "sustained"};

/* One policy on one cluster over all sets of one load. */
struct cell {
	double saved[SETS], scaled_saved[SETS], edp_saved[SETS], slower[SETS];
	double energy_j, scaled_j, makespan_s, edp_js; /* means */
	uint64_t migrations, sleeps;
	uint64_t unfinished;
};

struct study {
	const struct replay_choice *choice;
	struct machines machines[CLUSTERS];
	const struct policy *policies[REPLAY_MAX_POLICIES];
	size_t n;
	struct cell cells[2][CLUSTERS][REPLAY_MAX_POLICIES];
	json_t *sets;
};

static void take(struct study *s, int load, int set, int cluster, size_t policy,
		 const struct replay_sum *sum, const struct replay_sum *base)
{
	struct cell *c = &s->cells[load][cluster][policy];

	c->saved[set] = 1 - sum->energy_j / base->energy_j;
	c->scaled_saved[set] = 1 - sum->scaled_j / base->scaled_j;
	c->edp_saved[set] = 1 - sum->edp_js / base->edp_js;
	c->slower[set] = sum->makespan_s / base->makespan_s - 1;
	c->energy_j += sum->energy_j / SETS;
	c->scaled_j += sum->scaled_j / SETS;
	c->makespan_s += sum->makespan_s / SETS;
	c->edp_js += sum->edp_js / SETS;
	c->migrations += sum->migrations;
	c->sleeps += sum->sleeps;
	c->unfinished += sum->jobs - sum->completed;
}

static int one(struct study *s, const struct trace *t, int load, int set, int cluster,
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
		return err_set(e, -EINTR, "interrupted at set %d of %s load", set + 1,
			       load_names[load]);
	}
	if (policy >= s->n) {
		*base = r->sum;
	} else {
		take(s, load, set, cluster, policy, &r->sum, base);
		doc = replay_json(r);
		if (doc) {
			(void)json_object_set_new(doc, "load", json_string(load_names[load]));
			(void)json_object_set_new(doc, "set", json_integer(set + 1));
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
	for (int load = 0; load < 2; load++)
		for (int set = 0; set < SETS; set++) {
			struct replay_sum base = {0};
			struct trace t = {0};
			int rc = request_make_trace(request_made_traces[load], (uint64_t)set + 1,
						    &t, e);

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

static double mean(const double *v)
{
	double sum = 0;

	for (int i = 0; i < SETS; i++)
		sum += v[i];
	return sum / SETS;
}

static double best(const double *v)
{
	double most = v[0];

	for (int i = 1; i < SETS; i++)
		most = fmax(most, v[i]);
	return most;
}

static void print_cell(const char *policy, const struct cell *c)
{
	(void)printf("%-18s %9.1f %9.1f %10.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %7.1f %6" PRIu64
		     " %6" PRIu64 "%s\n",
		     policy, c->energy_j / 1000, c->scaled_j / 1000, c->makespan_s,
		     100 * mean(c->saved), 100 * best(c->saved), 100 * mean(c->scaled_saved),
		     100 * best(c->scaled_saved), 100 * mean(c->edp_saved),
		     100 * best(c->edp_saved), 100 * mean(c->slower), c->migrations, c->sleeps,
		     c->unfinished ? "  (not all jobs completed)" : "");
}

static void print_study(const struct study *s)
{
	(void)printf("Means over %d sets; savings in %% relative to static-x86 on two-xeon over "
		     "the same "
		     "sets.\nEnergies modelled from the machines' profiles; SCALED: every "
		     "machine's power as "
		     "if made\nin %u nm, see docs/replay.md.\n",
		     SETS, s->machines[1].process_nm);
	for (int load = 0; load < 2; load++)
		for (int c = 0; c < CLUSTERS; c++) {
			(void)printf("\n%s load, %s\n", load_names[load], cluster_names[c]);
			(void)printf("%-18s %9s %9s %10s %7s %7s %7s %7s %7s %7s %7s %6s %6s\n",
				     "POLICY", "KJ", "SCALED_KJ", "MAKESPAN_S", "SAVED", "BEST",
				     "SCALED", "BEST", "EDP", "BEST", "SLOWER", "MOVES", "SLEEPS");
			for (size_t p = 0; p < s->n; p++)
				print_cell(s->policies[p]->name, &s->cells[load][c][p]);
		}
}

static json_t *summary(const struct study *s)
{
	json_t *rows = json_array();

	for (int load = 0; load < 2; load++)
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
						  "saved_mean", mean(x->saved), "saved_best",
						  best(x->saved), "scaled_saved_mean",
						  mean(x->scaled_saved), "scaled_saved_best",
						  best(x->scaled_saved), "edp_saved_mean",
						  mean(x->edp_saved), "edp_saved_best",
						  best(x->edp_saved), "slower_mean",
						  mean(x->slower), "migrations",
						  (json_int_t)x->migrations, "sleeps",
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
