/* See spec.h. */
#include "migrator/ferry/spec.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/digest.h"
#include "common/file.h"

static const char **strings(struct json_fields *f, const char *key)
{
	const json_t *arr = NULL;
	const char **v;

	json_get_arr(f, key, JSON_OPTIONAL, SPEC_MAX_STRINGS, &arr);
	v = calloc(json_array_size(arr) + 1, sizeof(*v));
	for (size_t i = 0; v && i < json_array_size(arr); i++) {
		const json_t *s = json_array_get(arr, i);

		v[i] = json_string_value(s);
		if (!v[i] || strlen(v[i]) != json_string_length(s)) {
			json_fail(f, key, "element %zu must be a string without NUL", i);
			break;
		}
	}
	return v;
}

static void check_receive(struct json_fields *f, const struct ferry_spec *s)
{
	if (f->code || s->role != FERRY_RECEIVE)
		return;
	if (!s->migration || strlen(s->migration) >= FERRY_ID_SIZE)
		json_fail(f, "migration", "is needed with role receive, at most %d bytes",
			  FERRY_ID_SIZE - 1);
	else if (!s->listen)
		json_fail(f, "listen", "is needed with role receive");
}

int spec_parse(const char *text, size_t len, struct spec *out, struct err *e)
{
	static const char *const roles[] = {"run", "receive", NULL};
	static const char *const isas[] = {"x86_64", "aarch64", NULL};
	struct ferry_spec *s = &out->s;
	uint64_t version = 0;
	uint8_t sum[DIGEST_SIZE];
	struct json_fields f;
	int role = 0, isa = 0, r;

	memset(out, 0, sizeof(*out));
	r = json_parse(text, len, SPEC_MAX_BYTES, "spec.json", &out->doc, e);
	if (r)
		return r;
	json_fields_init(&f, out->doc, "spec", e);
	json_get_u64(&f, "version", JSON_REQUIRED, FERRY_FORMAT_VERSION, FERRY_FORMAT_VERSION,
		     &version);
	json_get_strp(&f, "job", JSON_REQUIRED, 1, FERRY_ID_SIZE - 1, &s->job);
	json_get_u64(&f, "attempt", JSON_REQUIRED, 1, INT64_MAX, &s->attempt);
	json_get_u64(&f, "epoch", JSON_REQUIRED, 1, INT64_MAX, &s->epoch);
	json_get_enum(&f, "role", JSON_REQUIRED, roles, &role);
	json_get_strp(&f, "bundle", JSON_REQUIRED, 1, PATH_MAX - 1, &s->bundle);
	json_get_strp(&f, "sha256", JSON_REQUIRED, 64, 64, &s->sha256);
	json_get_enum(&f, "isa", JSON_REQUIRED, isas, &isa);
	json_get_strp(&f, "name", JSON_REQUIRED, 1, 4096, &s->name);
	out->args = strings(&f, "args");
	out->env = strings(&f, "env");
	json_get_strp(&f, "stdin", JSON_OPTIONAL, 1, PATH_MAX - 1, &s->stdin_path);
	json_get_strp(&f, "cwd", JSON_OPTIONAL, 1, PATH_MAX - 1, &s->cwd);
	json_get_strp(&f, "migration", JSON_OPTIONAL, 0, FERRY_ID_SIZE - 1, &s->migration);
	json_get_strp(&f, "listen", JSON_OPTIONAL, 1, 127, &s->listen);
	json_get_u64(&f, "max_image_bytes", JSON_OPTIONAL, 0, INT64_MAX, &s->max_image_bytes);
	s->role = role ? FERRY_RECEIVE : FERRY_RUN;
	s->isa = isa ? ISA_AARCH64 : ISA_X86_64;
	s->args = out->args;
	s->env = out->env;
	if (!s->max_image_bytes)
		s->max_image_bytes = SPEC_IMAGE_BYTES;
	if (!f.code && digest_parse(s->sha256, sum))
		json_fail(&f, "sha256", "must be 64 hex digits");
	check_receive(&f, s);
	if (!out->args || !out->env)
		return err_set(e, -ENOMEM, "spec.json: out of memory");
	return json_fields_end(&f);
}

int spec_read(const char *dir, struct spec *out, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	char path[PATH_MAX];
	int r;

	memset(out, 0, sizeof(*out));
	buf_init(&b, SPEC_MAX_BYTES);
	if (file_join(path, sizeof(path), dir, "spec.json"))
		return err_set(e, -ENAMETOOLONG, "the state directory's name %.80s... is too long",
			       dir);
	r = file_read(path, &b, e);
	return r ? r : spec_parse(buf_cstr(&b), b.len, out, e);
}

void spec_free(struct spec *s)
{
	free(s->args);
	free(s->env);
	json_decref(s->doc);
	memset(s, 0, sizeof(*s));
}
