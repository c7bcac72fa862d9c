#include "scheduler/api/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/digest.h"
#include "common/json.h"

#define ARGS_MAX  1024
#define ENV_MAX   256
#define STDIN_MAX (256 * 1024)

bool parse_name_ok(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789._-");

	return len && len < CORE_NAME_MAX && !name[len] && name[0] != '.' && name[0] != '-';
}

uint64_t parse_id(const char *text, char prefix)
{
	char *end;
	uint64_t id;

	if (prefix && *text++ != prefix)
		return 0;
	if (*text < '1' || *text > '9' || strlen(text) > 18)
		return 0;
	id = strtoull(text, &end, 10);
	return *end ? 0 : id;
}

/* ---- a job -------------------------------------------------------------- */

static void check_strings(struct json_fields *f, const char *key, const json_t *array)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)array, i, v) if (!json_is_string(v))
		json_fail(f, key, "element %zu must be a string", i);
}

static void check_env(struct json_fields *f, const json_t *env)
{
	const char *key;
	json_t *v;

	if (json_object_size(env) > ENV_MAX)
		json_fail(f, "env", "has more than %d variables", ENV_MAX);
	json_object_foreach((json_t *)(uintptr_t)env, key, v)
	{
		if (!*key || strchr(key, '='))
			json_fail(f, "env", "\"%.40s\" is not a variable's name", key);
		else if (!strncmp(key, "DROVER_", 7))
			json_fail(f, "env", "%.40s: DROVER_ variables are the runtime's own", key);
		else if (!json_is_string(v))
			json_fail(f, "env", "%.40s must be a string", key);
	}
}

static void get_isas(struct json_fields *f, uint32_t *isas)
{
	const json_t *array = NULL;
	json_t *v;
	size_t i;

	*isas = (1u << ISA_COUNT) - 1;
	json_get_arr(f, "isas", JSON_OPTIONAL, ISA_COUNT, &array);
	if (!array)
		return;
	*isas = 0;
	json_array_foreach((json_t *)(uintptr_t)array, i, v)
	{
		int isa = json_is_string(v) ? isa_parse(json_string_value(v)) : -EINVAL;

		if (isa < 0)
			json_fail(f, "isas", "element %zu must be \"x86_64\" or \"aarch64\"", i);
		else
			*isas |= 1u << isa;
	}
	if (!*isas)
		json_fail(f, "isas", "names no ISA");
}

static void get_dependency(struct json_fields *f, const json_t *v, size_t i, struct dependency *d)
{
	const char *type = json_string_value(json_object_get(v, "type"));
	const char *job = json_string_value(json_object_get(v, "job"));

	d->job = job ? parse_id(job, 0) : 0;
	d->type = DEP_TYPE_COUNT;
	for (int t = 0; type && t < DEP_TYPE_COUNT; t++)
		if (!strcmp(type, dependency_type_names[t]))
			d->type = (enum dependency_type)t;
	if (!d->job || d->type == DEP_TYPE_COUNT || json_object_size(v) != 2)
		json_fail(
			f, "dependencies",
			"element %zu must be {\"type\":\"afterok\" or \"afterany\",\"job\":\"ID\"}",
			i);
}

static void get_dependencies(struct json_fields *f, struct job_spec *spec)
{
	const json_t *array = NULL;
	json_t *v;
	size_t i;

	json_get_arr(f, "dependencies", JSON_OPTIONAL, CORE_DEPENDENCIES_MAX, &array);
	if (!array || !json_array_size(array))
		return;
	spec->dependencies = calloc(json_array_size(array), sizeof(*spec->dependencies));
	if (!spec->dependencies) {
		json_fail(f, "dependencies", "no memory");
		return;
	}
	json_array_foreach((json_t *)(uintptr_t)array, i, v)
		get_dependency(f, v, i, &spec->dependencies[i]);
	spec->ndependencies = (uint32_t)json_array_size(array);
}

/* What only the node needs, as one JSON text. */
static char *make_launch(const json_t *args, const json_t *env, const char *in)
{
	_cleanup_json_ json_t *o = json_object();

	if (!o || json_object_set_new(o, "args", args ? json_deep_copy(args) : json_array()) ||
	    json_object_set_new(o, "env", env ? json_deep_copy(env) : json_object()) ||
	    json_object_set_new(o, "stdin", in ? json_string(in) : json_null()))
		return NULL;
	return json_dumps(o, JSON_COMPACT);
}

int parse_job_value(const json_t *doc, const char *path, struct job_spec *spec, struct err *e)
{
	const json_t *args = NULL, *env = NULL;
	const char *in = NULL, *array = NULL;
	uint8_t digest[DIGEST_SIZE];
	uint64_t cpus = 1, restarts = 3;
	int64_t priority = 0;
	bool requeue = true;
	struct json_fields f;
	int r;

	memset(spec, 0, sizeof(*spec));
	json_fields_init(&f, doc, path, e);
	json_get_str(&f, "bundle", JSON_REQUIRED, spec->bundle, sizeof(spec->bundle));
	strcpy(spec->name, "job");
	json_get_str(&f, "name", JSON_OPTIONAL, spec->name, sizeof(spec->name));
	json_get_str(&f, "user", JSON_OPTIONAL, spec->user, sizeof(spec->user));
	json_get_arr(&f, "args", JSON_OPTIONAL, ARGS_MAX, &args);
	json_get_obj(&f, "env", JSON_OPTIONAL, &env);
	json_get_strp(&f, "stdin", JSON_OPTIONAL, 0, STDIN_MAX, &in);
	json_get_u64(&f, "cpus", JSON_OPTIONAL, 1, 4096, &cpus);
	json_get_u64(&f, "memory_bytes", JSON_OPTIONAL, 0, UINT64_MAX, &spec->memory_bytes);
	json_get_u64(&f, "time_limit_s", JSON_OPTIONAL, 0, 315360000, &spec->time_limit_s);
	json_get_u64(&f, "max_restarts", JSON_OPTIONAL, 0, 1000, &restarts);
	json_get_i64(&f, "priority", JSON_OPTIONAL, -1000, 1000, &priority);
	json_get_bool(&f, "hold", JSON_OPTIONAL, &spec->held);
	json_get_bool(&f, "requeue", JSON_OPTIONAL, &requeue);
	json_get_u64(&f, "begin_ms", JSON_OPTIONAL, 0, INT64_MAX, &spec->begin_ms);
	get_dependencies(&f, spec);
	json_get_strp(&f, "array", JSON_OPTIONAL, 1, 4096, &array);
	if (array && strcmp(path, "job") != 0)
		json_fail(&f, "array", "is not for one of several jobs: submit it alone");
	get_isas(&f, &spec->isas);
	if (spec->bundle[0] && digest_parse(spec->bundle, digest))
		json_fail(&f, "bundle", "must be a SHA-256 in 64 hexadecimal digits");
	if (spec->user[0] && !parse_name_ok(spec->user))
		json_fail(&f, "user", "must be letters, digits, '.', '_' and '-'");
	if (args)
		check_strings(&f, "args", args);
	if (env)
		check_env(&f, env);
	r = json_fields_end(&f);
	if (r) {
		job_spec_free(spec);
		return r;
	}
	spec->priority = (int32_t)priority;
	spec->no_requeue = !requeue;
	digest_hex(digest, spec->bundle); /* lower case */
	spec->cpus = (uint32_t)cpus;
	spec->max_restarts = (uint32_t)restarts;
	spec->launch = make_launch(args, env, in);
	return spec->launch ? 0 : err_set(e, -ENOMEM, "no memory for the job");
}

int parse_job(const char *text, size_t len, struct job_spec *spec, struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the job", &doc, e);

	memset(spec, 0, sizeof(*spec));
	return r ? r : parse_job_value(doc, "job", spec, e);
}

static int parse_bulk(const json_t *list, struct job_spec *specs, size_t n, struct err *e)
{
	int first = 0, r;
	char path[32];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "job.jobs[%zu]", i);
		r = parse_job_value(json_array_get(list, i), path, &specs[i], e);
		first = first ? first : r;
		/* What follows is of use only to those who want all that is wrong. */
		if (first && (!e || !e->fields || e->fields->n == ERR_FIELDS_MAX))
			break;
	}
	return first;
}

/* As many jobs as the array has elements; whose array it is is known once they have ids. */
static int make_array(const char *text, struct job_spec **specs, size_t *n, struct err *e)
{
	_cleanup_free_ uint32_t *indexes = calloc(PARSE_ARRAY_MAX, sizeof(*indexes));
	struct job_spec *v;
	uint32_t limit;
	size_t count;
	int r;

	if (!indexes)
		return err_set(e, -ENOMEM, "no memory for the array");
	r = parse_array(text, indexes, PARSE_ARRAY_MAX, &count, &limit, e);
	if (r)
		return r;
	v = realloc(*specs, count * sizeof(*v));
	if (!v)
		return err_set(e, -ENOMEM, "no memory for the array");
	*specs = v;
	for (size_t i = 0; !r && i < count; i++) {
		if (i)
			r = job_spec_copy(&v[i], &v[0]);
		if (r)
			return err_set(e, r, "no memory for the array");
		v[i].array = ARRAY_UNNUMBERED;
		v[i].array_index = indexes[i];
		v[i].array_limit = limit;
		*n = i + 1;
	}
	return 0;
}

int parse_jobs(const char *text, size_t len, struct job_spec **specs, size_t *n, bool *bulk,
	       struct err *e)
{
	_cleanup_json_ json_t *doc = NULL;
	const json_t *list;
	const char *array;
	int r = json_parse(text, len, PARSE_BODY_MAX, "the job", &doc, e);

	*specs = NULL;
	*n = 0;
	if (r)
		return r;
	list = json_object_get(doc, "jobs");
	*bulk = list != NULL;
	if (list && (!json_is_array(list) || !json_array_size(list) ||
		     json_array_size(list) > PARSE_BULK_MAX || json_object_size(doc) != 1))
		return err_set(e, -EINVAL,
			       "job.jobs: must be an array of 1 to %d jobs, and all there is",
			       PARSE_BULK_MAX);
	*n = list ? json_array_size(list) : 1;
	*specs = calloc(*n, sizeof(**specs));
	if (!*specs) {
		*n = 0;
		return err_set(e, -ENOMEM, "no memory for the jobs");
	}
	if (list)
		return parse_bulk(list, *specs, *n, e);
	r = parse_job_value(doc, "job", *specs, e);
	array = r ? NULL : json_string_value(json_object_get(doc, "array"));
	return array ? make_array(array, specs, n, e) : r;
}

/* ---- arrays ------------------------------------------------------------- */

/* A number at *s of at most six digits; false if there is none. */
static bool take_number(const char **s, uint32_t *out)
{
	size_t n = strspn(*s, "0123456789");

	if (!n || n > 6)
		return false;
	*out = (uint32_t)strtoul(*s, NULL, 10);
	*s += n;
	return true;
}

static int take_range(const char **s, uint32_t *indexes, size_t max, size_t *n)
{
	uint32_t from, to, step = 1;

	if (!take_number(s, &from))
		return -EINVAL;
	to = from;
	if (**s == '-') {
		++*s;
		if (!take_number(s, &to) || to < from)
			return -EINVAL;
		if (**s == ':') {
			++*s;
			if (!take_number(s, &step) || !step)
				return -EINVAL;
		}
	}
	for (uint32_t i = from; i <= to; i += step) {
		if (*n == max)
			return -E2BIG;
		if (*n && indexes[*n - 1] >= i)
			return -EINVAL;
		indexes[(*n)++] = i;
	}
	return 0;
}

int parse_array(const char *text, uint32_t *indexes, size_t max, size_t *n, uint32_t *limit,
		struct err *e)
{
	const char *s = text;
	int r;

	*n = 0;
	*limit = 0;
	do {
		r = take_range(&s, indexes, max, n);
	} while (!r && *s == ',' && *++s);
	if (!r && *s == '%') {
		s++;
		if (!take_number(&s, limit) || !*limit)
			r = -EINVAL;
	}
	if (r == -E2BIG)
		return err_set(e, -EINVAL, "array: \"%.40s\" has more than %zu elements", text,
			       max);
	if (r || *s || s == text || s[-1] == ',') {
		err_set(e, -EINVAL, "array: \"%.40s\" is not a list of ascending indexes", text);
		return err_hint(e, "forms: 0-9, 0-9:2, 1,3,5, and with %%4 at most 4 at once");
	}
	return 0;
}
