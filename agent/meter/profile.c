/* See profile.h. */
#include "agent/meter/profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/paths.h"

#define PROFILE_MAX_BYTES (64u << 10)

const char *const profile_kernels[PROFILE_KERNELS + 1] = {"ep", "is", "cg", "mg", "ft", NULL};
const char *const profile_classes[PROFILE_CLASSES + 1] = {"S", "W", "A", "B", "C", NULL};

static const char *const kind_names[] = {"unknown", "assumed", "published", "measured", NULL};

/* Kinds as they may stand in a file: all but the first. */
static void get_kind(struct json_fields *f, enum profile_kind *kind)
{
	int k = 0;

	json_get_enum(f, "kind", JSON_REQUIRED, kind_names + 1, &k);
	*kind = (enum profile_kind)(k + 1);
}

const char *profile_kind_name(enum profile_kind kind)
{
	return kind_names[kind];
}

const char *profile_default(enum isa isa)
{
	return isa == ISA_AARCH64 ? "x-gene-1" : "xeon-e5-1650-v2";
}

static void parse_value(struct json_fields *outer, const char *key, enum json_need need, double lo,
			struct profile_value *v)
{
	const json_t *obj = NULL;
	struct json_fields f;
	struct err e = ERR_INIT;

	json_get_obj(outer, key, need, &obj);
	if (!obj)
		return;
	json_fields_init(&f, obj, key, &e);
	json_get_f64(&f, "value", JSON_REQUIRED, lo, 1e9, &v->value);
	get_kind(&f, &v->kind);
	json_get_str(&f, "source", JSON_REQUIRED, v->source, sizeof(v->source));
	if (json_fields_end(&f))
		json_fail(outer, key, "%s", e.msg);
}

/* The numbers of one kernel by class; a class may be missing or null. */
static int parse_kernel(const json_t *obj, const char *kernel, double lo,
			double value[PROFILE_CLASSES], struct err *e)
{
	struct json_fields f;

	json_fields_init(&f, obj, kernel, e);
	for (int c = 0; c < PROFILE_CLASSES; c++)
		json_get_f64(&f, profile_classes[c], JSON_OPTIONAL, lo, 1e9, &value[c]);
	return json_fields_end(&f);
}

static void parse_runs(struct json_fields *outer, const char *key, double lo,
		       struct profile_runs *r)
{
	const json_t *obj = NULL, *runs = NULL;
	struct json_fields f, by_kernel;
	struct err e = ERR_INIT;
	int rc;

	for (int k = 0; k < PROFILE_KERNELS; k++)
		for (int c = 0; c < PROFILE_CLASSES; c++)
			r->value[k][c] = -1;
	json_get_obj(outer, key, JSON_OPTIONAL, &obj);
	if (!obj)
		return;
	json_fields_init(&f, obj, key, &e);
	get_kind(&f, &r->kind);
	json_get_str(&f, "source", JSON_REQUIRED, r->source, sizeof(r->source));
	json_get_obj(&f, "runs", JSON_REQUIRED, &runs);
	rc = json_fields_end(&f);
	if (!rc) {
		json_fields_init(&by_kernel, runs, "runs", &e);
		for (int k = 0; k < PROFILE_KERNELS && !rc; k++) {
			const json_t *kernel = NULL;

			json_get_obj(&by_kernel, profile_kernels[k], JSON_OPTIONAL, &kernel);
			if (kernel)
				rc = parse_kernel(kernel, profile_kernels[k], lo, r->value[k], &e);
		}
		if (!rc)
			rc = json_fields_end(&by_kernel);
	}
	if (rc)
		json_fail(outer, key, "%s", e.msg);
}

static void parse_values(struct json_fields *f, struct profile *p)
{
	parse_value(f, "idle_w", JSON_REQUIRED, 0.001, &p->idle_w);
	parse_value(f, "core_w", JSON_REQUIRED, 0.001, &p->core_w);
	parse_value(f, "peak_w", JSON_REQUIRED, 0.001, &p->peak_w);
	parse_value(f, "sleep_w", JSON_OPTIONAL, 0, &p->sleep_w);
	parse_value(f, "sleep_s", JSON_OPTIONAL, 0, &p->sleep_s);
	parse_value(f, "wake_s", JSON_OPTIONAL, 0, &p->wake_s);
	parse_value(f, "wake_j", JSON_OPTIONAL, 0, &p->wake_j);
	parse_value(f, "memory_mib", JSON_OPTIONAL, 1, &p->memory_mib);
	parse_value(f, "link_mbit", JSON_OPTIONAL, 0.001, &p->link_mbit);
	parse_runs(f, "time_s", 1e-6, &p->time_s);
	parse_runs(f, "footprint_mib", 0.001, &p->footprint_mib);
	parse_runs(f, "dirty_mib_s", 0, &p->dirty_mib_s);
	if (!f->code && p->peak_w.value < p->idle_w.value)
		json_fail(f, "peak_w", "is below idle_w");
}

int profile_parse(const char *text, size_t len, struct profile *p, struct err *e)
{
	static const char *const scopes[] = {"machine", "processor", NULL};
	_cleanup_json_ json_t *root = NULL;
	struct json_fields f;
	uint64_t version = 0, cores = 0, nm = 0;
	char isa[16] = "";
	int scope = 0, rc;

	*p = (struct profile){0};
	rc = json_parse(text, len, PROFILE_MAX_BYTES, "machine profile", &root, e);
	if (rc)
		return rc;
	json_fields_init(&f, root, "profile", e);
	json_get_u64(&f, "version", JSON_REQUIRED, 1, 1, &version);
	json_get_str(&f, "name", JSON_REQUIRED, p->name, sizeof(p->name));
	json_get_str(&f, "title", JSON_REQUIRED, p->title, sizeof(p->title));
	json_get_str(&f, "isa", JSON_REQUIRED, isa, sizeof(isa));
	json_get_u64(&f, "cores", JSON_REQUIRED, 1, 4096, &cores);
	json_get_u64(&f, "process_nm", JSON_OPTIONAL, 1, 10000, &nm);
	json_get_f64(&f, "ghz", JSON_OPTIONAL, 0.01, 100, &p->ghz);
	json_get_enum(&f, "scope", JSON_OPTIONAL, scopes, &scope);
	parse_values(&f, p);
	if (!f.code && isa_parse(isa) < 0)
		json_fail(&f, "isa", "'%s' is not an ISA", isa);
	else if (!f.code)
		p->isa = (enum isa)isa_parse(isa);
	p->cores = (unsigned int)cores;
	p->process_nm = (unsigned int)nm;
	p->processor = scope == 1;
	return json_fields_end(&f);
}

static int try_file(const char *path, struct profile *p, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int rc;

	buf_init(&b, PROFILE_MAX_BYTES);
	rc = file_read(path, &b, e);
	if (rc)
		return rc;
	rc = profile_parse(buf_cstr(&b), b.len, p, e);
	return rc ? err_wrap(e, "%s", path) : 0;
}

int profile_load(const char *name, struct profile *p, struct err *e)
{
	const char *own = getenv("DROVER_PROFILES");
	char lib[1024], path[1280];
	int rc;

	if (strchr(name, '/'))
		return try_file(name, p, e);
	if (strlen(name) >= PROFILE_NAME_MAX)
		return err_set(e, -EINVAL, "profile name '%s' is too long", name);
	if (own) {
		snprintf(path, sizeof(path), "%.1000s/%s.json", own, name);
		rc = try_file(path, p, e);
		if (rc != -ENOENT)
			return rc;
	}
	rc = paths_libdir(lib, sizeof(lib));
	if (rc)
		return err_sys(e, rc, "cannot tell where the machine profiles are");
	snprintf(path, sizeof(path), "%s/profiles/%s.json", lib, name);
	rc = try_file(path, p, e);
	if (rc != -ENOENT)
		return rc;
	err_set(e, -ENOENT, "there is no machine profile '%s' (looked for %s)", name, path);
	err_hint(e, "name one of the profiles there, or give a path to a file");
	return -ENOENT;
}

/* Geometric mean of time_s of xeon-e5-1650-v2.json, in seconds. */
#define REFERENCE_S 0.9472

double profile_speed(const struct profile *p)
{
	double sum = 0;

	for (size_t k = 0; k < PROFILE_KERNELS; k++)
		for (size_t c = 0; c < PROFILE_CLASSES; c++) {
			/* Means over different programs could not be compared. */
			if (p->time_s.value[k][c] <= 0)
				return 0;
			sum += log(p->time_s.value[k][c]);
		}
	return REFERENCE_S / exp(sum / (PROFILE_KERNELS * PROFILE_CLASSES));
}
