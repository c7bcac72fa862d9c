/* See desired.h. */
#include "agent/desired.h"

#include <errno.h>
#include <string.h>

#include "common/digest.h"
#include "common/json.h"

static const char *const roles[] = {"run", "source", "destination", "cancel", NULL};
static const char *const phases[] = {"none", "prepare", "send", "commit", "abort", NULL};

const char *want_role_name(enum want_role r)
{
	return r < WANT_ROLES ? roles[r] : "";
}

static void strv_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

static void want_free(struct want *w)
{
	strv_free(w->args);
	strv_free(w->env);
	free(w->stdin_text);
}

void desired_free(struct desired *d)
{
	for (size_t i = 0; i < d->njobs; i++)
		want_free(&d->jobs[i]);
	free(d->jobs);
	*d = (struct desired){0};
}

static int parse_args(struct json_fields *f, struct want *w)
{
	const json_t *arr = NULL;
	size_t n;

	json_get_arr(f, "args", JSON_OPTIONAL, WANT_MAX_ARGS, &arr);
	n = arr ? json_array_size(arr) : 0;
	w->args = calloc(n + 1, sizeof(char *));
	if (!w->args)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *s = json_array_get(arr, i);

		if (!json_is_string(s) || strlen(json_string_value(s)) != json_string_length(s)) {
			json_fail(f, "args", "element %zu must be a string without NUL", i);
			return 0;
		}
		w->args[i] = strdup(json_string_value(s));
		if (!w->args[i])
			return -ENOMEM;
	}
	return 0;
}

static int parse_env(struct json_fields *f, struct want *w)
{
	const json_t *obj = NULL, *v;
	const char *k;
	size_t n = 0;

	json_get_obj(f, "env", JSON_OPTIONAL, &obj);
	if (obj && json_object_size(obj) > WANT_MAX_ENV) {
		json_fail(f, "env", "more than %d variables", WANT_MAX_ENV);
		return 0;
	}
	w->env = calloc((obj ? json_object_size(obj) : 0) + 1, sizeof(char *));
	if (!w->env)
		return -ENOMEM;
	if (!obj)
		return 0;
	json_object_foreach((json_t *)(uintptr_t)obj, k, v)
	{
		if (!*k || strchr(k, '=') || !json_is_string(v) ||
		    strlen(json_string_value(v)) != json_string_length(v)) {
			json_fail(f, "env", "names without '=' and string values are needed");
			return 0;
		}
		if (asprintf(&w->env[n], "%s=%s", k, json_string_value(v)) < 0) {
			w->env[n] = NULL;
			return -ENOMEM;
		}
		n++;
	}
	return 0;
}

static void parse_migration(const json_t *obj, const char *path, struct want *w,
			    struct json_fields *outer)
{
	struct json_fields f;
	struct err e = ERR_INIT;
	int phase = PHASE_NONE;

	w->mig.next_epoch = w->epoch;
	if (!obj)
		return;
	json_fields_init(&f, obj, path, &e);
	json_get_str(&f, "id", JSON_REQUIRED, w->mig.id, sizeof(w->mig.id));
	json_get_enum(&f, "phase", JSON_REQUIRED, phases, &phase);
	json_get_str(&f, "endpoint", JSON_OPTIONAL, w->mig.endpoint, sizeof(w->mig.endpoint));
	json_get_str(&f, "secret", JSON_OPTIONAL, w->mig.secret, sizeof(w->mig.secret));
	json_get_u64(&f, "next_epoch", JSON_OPTIONAL, 1, INT64_MAX, &w->mig.next_epoch);
	w->mig.phase = (enum want_phase)phase;
	if (w->mig.phase == PHASE_SEND && (!*w->mig.endpoint || !*w->mig.secret))
		json_fail(&f, "endpoint", "and secret are needed in phase send");
	if (w->role == ROLE_DESTINATION && w->mig.next_epoch <= w->epoch)
		json_fail(&f, "next_epoch", "must be above the job's epoch");
	if (json_fields_end_lax(&f))
		json_fail(outer, "migration", "%s", e.msg);
}

/* The bundle's name becomes a file name: exactly 64 hex digits. */
static void check_bundle(struct json_fields *f, struct want *w)
{
	uint8_t raw[DIGEST_SIZE];

	if (!f->code && digest_parse(w->bundle, raw))
		json_fail(f, "bundle", "must be 64 hex digits");
	else if (!f->code)
		digest_hex(raw, w->bundle);
}

/* The id becomes a directory name. */
static void check_id(struct json_fields *f, const char *id)
{
	if (!f->code && (!*id || id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz-_")]))
		json_fail(f, "id", "must be lower-case letters, digits, '-' and '_'");
}

static int parse_want(const json_t *obj, size_t i, struct want *w, struct err *e)
{
	struct json_fields f;
	const json_t *mig = NULL;
	const char *input = NULL;
	uint64_t attempt = 0, cpus = 1, limit = 0;
	char path[48];
	int role = 0, rc;

	snprintf(path, sizeof(path), "jobs[%zu]", i);
	json_fields_init(&f, obj, path, e);
	json_get_str(&f, "id", JSON_REQUIRED, w->id, sizeof(w->id));
	json_get_u64(&f, "attempt", JSON_REQUIRED, 1, UINT32_MAX, &attempt);
	json_get_u64(&f, "epoch", JSON_REQUIRED, 1, INT64_MAX, &w->epoch);
	json_get_enum(&f, "role", JSON_REQUIRED, roles, &role);
	json_get_str(&f, "bundle", JSON_REQUIRED, w->bundle, sizeof(w->bundle));
	json_get_strp(&f, "stdin", JSON_OPTIONAL, 0, DESIRED_MAX_BYTES, &input);
	json_get_str(&f, "name", JSON_OPTIONAL, w->name, sizeof(w->name));
	json_get_u64(&f, "cpus", JSON_OPTIONAL, 1, 65536, &cpus);
	json_get_u64(&f, "time_limit_s", JSON_OPTIONAL, 0, UINT32_MAX, &limit);
	json_get_obj(&f, "migration", JSON_OPTIONAL, &mig);
	w->attempt = (uint32_t)attempt;
	w->cpus = (uint32_t)cpus;
	w->time_limit_s = (uint32_t)limit;
	w->role = (enum want_role)role;
	check_id(&f, w->id);
	check_bundle(&f, w);
	if (input && !(w->stdin_text = strdup(input)))
		return err_set(e, -ENOMEM, "%s: out of memory", path);
	rc = parse_args(&f, w);
	if (!rc)
		rc = parse_env(&f, w);
	if (rc)
		return err_set(e, rc, "%s: out of memory", path);
	if (!f.code && !mig && (w->role == ROLE_SOURCE || w->role == ROLE_DESTINATION))
		json_fail(&f, "migration", "is needed with role %s", roles[role]);
	if (!f.code)
		parse_migration(mig, path, w, &f);
	return json_fields_end_lax(&f);
}

int desired_parse(const char *text, size_t len, struct desired *out, struct err *e)
{
	_cleanup_json_ json_t *root = NULL;
	_cleanup_desired_ struct desired d = {0};
	const json_t *jobs = NULL;
	struct json_fields f;
	uint64_t version = 0;
	int rc;

	*out = (struct desired){0};
	rc = json_parse(text, len, DESIRED_MAX_BYTES, "desired state", &root, e);
	if (rc)
		return rc;
	json_fields_init(&f, root, "desired", e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, 1, &version);
	json_get_u64(&f, "scheduler_epoch", JSON_REQUIRED, 0, INT64_MAX, &d.scheduler_epoch);
	json_get_u64(&f, "revision", JSON_REQUIRED, 0, INT64_MAX, &d.revision);
	json_get_arr(&f, "jobs", JSON_REQUIRED, JOBS_PER_NODE, &jobs);
	rc = json_fields_end_lax(&f);
	if (rc)
		return rc;
	d.jobs = calloc(json_array_size(jobs) + 1, sizeof(*d.jobs));
	if (!d.jobs)
		return err_set(e, -ENOMEM, "desired state: out of memory");
	for (size_t i = 0; i < json_array_size(jobs); i++) {
		d.njobs = i + 1;
		rc = parse_want(json_array_get(jobs, i), i, &d.jobs[i], e);
		if (rc)
			return rc;
	}
	*out = d;
	d = (struct desired){0};
	return 0;
}
