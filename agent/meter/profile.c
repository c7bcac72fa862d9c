/* See profile.h. */
#include "agent/meter/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/paths.h"

#define PROFILE_MAX_BYTES (64u << 10)

const char *profile_default(enum isa isa)
{
	return isa == ISA_AARCH64 ? "x-gene-1" : "xeon-e5-1650-v2";
}

static void parse_value(struct json_fields *outer, const char *key, struct profile_value *v)
{
	static const char *const kinds[] = {"assumed", "published", NULL};
	const json_t *obj = NULL;
	struct json_fields f;
	struct err e = ERR_INIT;
	int kind = 0;

	json_get_obj(outer, key, JSON_REQUIRED, &obj);
	if (!obj)
		return;
	json_fields_init(&f, obj, key, &e);
	json_get_f64(&f, "value", JSON_REQUIRED, 0.001, 100000, &v->value);
	json_get_enum(&f, "kind", JSON_REQUIRED, kinds, &kind);
	json_get_str(&f, "source", JSON_REQUIRED, v->source, sizeof(v->source));
	v->published = kind == 1;
	if (json_fields_end(&f))
		json_fail(outer, key, "%s", e.msg);
}

int profile_parse(const char *text, size_t len, struct profile *p, struct err *e)
{
	_cleanup_json_ json_t *root = NULL;
	struct json_fields f;
	uint64_t version = 0, cores = 0, nm = 0;
	char isa[16] = "";
	int rc;

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
	parse_value(&f, "idle_w", &p->idle_w);
	parse_value(&f, "core_w", &p->core_w);
	parse_value(&f, "peak_w", &p->peak_w);
	if (!f.code && isa_parse(isa) < 0)
		json_fail(&f, "isa", "'%s' is not an ISA", isa);
	else if (!f.code)
		p->isa = (enum isa)isa_parse(isa);
	p->cores = (unsigned int)cores;
	p->process_nm = (unsigned int)nm;
	if (!f.code && p->peak_w.value < p->idle_w.value)
		json_fail(&f, "peak_w", "is below idle_w");
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
