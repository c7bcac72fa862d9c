/*
 * drover replay: a trace of jobs through the scheduler's own core, in virtual time, under one
 * policy after the other; or, with --live, the same arrivals to a scheduler that runs.
 */
#include "cli/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/table.h"
#include "common/file.h"

#define STUDY_FIRST 1
#define STUDY_LAST  10

enum {
	OPT_BASELINE = CLI_OPT_OWN,
	OPT_SEED,
	OPT_CSV,
	OPT_FORMAT,
	OPT_CLAMP,
	OPT_PROGRESS,
	OPT_STUDY,
	OPT_SETS,
	OPT_LIVE
};

static const char usage[] =
	"usage: drover replay TRACE [--cluster FILE] [--policy P,...] [OPTION...]\n"
	"       drover replay --study [--sets FIRST-LAST] [--policy P,...] [--json]\n"
	"       drover replay --live --speed X TRACE\n"
	"Replays a trace of jobs (Standard Workload Format, or of drover-waves; either may be\n"
	"compressed by gzip) in virtual time by the scheduler's own decisions, and compares "
	"policies.\n"
	"All energies are modelled from machine profiles.\n"
	"\n"
	"  -c, --cluster NAME   a cluster file, or one that comes with Drover [xeon-xgene]\n"
	"  -p, --policy P,...   policies, one after the other [all]\n"
	"      --baseline P[@CLUSTER]\n"
	"                       what savings are relative to [the first policy]\n"
	"  -o, --option K=V     an option of the policies (drover policy --list); may be repeated\n"
	"  -s, --speed X        arrivals come X times as fast [1]\n"
	"  -n, --jobs N         only the first N jobs\n"
	"      --seed N         jobs that arrive at one time come in an order drawn by N\n"
	"      --clamp          jobs wider than any node get the widest, and run longer\n"
	"      --format F       swf, waves or auto [auto]\n"
	"      --csv DIR        writes jobs, schedule, nodes and power of each policy to DIR\n"
	"      --progress       says how far it is, also when stderr is no terminal\n"
	"      --study          the heterogeneous-ISA study's experiment, on ten seeded sets\n"
	"      --sets FIRST-LAST\n"
	"                       the study's sets with these seeds, at most 1000 [1-10]\n"
	"      --live           submits the arrivals to the running scheduler instead; jobs that "
	"are\n"
	"                       no kernels run ep for as long, shortened as the arrivals "
	"are\n" CLI_USAGE;

static const struct option options[] = {{"cluster", required_argument, NULL, 'c'},
					{"policy", required_argument, NULL, 'p'},
					{"baseline", required_argument, NULL, OPT_BASELINE},
					{"option", required_argument, NULL, 'o'},
					{"speed", required_argument, NULL, 's'},
					{"jobs", required_argument, NULL, 'n'},
					{"seed", required_argument, NULL, OPT_SEED},
					{"clamp", no_argument, NULL, OPT_CLAMP},
					{"format", required_argument, NULL, OPT_FORMAT},
					{"csv", required_argument, NULL, OPT_CSV},
					{"progress", no_argument, NULL, OPT_PROGRESS},
					{"study", no_argument, NULL, OPT_STUDY},
					{"sets", required_argument, NULL, OPT_SETS},
					{"live", no_argument, NULL, OPT_LIVE},
					CLI_OPTIONS,
					{NULL, 0, NULL, 0}};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool replay_interrupted(void)
{
	return interrupted != 0;
}

/* ---- the command line --------------------------------------------------- */

static int take_number(const char *option, const char *text, uint64_t max, uint64_t *out,
		       struct err *e)
{
	char *end = NULL;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || *out > max)
		return err_set(e, -EINVAL, "%s takes a number from 0 to %" PRIu64 ", not '%s'",
			       option, max, text);
	return 0;
}

/* FIRST-LAST, or one number. */
static int take_sets(struct replay_choice *o, const char *text, struct err *e)
{
	char *end = NULL;

	errno = 0;
	o->first_set = o->last_set = *text == '-' ? 0 : strtoull(text, &end, 10);
	if (end && *end == '-' && end[1] != '-')
		o->last_set = strtoull(end + 1, &end, 10);
	if (errno || !end || *end || !o->first_set || o->last_set < o->first_set ||
	    o->last_set > INT64_MAX || o->last_set - o->first_set >= REPLAY_MAX_SETS)
		return err_set(e, -EINVAL,
			       "--sets takes FIRST-LAST, at most %d seeds from 1, not '%s'",
			       REPLAY_MAX_SETS, text);
	return 0;
}

static int take_option(struct replay_choice *o, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	char *end = NULL;

	for (const struct policy_option *d = policy_options_table; eq && d->name; d++) {
		double v;

		if (strncmp(text, d->name, (size_t)(eq - text)) != 0 || d->name[eq - text])
			continue;
		v = strtod(eq + 1, &end);
		if (end == eq + 1 || *end || !(v >= d->min && v <= d->max))
			return err_set(e, -EINVAL, "%s takes a number from %g to %g, not '%s'",
				       d->name, d->min, d->max, eq + 1);
		policy_option_set(d, &o->options, v);
		return 0;
	}
	err_set(e, -EINVAL, "'%s' is no OPTION=NUMBER of a policy", text);
	err_hint(e, "`drover policy --list` and docs/scheduler.md name the options");
	return -EINVAL;
}

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct replay_choice *o = arg;
	char *end = NULL;

	switch (opt) {
	case 'c':
		o->cluster = value;
		return 0;
	case 'p':
		o->policies = value;
		return 0;
	case 'o':
		return take_option(o, value, e);
	case 's':
		o->speed = strtod(value, &end);
		if (*end || !(o->speed >= 0.001 && o->speed <= 1e6))
			return err_set(e, -EINVAL, "--speed takes a number from 0.001 to 1000000");
		return 0;
	case 'n':
		return take_number("--jobs", value, TRACE_MAX_JOBS, &o->jobs, e);
	case OPT_SEED:
		return take_number("--seed", value, INT64_MAX, &o->seed, e);
	case OPT_BASELINE:
		o->baseline = value;
		return 0;
	case OPT_CSV:
		o->csv = value;
		return 0;
	case OPT_FORMAT:
		o->form = value;
		return 0;
	case OPT_CLAMP:
		o->clamp = true;
		return 0;
	case OPT_PROGRESS:
		o->progress = true;
		return 0;
	case OPT_STUDY:
		o->study = true;
		return 0;
	case OPT_SETS:
		return take_sets(o, value, e);
	case OPT_LIVE:
		o->live = true;
		return 0;
	default:
		return 0;
	}
}

int replay_policies(const char *names, const struct policy **p, size_t *n, struct err *e)
{
	const char *at = names;

	*n = 0;
	for (size_t i = 0; !names && policies[i] && *n < REPLAY_MAX_POLICIES; i++)
		p[(*n)++] = policies[i];
	while (at && *at) {
		size_t len = strcspn(at, ",");
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s", len > 63 ? 63 : (int)len, at);
		if (*n == REPLAY_MAX_POLICIES)
			return err_set(e, -E2BIG, "more than %d policies", REPLAY_MAX_POLICIES);
		p[*n] = policy_find(name);
		if (!p[*n]) {
			err_set(e, -EINVAL, "there is no policy '%s'", name);
			err_hint(e, "`drover policy --list` names them");
			return -EINVAL;
		}
		++*n;
		at += len + (at[len] == ',');
	}
	return *n ? 0 : err_set(e, -EINVAL, "no policy is named");
}

/* ---- one run ------------------------------------------------------------ */

struct progress {
	const char *policy;
	bool show;
};

static bool on_progress(void *arg, double part)
{
	const struct progress *p = arg;

	if (p->show)
		(void)fprintf(stderr, "\r%-20s %3.0f %%", p->policy, part * 100);
	return interrupted != 0;
}

int replay_one(const struct replay_choice *o, const struct trace *t, const struct machines *m,
	       const struct policy *p, struct replay **out, struct err *e)
{
	struct progress progress = {p->name, o->progress || (isatty(STDERR_FILENO) && !o->json)};
	struct replay_options opt = {.trace = t,
				     .machines = m,
				     .policy = p,
				     .policy_options = o->options,
				     .seed = o->seed,
				     .speedup = o->speed,
				     .clamp = o->clamp,
				     .progress = on_progress,
				     .arg = &progress};
	int rc = replay_run(&opt, out, e);

	if (progress.show)
		(void)fprintf(stderr, "\r%30s\r", "");
	return rc;
}

static int write_tables(const struct replay *r, const char *dir, struct err *e)
{
	int rc = file_mkdir_p(dir, 0777, e);

	for (int t = 0; !rc && t < REPLAY_TABLES; t++) {
		char path[PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s_%s.csv", dir, r->opt->policy->name,
			     replay_table_names[t]) >= (int)sizeof(path))
			return err_set(e, -ENAMETOOLONG, "%.80s...: the name is too long", dir);
		rc = replay_csv(r, (enum replay_table)t, path, e);
	}
	return rc;
}

/* ---- the comparison ----------------------------------------------------- */

struct comparison {
	const struct replay_choice *choice;
	struct trace trace;
	struct machines machines, other; /* other: the baseline's, if it has its own */
	double base_j, base_edp;         /* of the baseline; 0: none yet */
	json_t *results;
	bool partial;
};

static void joules(char *out, size_t size, double j)
{
	static const char *const unit[] = {"J", "kJ", "MJ", "GJ", "TJ"};
	size_t i = 0;

	while (j >= 10000 && i + 1 < ARRAY_SIZE(unit)) {
		j /= 1000;
		i++;
	}
	(void)snprintf(out, size, "%.1f %s", j, unit[i]);
}

static void print_header(const struct comparison *c)
{
	(void)printf("%zu jobs on %s: %" PRIu32 " nodes; energies are modelled\n\n", c->trace.njobs,
		     c->machines.name[0] ? c->machines.name : "the cluster", c->machines.nnodes);
	(void)printf("%-20s %11s %11s %11s %8s %11s %10s %10s %6s %6s %8s %10s\n", "POLICY",
		     "ENERGY", "IDLE", "SCALED", "SAVED", "MAKESPAN_S", "WAIT_S", "WAIT95_S",
		     "MOVES", "SLEEPS", "DONE", "EDP_SAVED");
}

static void print_row(struct comparison *c, const struct replay *r, const char *cluster)
{
	const struct replay_sum *s = &r->sum;
	char all[32], idle[32], scaled[32], name[64];

	joules(all, sizeof(all), s->energy_j);
	joules(idle, sizeof(idle), s->idle_j);
	joules(scaled, sizeof(scaled), s->scaled_j);
	(void)snprintf(name, sizeof(name), "%s%s%s", r->opt->policy->name, cluster ? "@" : "",
		       cluster ? cluster : "");
	(void)printf("%-20s %11s %11s %11s %7.1f%% %11.0f %10.1f %10.1f %6" PRIu64 " %6" PRIu64
		     " %8" PRIu64 " %9.1f%%%s\n",
		     name, all, idle, scaled,
		     c->base_j > 0 ? 100 * (1 - s->energy_j / c->base_j) : 0, s->makespan_s,
		     s->mean_wait_s, s->p95_wait_s, s->migrations, s->sleeps, s->done,
		     c->base_edp > 0 ? 100 * (1 - s->edp_js / c->base_edp) : 0,
		     r->cancelled ? "  (interrupted)" : "");
	if (s->refused)
		(void)printf("%-20s %" PRIu64 " jobs fit no node and were left out%s\n", "",
			     s->refused,
			     c->choice->clamp ? "" : " (--clamp cuts them to the widest)");
	(void)fflush(stdout);
}

/* Runs it, prints or keeps what came out. cluster: of the baseline, or NULL. */
static int run_policy(struct comparison *c, const struct policy *p, const struct machines *m,
		      const char *cluster, struct err *e)
{
	struct replay *r = NULL;
	int rc = replay_one(c->choice, &c->trace, m, p, &r, e);

	if (rc)
		return rc;
	if (c->base_j <= 0) {
		c->base_j = r->sum.energy_j;
		c->base_edp = r->sum.edp_js;
	}
	c->partial = r->cancelled;
	if (c->choice->json) {
		json_t *doc = replay_json(r);

		if (cluster && doc)
			(void)json_object_set_new(doc, "baseline_cluster", json_string(cluster));
		(void)json_array_append_new(c->results, doc);
	} else {
		print_row(c, r, cluster);
	}
	if (c->choice->csv)
		rc = write_tables(r, c->choice->csv, e);
	replay_free(r);
	return rc;
}

static int run_baseline(struct comparison *c, struct err *e)
{
	const char *text = c->choice->baseline, *at = strchr(text, '@');
	char name[64];
	const struct policy *p;
	int rc;

	(void)snprintf(name, sizeof(name), "%.*s", (int)(at ? at - text : 63), text);
	p = policy_find(name);
	if (!p)
		return err_set(e, -EINVAL, "--baseline: there is no policy '%s'", name);
	if (!at)
		return run_policy(c, p, &c->machines, NULL, e);
	rc = machines_load(at + 1, &c->other, e);
	return rc ? rc : run_policy(c, p, &c->other, at + 1, e);
}

static int compare(struct comparison *c, const struct policy *const *p, size_t n, struct err *e)
{
	int rc = 0;

	c->results = json_array();
	if (!c->results)
		return err_set(e, -ENOMEM, "out of memory");
	if (!c->choice->json)
		print_header(c);
	if (c->choice->baseline)
		rc = run_baseline(c, e);
	for (size_t i = 0; !rc && !c->partial && i < n; i++)
		rc = run_policy(c, p[i], &c->machines, NULL, e);
	if (!rc && c->choice->json) {
		_cleanup_json_ json_t *doc =
			json_pack("{s:O, s:b, s:s}", "results", c->results, "interrupted",
				  c->partial, "kind", "modelled");

		cli_print_json(doc);
	}
	return rc;
}

int replay_load(const struct replay_choice *o, const char *path, struct trace *t, struct err *e)
{
	int form = TRACE_AUTO, rc;

	while (o->form && trace_form_names[form] && strcmp(trace_form_names[form], o->form) != 0)
		form++;
	if (!trace_form_names[form])
		return err_set(e, -EINVAL, "--format takes swf, waves or auto, not '%s'", o->form);
	rc = trace_load(path, (enum trace_form)form, t, e);
	if (rc)
		return err_wrap(e, "%s", path);
	if (o->jobs)
		trace_cut(t, o->jobs);
	return rc;
}

static int replay_file(const struct replay_choice *o, const char *path, struct err *e)
{
	struct comparison c = {.choice = o};
	const struct policy *p[REPLAY_MAX_POLICIES];
	size_t n = 0;
	int rc = replay_policies(o->policies, p, &n, e);

	if (!rc)
		rc = machines_load(o->cluster ? o->cluster : "xeon-xgene", &c.machines, e);
	if (!rc)
		rc = replay_load(o, path, &c.trace, e);
	if (!rc)
		rc = compare(&c, p, n, e);
	trace_free(&c.trace);
	machines_release(&c.machines);
	machines_release(&c.other);
	json_decref(c.results);
	return rc ? cli_fail(e) : c.partial ? 130 : 0;
}

static int cmd_replay(int argc, char **argv)
{
	struct cli cli = {.command = &command_replay};
	struct replay_choice o = {.speed = 1,
				  .options = policy_options_default,
				  .first_set = STUDY_FIRST,
				  .last_set = STUDY_LAST};
	struct sigaction act = {.sa_handler = on_signal};
	struct err e = ERR_INIT;
	int rc = cli_parse(&cli, argc, argv, take, &o, 0, 1);

	if (rc)
		return rc;
	if (o.study == (cli.nargs == 1))
		return cli_usage(&cli,
				 o.study ? "--study makes its own traces" : "a TRACE is missing");
	if (!o.study && (o.first_set != STUDY_FIRST || o.last_set != STUDY_LAST))
		return cli_usage(&cli, "--sets is for --study");
	o.json = cli.json;
	if (o.live)
		return replay_live(&o, &cli, &e);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	return o.study ? replay_study(&o, &e) : replay_file(&o, cli.args[0], &e);
}

const struct command command_replay = {
	"replay",   "TRACE", "compares policies on a trace of jobs, in virtual time",
	cmd_replay, options, usage};
