/*
 * docs/formats/agent-protocol.md: introductions and reports. Fields that a newer
 * agent may add are let pass; what is known is checked.
 */
#include "scheduler/api/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"

#define RUNS_MAX      256
#define RUNS_TEXT_MAX 32768

static void get_version(struct json_fields *f)
{
	uint64_t version = 0;

	json_get_u64(f, "version", JSON_REQUIRED, 0, UINT32_MAX, &version);
	if (!f->code && version != 1)
		json_fail(f, "version", "is %" PRIu64 "; this scheduler speaks 1", version);
}

/* {"ep.A":14.6,...} as the text of struct machine. */
static int make_runs(const json_t *runs, struct node *intro, struct err *e)
{
	_cleanup_buf_ struct buf b;
	const char *name;
	json_t *v;

	buf_init(&b, RUNS_TEXT_MAX);
	if (json_object_size(runs) > RUNS_MAX)
		return err_set(e, -EINVAL, "introduction.runs: more than %d programs", RUNS_MAX);
	json_object_foreach((json_t *)(uintptr_t)runs, name, v)
	{
		if (!parse_name_ok(name) || !json_is_number(v) || json_number_value(v) <= 0 ||
		    json_number_value(v) > 1e9)
			return err_set(
				e, -EINVAL,
				"introduction.runs: \"%.40s\" must be a program's name with its "
				"seconds",
				name);
		if (buf_printf(&b, "%s:%.6g ", name, json_number_value(v)))
			return err_set(e, -ENOMEM, "no memory for the node's programs");
	}
	if (!b.len)
		return 0;
	intro->runs = strdup(buf_cstr(&b));
	return intro->runs ? 0 : err_set(e, -ENOMEM, "no memory for the node");
}

int parse_introduction(const char *text, size_t len, const char *node, struct node *intro,
		       struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	const json_t *meters = NULL, *runs = NULL;
	char isa[16] = "";
	uint64_t cpus = 0;
	struct json_fields f;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the introduction", &doc, e), isa_number;

	memset(intro, 0, sizeof(*intro));
	if (r)
		return r;
	if (!parse_name_ok(node))
		return err_set(e, -EINVAL, "\"%.80s\" is not a node's name", node);
	(void)snprintf(intro->name, sizeof(intro->name), "%s", node);
	json_fields_init(&f, doc, "introduction", e);
	get_version(&f);
	json_get_str(&f, "instance", JSON_REQUIRED, intro->instance, sizeof(intro->instance));
	json_get_str(&f, "replaces", JSON_OPTIONAL, intro->replaces, sizeof(intro->replaces));
	json_get_str(&f, "isa", JSON_REQUIRED, isa, sizeof(isa));
	json_get_bool(&f, "emulated", JSON_OPTIONAL, &intro->emulated);
	json_get_str(&f, "emulator", JSON_OPTIONAL, intro->emulator, sizeof(intro->emulator));
	json_get_u64(&f, "cpus", JSON_REQUIRED, 1, 65536, &cpus);
	json_get_u64(&f, "memory_bytes", JSON_OPTIONAL, 0, UINT64_MAX, &intro->memory_bytes);
	json_get_str(&f, "profile", JSON_OPTIONAL, intro->profile, sizeof(intro->profile));
	json_get_f64(&f, "idle_w", JSON_OPTIONAL, 0, 1e6, &intro->idle_w);
	json_get_f64(&f, "core_w", JSON_OPTIONAL, 0, 1e5, &intro->core_w);
	json_get_f64(&f, "sleep_w", JSON_OPTIONAL, 0, 1e6, &intro->sleep_w);
	json_get_f64(&f, "sleep_s", JSON_OPTIONAL, 0, 86400, &intro->sleep_s);
	json_get_f64(&f, "wake_s", JSON_OPTIONAL, 0, 86400, &intro->wake_s);
	json_get_f64(&f, "wake_j", JSON_OPTIONAL, 0, 1e9, &intro->wake_j);
	json_get_f64(&f, "speed", JSON_OPTIONAL, 0, 1e6, &intro->speed);
	intro->sleep_capable = true;
	json_get_bool(&f, "sleep_capable", JSON_OPTIONAL, &intro->sleep_capable);
	json_get_obj(&f, "runs", JSON_OPTIONAL, &runs);
	json_get_str(&f, "address", JSON_OPTIONAL, intro->address, sizeof(intro->address));
	json_get_arr(&f, "meters", JSON_OPTIONAL, 64, &meters);
	json_get_str(&f, "software", JSON_OPTIONAL, intro->software, sizeof(intro->software));
	isa_number = isa_parse(isa);
	if (!f.code && isa_number < 0)
		json_fail(&f, "isa", "must be \"x86_64\" or \"aarch64\"");
	if (!f.code && !intro->instance[0])
		json_fail(&f, "instance", "is empty");
	r = json_fields_end_lax(&f);
	if (r)
		return r;
	intro->isa = (enum isa)isa_number;
	intro->cpus = (uint32_t)cpus;
	intro->meters = meters ? json_dumps(meters, JSON_COMPACT) : strdup("[]");
	if (!intro->meters)
		return err_set(e, -ENOMEM, "no memory for the node");
	r = make_runs(runs, intro, e);
	if (r) {
		free(intro->meters);
		intro->meters = NULL;
	}
	return r;
}

/* ---- a report ----------------------------------------------------------- */

/* Text for a person: cut rather than refused. */
static void get_text(struct json_fields *f, const char *key, char *out, size_t size)
{
	const char *s = NULL;

	json_get_strp(f, key, JSON_OPTIONAL, 0, 65536, &s);
	if (!s)
		return;
	(void)snprintf(out, size, "%s", s);
	/* Don't end within a character of UTF-8. */
	for (size_t n = strlen(out); strlen(s) > n && n && ((unsigned char)s[n] & 0xc0) == 0x80;)
		out[--n] = '\0';
}

static uint64_t get_id(struct json_fields *f, const char *key, char prefix)
{
	char text[32] = "";
	uint64_t id;

	json_get_str(f, key, JSON_REQUIRED, text, sizeof(text));
	id = parse_id(text, prefix);
	if (!f->code && !id)
		json_fail(f, key, "is not an id");
	return id;
}

static int parse_job_migration(const json_t *v, struct job_report *j, struct err *e)
{
	struct json_fields f;
	int state = 0;

	json_fields_init(&f, v, "report.jobs.migration", e);
	j->migration = get_id(&f, "id", 'm');
	json_get_enum(&f, "state", JSON_REQUIRED, seen_migration_names, &state);
	get_text(&f, "reason", j->migration_reason, sizeof(j->migration_reason));
	json_get_str(&f, "endpoint", JSON_OPTIONAL, j->endpoint, sizeof(j->endpoint));
	json_get_str(&f, "secret", JSON_OPTIONAL, j->secret, sizeof(j->secret));
	json_get_u64(&f, "image_bytes", JSON_OPTIONAL, 0, UINT64_MAX, &j->image_bytes);
	json_get_u64(&f, "frames", JSON_OPTIONAL, 0, UINT64_MAX, &j->frames);
	json_get_u64(&f, "save_us", JSON_OPTIONAL, 0, UINT64_MAX, &j->save_us);
	json_get_u64(&f, "transfer_us", JSON_OPTIONAL, 0, UINT64_MAX, &j->transfer_us);
	json_get_u64(&f, "load_us", JSON_OPTIONAL, 0, UINT64_MAX, &j->load_us);
	json_get_u64(&f, "rebuild_us", JSON_OPTIONAL, 0, UINT64_MAX, &j->rebuild_us);
	json_get_u64(&f, "frozen_ms", JSON_OPTIONAL, 0, UINT64_MAX, &j->frozen_ms);
	json_get_u64(&f, "resumed_ms", JSON_OPTIONAL, 0, UINT64_MAX, &j->resumed_ms);
	json_get_u64(&f, "frozen_mono_ns", JSON_OPTIONAL, 0, UINT64_MAX, &j->frozen_mono_ns);
	json_get_u64(&f, "resumed_mono_ns", JSON_OPTIONAL, 0, UINT64_MAX, &j->resumed_mono_ns);
	j->migration_state = (enum seen_migration)state;
	return json_fields_end_lax(&f);
}

static int parse_report_job(const json_t *v, struct job_report *j, struct err *e)
{
	const json_t *migration = NULL;
	uint64_t attempt = 0, epoch = 0;
	int64_t exit_code = 0, sig = 0;
	struct json_fields f;
	int state = 0, r;

	json_fields_init(&f, v, "report.jobs", e);
	j->id = get_id(&f, "id", 0);
	json_get_u64(&f, "attempt", JSON_REQUIRED, 0, UINT32_MAX - 1, &attempt);
	json_get_u64(&f, "epoch", JSON_REQUIRED, 0, UINT32_MAX - 1, &epoch);
	json_get_enum(&f, "state", JSON_REQUIRED, seen_state_names, &state);
	json_get_i64(&f, "exit_code", JSON_OPTIONAL, -1, 255, &exit_code);
	json_get_i64(&f, "signal", JSON_OPTIONAL, 0, 128, &sig);
	get_text(&f, "reason", j->reason, sizeof(j->reason));
	json_get_u64(&f, "cpu_us", JSON_OPTIONAL, 0, UINT64_MAX, &j->cpu_us);
	json_get_u64(&f, "log_bytes", JSON_OPTIONAL, 0, UINT64_MAX, &j->log_bytes);
	json_get_u64(&f, "started_ms", JSON_OPTIONAL, 0, UINT64_MAX, &j->started_ms);
	json_get_u64(&f, "ended_ms", JSON_OPTIONAL, 0, UINT64_MAX, &j->ended_ms);
	json_get_obj(&f, "migration", JSON_OPTIONAL, &migration);
	r = json_fields_end_lax(&f);
	if (r)
		return r;
	j->attempt = (uint32_t)attempt;
	j->epoch = (uint32_t)epoch;
	j->state = (enum seen_state)state;
	j->exit_code = (int32_t)exit_code;
	j->signal = (int32_t)sig;
	return migration ? parse_job_migration(migration, j, e) : 0;
}

/* "17.1": job and attempt. */
static int parse_share(const char *key, const json_t *v, struct energy_job *out, struct err *e)
{
	const char *dot = strchr(key, '.');
	char id[24];

	if (dot && dot - key < (ptrdiff_t)sizeof(id) && json_is_integer(v) &&
	    json_integer_value(v) >= 0) {
		memcpy(id, key, (size_t)(dot - key));
		id[dot - key] = '\0';
		out->job = parse_id(id, 0);
		out->attempt = (uint32_t)parse_id(dot + 1, 0);
		out->energy_uj = (uint64_t)json_integer_value(v);
		if (out->job && out->attempt)
			return 0;
	}
	return err_set(e, -EINVAL,
		       "report.energy.jobs: \"%.40s\" must be \"JOB.ATTEMPT\" with microjoules",
		       key);
}

static int parse_energy(const json_t *v, struct energy_interval *i, struct err *e)
{
	const json_t *jobs = NULL;
	struct json_fields f;
	const char *key;
	json_t *share;
	int r;

	json_fields_init(&f, v, "report.energy", e);
	json_get_str(&f, "instance", JSON_OPTIONAL, i->instance, sizeof(i->instance));
	json_get_str(&f, "meter", JSON_REQUIRED, i->meter, sizeof(i->meter));
	json_get_str(&f, "source", JSON_REQUIRED, i->source, sizeof(i->source));
	json_get_str(&f, "scope", JSON_REQUIRED, i->scope, sizeof(i->scope));
	json_get_str(&f, "kind", JSON_REQUIRED, i->kind, sizeof(i->kind));
	json_get_u64(&f, "from_ms", JSON_REQUIRED, 0, UINT64_MAX, &i->from_ms);
	json_get_u64(&f, "to_ms", JSON_REQUIRED, 0, UINT64_MAX, &i->to_ms);
	json_get_u64(&f, "energy_uj", JSON_REQUIRED, 0, UINT64_MAX, &i->energy_uj);
	json_get_u64(&f, "idle_uj", JSON_REQUIRED, 0, UINT64_MAX, &i->idle_uj);
	json_get_u64(&f, "system_uj", JSON_REQUIRED, 0, UINT64_MAX, &i->system_uj);
	json_get_u64(&f, "gap_ms", JSON_OPTIONAL, 0, UINT64_MAX, &i->gap_ms);
	json_get_obj(&f, "jobs", JSON_OPTIONAL, &jobs);
	i->says_counted = json_object_get(v, "counted") != NULL;
	json_get_bool(&f, "counted", JSON_OPTIONAL, &i->counted);
	r = json_fields_end_lax(&f);
	if (r || !jobs)
		return r;
	if (json_object_size(jobs) > ENERGY_JOBS_MAX)
		return err_set(e, -EINVAL, "report.energy.jobs: more than %d", ENERGY_JOBS_MAX);
	json_object_foreach((json_t *)(uintptr_t)jobs, key, share)
	{
		r = parse_share(key, share, &i->jobs[i->njobs], e);
		if (r)
			return r;
		i->njobs++;
	}
	return 0;
}

static int parse_arrays(const json_t *jobs, const json_t *energy, struct report *out, struct err *e)
{
	size_t njobs = json_array_size(jobs), nenergy = json_array_size(energy);
	int r = 0;

	out->jobs = calloc(njobs + 1, sizeof(*out->jobs));
	out->energy = calloc(nenergy + 1, sizeof(*out->energy));
	if (!out->jobs || !out->energy)
		return err_set(e, -ENOMEM, "no memory for the report");
	for (size_t i = 0; !r && i < njobs; i++)
		r = parse_report_job(json_array_get(jobs, i), &out->jobs[i], e);
	for (size_t i = 0; !r && i < nenergy; i++)
		r = parse_energy(json_array_get(energy, i), &out->energy[i], e);
	out->node.jobs = out->jobs;
	out->node.njobs = njobs;
	out->nenergy = nenergy;
	return r;
}

int parse_report(const char *text, size_t len, struct report *out, struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	const json_t *load = NULL, *jobs = NULL, *energy = NULL;
	struct json_fields f;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the report", &doc, e);

	memset(out, 0, sizeof(*out));
	if (r)
		return r;
	json_fields_init(&f, doc, "report", e);
	get_version(&f);
	json_get_str(&f, "instance", JSON_REQUIRED, out->instance, sizeof(out->instance));
	json_get_u64(&f, "scheduler_epoch", JSON_OPTIONAL, 0, UINT64_MAX, &out->scheduler_epoch);
	json_get_u64(&f, "seq", JSON_OPTIONAL, 0, UINT64_MAX, &out->seq);
	json_get_u64(&f, "revision", JSON_OPTIONAL, 0, UINT64_MAX, &out->node.revision);
	json_get_obj(&f, "load", JSON_OPTIONAL, &load);
	json_get_arr(&f, "jobs", JSON_OPTIONAL, PARSE_JOBS_MAX, &jobs);
	json_get_arr(&f, "energy", JSON_OPTIONAL, PARSE_ENERGY_MAX, &energy);
	r = json_fields_end_lax(&f);
	if (!r && load) {
		json_fields_init(&f, load, "report.load", e);
		json_get_f64(&f, "cpu_percent", JSON_OPTIONAL, 0, 1e7, &out->node.cpu_percent);
		json_get_u64(&f, "memory_used_bytes", JSON_OPTIONAL, 0, UINT64_MAX,
			     &out->node.memory_used_bytes);
		r = json_fields_end_lax(&f);
	}
	if (!r)
		r = parse_arrays(jobs, energy, out, e);
	if (r)
		report_free(out);
	return r;
}

void report_free(struct report *r)
{
	free(r->jobs);
	free(r->energy);
	memset(r, 0, sizeof(*r));
}
