/* Reading what a replay is asked for; see request.h. */
#include "scheduler/replay/request.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/json.h"
#include "workloads/waves/waves.h"

const char *const request_made_traces[] = {"study-periodic", "study-sustained", NULL};

int request_make_trace(const char *name, uint64_t seed, struct trace *t, struct err *e)
{
	struct wave_params p = {.load = strcmp(name, request_made_traces[0]) ? WAVE_SUSTAINED
									     : WAVE_PERIODIC,
				.waves = 5,
				.jobs_per_wave = 14,
				.spacing_min_ms = 60000,
				.spacing_max_ms = 240000,
				.set = 40,
				.in_flight = 14,
				.cpus = 1,
				.seed = seed};
	struct wave_trace w;
	int rc = wave_mix_parse(WAVES_MIX_STUDY, &p, e);

	if (rc || (rc = wave_generate(&p, &w, e)))
		return rc;
	rc = trace_of_waves(&w, t, e);
	wave_trace_free(&w);
	return rc;
}

static bool is_made(const char *name)
{
	for (int i = 0; request_made_traces[i]; i++)
		if (!strcmp(name, request_made_traces[i]))
			return true;
	return false;
}

static int parse_trace(const json_t *doc, struct request *r, struct err *e)
{
	uint8_t raw[DIGEST_SIZE];
	struct json_fields f;

	json_fields_init(&f, doc, "trace", e);
	json_get_strp(&f, "name", JSON_OPTIONAL, 1, 200, &r->trace_name);
	json_get_strp(&f, "inline", JSON_OPTIONAL, 1, 1u << 20, &r->trace_text);
	json_get_strp(&f, "upload", JSON_OPTIONAL, 64, 64, &r->trace_upload);
	if (!r->trace_name + !r->trace_text + !r->trace_upload != 2)
		json_fail(&f, "name", "give one of name, inline and upload");
	if (r->trace_name && !is_made(r->trace_name))
		json_fail(&f, "name", "there is no trace '%.60s'; GET /v1/traces names them",
			  r->trace_name);
	if (r->trace_upload && digest_parse(r->trace_upload, raw))
		json_fail(&f, "upload", "a trace is named by its SHA-256 in 64 hex digits");
	return json_fields_end(&f);
}

static int parse_options(const json_t *doc, struct policy_options *o, struct err *e)
{
	struct json_fields f;

	json_fields_init(&f, doc, "options", e);
	for (const struct policy_option *d = policy_options_table; d->name; d++) {
		double v = policy_option_get(d, o);
		bool on = v != 0;

		if (d->kind == OPTION_BOOL)
			json_get_bool(&f, d->name, JSON_OPTIONAL, &on);
		else
			json_get_f64(&f, d->name, JSON_OPTIONAL, d->min, d->max, &v);
		policy_option_set(d, o, d->kind == OPTION_BOOL ? on : v);
	}
	return json_fields_end(&f);
}

static void add_run(struct request *r, const char *name, const struct policy *p,
		    const struct machines *m)
{
	struct request_run *run = &r->runs[r->nruns++];

	(void)snprintf(run->name, sizeof(run->name), "%.95s", name);
	run->policy = p;
	run->machines = m;
}

static bool has_run(const struct request *r, const struct policy *p)
{
	for (size_t i = 0; i < r->nruns; i++)
		if (r->runs[i].policy == p && r->runs[i].machines == &r->machines)
			return true;
	return false;
}

static int parse_policies(struct json_fields *f, const json_t *list, struct request *r)
{
	json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
	{
		const char *name = json_string_value(v);
		const struct policy *p = name ? policy_find(name) : NULL;

		if (!p)
			json_fail(f, "policies", "there is no policy '%.40s'", name ? name : "?");
		else if (!has_run(r, p))
			add_run(r, p->name, p, &r->machines);
	}
	if (!json_array_size(list))
		json_fail(f, "policies", "name at least one");
	return 0;
}

/* POLICY, which is run too if it isn't named, or POLICY@CLUSTER: first, in any case. */
static int parse_baseline(struct json_fields *f, const char *text, struct request *r, struct err *e)
{
	const char *at = strchr(text, '@');
	const struct policy *p;
	char name[64];

	(void)snprintf(name, sizeof(name), "%.*s", at && at - text < 63 ? (int)(at - text) : 63,
		       text);
	p = policy_find(name);
	if (!p) {
		json_fail(f, "baseline", "there is no policy '%.40s'", name);
		return 0;
	}
	if (at && strchr(at + 1, '/')) {
		json_fail(f, "baseline", "clusters are named here, not paths");
		return 0;
	}
	if (at) {
		add_run(r, text, p, &r->other);
		return machines_load(at + 1, &r->other, e);
	}
	if (!has_run(r, p))
		add_run(r, p->name, p, &r->machines);
	return 0;
}

static int parse_cluster(const json_t *doc, struct json_fields *f, struct machines *m,
			 struct err *e)
{
	if (json_is_object(doc))
		return machines_parse(doc, false, m, e);
	if (json_is_string(doc) && !strchr(json_string_value(doc), '/') &&
	    !strstr(json_string_value(doc), ".json"))
		return machines_load(json_string_value(doc), m, e);
	json_fail(f, "cluster", "give a cluster, or the name of one that comes with Drover");
	return 0;
}

int request_parse(const json_t *doc, struct request *r, struct err *e)
{
	const json_t *trace = NULL, *list = NULL, *options = NULL,
		     *cluster = json_object_get(doc, "cluster");
	int form = TRACE_AUTO, rc;
	const char *baseline = NULL;
	struct json_fields f;

	memset(r, 0, sizeof(*r));
	r->options = policy_options_default;
	r->speedup = 1;
	r->seed = 1;
	json_fields_init(&f, doc, "replay", e);
	json_get_obj(&f, "trace", JSON_REQUIRED, &trace);
	json_get_arr(&f, "policies", JSON_REQUIRED, REQUEST_POLICIES_MAX, &list);
	json_get_obj(&f, "options", JSON_OPTIONAL, &options);
	json_get_enum(&f, "format", JSON_OPTIONAL, trace_form_names, &form);
	json_get_strp(&f, "baseline", JSON_OPTIONAL, 1, 90, &baseline);
	json_get_u64(&f, "seed", JSON_OPTIONAL, 0, INT64_MAX, &r->seed);
	json_get_u64(&f, "limit_jobs", JSON_OPTIONAL, 1, REQUEST_JOBS_MAX, &r->limit_jobs);
	json_get_f64(&f, "speedup", JSON_OPTIONAL, 0.001, 1e6, &r->speedup);
	json_get_bool(&f, "clamp", JSON_OPTIONAL, &r->clamp);
	f.seen[f.nseen++] = "cluster"; /* an object or a string */
	r->form = (enum trace_form)form;
	rc = parse_cluster(cluster, &f, &r->machines, e);
	if (!rc && baseline)
		rc = parse_baseline(&f, baseline, r, e);
	if (!rc && list)
		rc = parse_policies(&f, list, r);
	if (!rc && trace)
		rc = parse_trace(trace, r, e);
	if (!rc && options)
		rc = parse_options(options, &r->options, e);
	if (!rc)
		rc = json_fields_end(&f);
	if (rc)
		request_free(r);
	return rc;
}

void request_free(struct request *r)
{
	machines_release(&r->machines);
	machines_release(&r->other);
}

int request_trace(const struct request *r, const char *traces, struct trace *t, struct err *e)
{
	char path[PATH_MAX];
	int rc;

	if (r->trace_name) {
		rc = request_make_trace(r->trace_name, r->seed, t, e);
	} else if (r->trace_text) {
		rc = trace_read(r->trace_text, strlen(r->trace_text), r->form, t, e);
	} else {
		if (file_join(path, sizeof(path), traces, r->trace_upload))
			return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
		rc = trace_load(path, r->form, t, e);
		if (rc == -ENOENT)
			rc = err_set(e, -ENOENT, "the trace %.12s... is not there: upload it first",
				     r->trace_upload);
	}
	if (!rc && t->njobs > REQUEST_JOBS_MAX && !r->limit_jobs) {
		rc = err_set(e, -EFBIG, "the trace has %zu jobs; at most %u are replayed here",
			     t->njobs, REQUEST_JOBS_MAX);
		err_hint(e, "give limit_jobs, or use `drover replay`");
		trace_free(t);
	}
	if (!rc && r->limit_jobs)
		trace_cut(t, r->limit_jobs);
	return rc;
}
