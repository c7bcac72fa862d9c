/*
 * Strict, bounded access to JSON from outside.
 *
 * A struct json_fields walks one object; its error is sticky, so a caller reads
 * all fields and checks once:
 *
 *	struct json_fields f;
 *	json_fields_init(&f, obj, "job", e);
 *	json_get_str(&f, "name", JSON_REQUIRED, name, sizeof(name));
 *	json_get_u64(&f, "cpus", JSON_OPTIONAL, 1, 1024, &cpus);
 *	return json_fields_end(&f);	// also refuses fields nobody asked for
 *
 * Messages carry the path ("job.limits.cpus: must be a whole number from 1 to
 * 1024"). An optional field that is missing or null leaves the output untouched.
 * Once an error is set the getters do nothing, unless the caller's struct err
 * has a list of fields: then they go on, and every wrong field is in that list.
 */
#ifndef DROVER_COMMON_JSON_H
#define DROVER_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "common/err.h"

enum json_need { JSON_OPTIONAL, JSON_REQUIRED };

#define JSON_FIELDS_MAX 64

struct json_fields {
	const json_t *obj;
	struct err *e;
	int code; /* first error */
	unsigned int nseen;
	const char *seen[JSON_FIELDS_MAX];
	char path[128];
	struct err own; /* used when the caller gave none */
};

/* Parses text of len bytes as one value; -EFBIG over max, -EINVAL with line and column. New
 * reference. */
int json_parse(const char *text, size_t len, size_t max, const char *what, json_t **out,
	       struct err *e);

/* Starts on v, which must be an object; path names it in messages. Borrows obj and path's contents.
 */
void json_fields_init(struct json_fields *f, const json_t *v, const char *path, struct err *e);

/* The first error, or -EINVAL if the object has a field that no getter named. */
int json_fields_end(struct json_fields *f);
/* The first error; unknown fields are allowed (for messages of a newer peer). */
int json_fields_end_lax(struct json_fields *f);

/* A string without control characters other than tab and newline that fits size with its NUL. */
void json_get_str(struct json_fields *f, const char *key, enum json_need need, char *out,
		  size_t size);
/* A string of at least min and at most max bytes, borrowed from the document. */
void json_get_strp(struct json_fields *f, const char *key, enum json_need need, size_t min,
		   size_t max, const char **out);
/* A whole number from lo to hi. JSON integers are signed 64 bit: hi above INT64_MAX is INT64_MAX.
 */
void json_get_u64(struct json_fields *f, const char *key, enum json_need need, uint64_t lo,
		  uint64_t hi, uint64_t *out);
void json_get_i64(struct json_fields *f, const char *key, enum json_need need, int64_t lo,
		  int64_t hi, int64_t *out);
/* A finite number (integers are fine) from lo to hi. */
void json_get_f64(struct json_fields *f, const char *key, enum json_need need, double lo, double hi,
		  double *out);
void json_get_bool(struct json_fields *f, const char *key, enum json_need need, bool *out);
/* Borrowed. */
void json_get_obj(struct json_fields *f, const char *key, enum json_need need, const json_t **out);
/* An array of at most max elements; borrowed. */
void json_get_arr(struct json_fields *f, const char *key, enum json_need need, size_t max,
		  const json_t **out);
/* A string that is one of names (NULL-terminated); *out is its index. */
void json_get_enum(struct json_fields *f, const char *key, enum json_need need,
		   const char *const *names, int *out);
/* Sets a semantic error for a field: "path.key: <text>". */
void json_fail(struct json_fields *f, const char *key, const char *fmt, ...) _printf_(3, 4);

static inline void cleanup_json(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_ _cleanup_(cleanup_json)

#endif
