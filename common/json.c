#include "common/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

int json_parse(const char *text, size_t len, size_t max, const char *what, json_t **out,
	       struct err *e)
{
	json_error_t je;

	*out = NULL;
	if (len > max)
		return err_set(e, -EFBIG, "%s is larger than %zu bytes", what, max);
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &je);
	if (!*out)
		return err_set(e, -EINVAL, "%s is not valid JSON: line %d, column %d: %s", what,
			       je.line, je.column, je.text);
	return 0;
}

void json_fields_init(struct json_fields *f, const json_t *v, const char *path, struct err *e)
{
	memset(f, 0, sizeof(*f));
	f->e = e ? e : &f->own;
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	if (!json_is_object(v)) {
		f->code = err_set(f->e, -EINVAL, "%s: must be an object", path);
		return;
	}
	f->obj = v;
}

/* For a caller who wants to hear of all that is wrong. */
static void add_field(struct json_fields *f, const char *key, const char *detail)
{
	struct err_fields *list = f->e->fields;
	const char *dot = strchr(f->path, '.');

	if (!list || list->n == ERR_FIELDS_MAX)
		return;
	/* The path without its root, which names the document. */
	(void)snprintf(list->v[list->n].field, sizeof(list->v[0].field), "%s%s%s",
		       dot ? dot + 1 : "", dot ? "." : "", key);
	(void)snprintf(list->v[list->n].detail, sizeof(list->v[0].detail), "%s", detail);
	list->n++;
}

int json_fields_end_lax(struct json_fields *f)
{
	return f->code;
}

int json_fields_end(struct json_fields *f)
{
	const char *key;
	json_t *value;

	if (!f->obj || (f->code && !f->e->fields))
		return f->code;
	json_object_foreach((json_t *)(uintptr_t)f->obj, key, value)
	{
		unsigned int i;

		for (i = 0; i < f->nseen; i++)
			if (!strcmp(f->seen[i], key))
				break;
		if (i < f->nseen)
			continue;
		add_field(f, key, "is not a field that is known here");
		if (!f->code)
			f->code =
				err_set(f->e, -EINVAL, "%s: unknown field \"%.64s\"", f->path, key);
		if (!f->e->fields)
			return f->code;
	}
	return f->code;
}

void json_fail(struct json_fields *f, const char *key, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (f->code && !f->e->fields)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	add_field(f, key, text);
	if (!f->code)
		f->code = err_set(f->e, -EINVAL, "%s.%s: %s", f->path, key, text);
}

/* The field's value, or NULL when there is nothing (more) to do. */
static const json_t *json_field(struct json_fields *f, const char *key, enum json_need need)
{
	const json_t *v;

	if (!f->obj || (f->code && !f->e->fields))
		return NULL;
	if (f->nseen == JSON_FIELDS_MAX) {
		json_fail(f, key, "more than %d fields are read", JSON_FIELDS_MAX);
		return NULL;
	}
	f->seen[f->nseen++] = key;
	v = json_object_get(f->obj, key);
	if (v && !json_is_null(v))
		return v;
	if (need == JSON_REQUIRED)
		json_fail(f, key, "is required");
	return NULL;
}

void json_get_strp(struct json_fields *f, const char *key, enum json_need need, size_t min,
		   size_t max, const char **out)
{
	const json_t *v = json_field(f, key, need);
	size_t len;

	if (!v)
		return;
	if (!json_is_string(v)) {
		json_fail(f, key, "must be a string");
		return;
	}
	len = json_string_length(v);
	if (len < min || len > max) {
		json_fail(f, key, "must be a string of %zu to %zu bytes", min, max);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)json_string_value(v)[i];

		if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f) {
			json_fail(f, key, "must not contain control characters");
			return;
		}
	}
	*out = json_string_value(v);
}

void json_get_str(struct json_fields *f, const char *key, enum json_need need, char *out,
		  size_t size)
{
	const char *s = NULL;

	json_get_strp(f, key, need, 0, size - 1, &s);
	if (s)
		memcpy(out, s, strlen(s) + 1);
}

void json_get_i64(struct json_fields *f, const char *key, enum json_need need, int64_t lo,
		  int64_t hi, int64_t *out)
{
	const json_t *v = json_field(f, key, need);
	int64_t n;

	if (!v)
		return;
	n = json_is_integer(v) ? json_integer_value(v) : 0;
	if (!json_is_integer(v) || n < lo || n > hi) {
		json_fail(f, key, "must be a whole number from %" PRId64 " to %" PRId64, lo, hi);
		return;
	}
	*out = n;
}

void json_get_u64(struct json_fields *f, const char *key, enum json_need need, uint64_t lo,
		  uint64_t hi, uint64_t *out)
{
	int64_t n = -1;

	if (hi > INT64_MAX)
		hi = INT64_MAX;
	json_get_i64(f, key, need, (int64_t)lo, (int64_t)hi, &n);
	if (n >= 0)
		*out = (uint64_t)n;
}

void json_get_f64(struct json_fields *f, const char *key, enum json_need need, double lo, double hi,
		  double *out)
{
	const json_t *v = json_field(f, key, need);
	double n;

	if (!v)
		return;
	n = json_is_number(v) ? json_number_value(v) : NAN;
	if (!isfinite(n) || n < lo || n > hi) {
		json_fail(f, key, "must be a number from %g to %g", lo, hi);
		return;
	}
	*out = n;
}

void json_get_bool(struct json_fields *f, const char *key, enum json_need need, bool *out)
{
	const json_t *v = json_field(f, key, need);

	if (!v)
		return;
	if (!json_is_boolean(v)) {
		json_fail(f, key, "must be true or false");
		return;
	}
	*out = json_is_true(v);
}

void json_get_obj(struct json_fields *f, const char *key, enum json_need need, const json_t **out)
{
	const json_t *v = json_field(f, key, need);

	if (!v)
		return;
	if (!json_is_object(v)) {
		json_fail(f, key, "must be an object");
		return;
	}
	*out = v;
}

void json_get_arr(struct json_fields *f, const char *key, enum json_need need, size_t max,
		  const json_t **out)
{
	const json_t *v = json_field(f, key, need);

	if (!v)
		return;
	if (!json_is_array(v) || json_array_size(v) > max) {
		json_fail(f, key, "must be an array of at most %zu elements", max);
		return;
	}
	*out = v;
}

void json_get_enum(struct json_fields *f, const char *key, enum json_need need,
		   const char *const *names, int *out)
{
	const json_t *v = json_field(f, key, need);
	char list[192] = "";
	size_t n = 0;

	if (!v)
		return;
	for (int i = 0; names[i]; i++) {
		if (json_is_string(v) && !strcmp(json_string_value(v), names[i])) {
			*out = i;
			return;
		}
		if (n < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
					      names[i]);
	}
	json_fail(f, key, "must be one of %s", list);
}
