#include "migrator/ferry/status.h"

#include <errno.h>
#include <string.h>

static const char *const state_names[] = {
	"starting", "running", "capturing", "frozen", "receiving",
	"loaded",   "exited",  "released",  "failed", NULL,
};

static const char *const migration_names[] = {
	"none",   "prepared", "capturing", "deferred", "sending", "receiving", "sent",
	"loaded", "running",  "released",  "aborted",  "failed",  NULL,
};

static const char *const isa_names[] = {"x86_64", "aarch64", NULL};

const char *ferry_state_name(enum ferry_state s)
{
	return (size_t)s < ARRAY_SIZE(state_names) - 1 ? state_names[s] : "unknown";
}

const char *ferry_migration_state_name(enum ferry_migration_state s)
{
	return (size_t)s < ARRAY_SIZE(migration_names) - 1 ? migration_names[s] : "unknown";
}

/*
 * One table says how every field of both objects is called and held; packing
 * and parsing walk it.
 */
enum field_type { F_STR, F_U64, F_STATE, F_MIGRATION_STATE, F_ISA, F_BOOL, F_INT, F_PID };

struct field {
	const char *name;
	enum field_type type;
	size_t offset, size;
};

#define STATUS(n, t, f)                                                                            \
	{n, t, offsetof(struct ferry_status, f), sizeof(((struct ferry_status *)0)->f)}
#define MIGRATION(n, t, f)                                                                         \
	{n, t, offsetof(struct ferry_migration, f), sizeof(((struct ferry_migration *)0)->f)}

static const struct field status_fields[] = {
	STATUS("job", F_STR, job),
	STATUS("attempt", F_U64, attempt),
	STATUS("epoch", F_U64, epoch),
	STATUS("state", F_STATE, state),
	STATUS("reason", F_STR, reason),
	STATUS("ferry_pid", F_PID, ferry_pid),
	STATUS("job_pid", F_PID, job_pid),
	STATUS("isa", F_ISA, isa),
	STATUS("emulated", F_BOOL, emulated),
	STATUS("exit_code", F_INT, exit_code),
	STATUS("signal", F_INT, signal),
	STATUS("cpu_us", F_U64, cpu_us),
	STATUS("log_base", F_U64, log_base),
	STATUS("log_bytes", F_U64, log_bytes),
	STATUS("started_ms", F_U64, started_ms),
	STATUS("ended_ms", F_U64, ended_ms),
	STATUS("points", F_U64, points),
};

static const struct field migration_fields[] = {
	MIGRATION("id", F_STR, id),
	MIGRATION("state", F_MIGRATION_STATE, state),
	MIGRATION("reason", F_STR, reason),
	MIGRATION("endpoint", F_STR, endpoint),
	MIGRATION("secret", F_STR, secret),
	MIGRATION("image_bytes", F_U64, image_bytes),
	MIGRATION("frames", F_U64, frames),
	MIGRATION("save_us", F_U64, save_us),
	MIGRATION("transfer_us", F_U64, transfer_us),
	MIGRATION("load_us", F_U64, load_us),
	MIGRATION("rebuild_us", F_U64, rebuild_us),
	MIGRATION("frozen_ms", F_U64, frozen_ms),
	MIGRATION("resumed_ms", F_U64, resumed_ms),
	MIGRATION("frozen_mono_ns", F_U64, frozen_mono_ns),
	MIGRATION("resumed_mono_ns", F_U64, resumed_mono_ns),
};

/* Texts may hold what a program or peer said: anything not valid in a JSON string becomes '?'. */
static json_t *text_json(const char *s)
{
	json_t *v = json_string(s);
	char clean[512];
	size_t n = 0;

	if (v)
		return v;
	for (; *s && n + 1 < sizeof(clean); s++)
		clean[n++] = (unsigned char)*s < 0x80 ? *s : '?';
	clean[n] = '\0';
	return json_string(clean);
}

static json_t *field_pack(const struct field *f, const void *base)
{
	const void *p = (const char *)base + f->offset;

	switch (f->type) {
	case F_STR:
		return text_json(p);
	case F_U64:
		return json_integer((json_int_t)(*(const uint64_t *)p & INT64_MAX));
	case F_STATE:
		return json_string(ferry_state_name(*(const enum ferry_state *)p));
	case F_MIGRATION_STATE:
		return json_string(
			ferry_migration_state_name(*(const enum ferry_migration_state *)p));
	case F_ISA:
		return json_string(isa_name(*(const enum isa *)p));
	case F_BOOL:
		return json_boolean(*(const bool *)p);
	case F_INT:
		return json_integer(*(const int *)p);
	case F_PID:
		return json_integer(*(const pid_t *)p);
	}
	return NULL;
}

static json_t *fields_pack(const struct field *f, size_t n, const void *base)
{
	json_t *obj = json_object();

	for (size_t i = 0; obj && i < n; i++)
		if (json_object_set_new(obj, f[i].name, field_pack(&f[i], base)) < 0) {
			json_decref(obj);
			obj = NULL;
		}
	return obj;
}

json_t *ferry_status_pack(const struct ferry_status *s)
{
	json_t *obj = fields_pack(status_fields, ARRAY_SIZE(status_fields), s);
	const struct ferry_answer *a = &s->answer;
	int r;

	if (!obj)
		return NULL;
	r = json_object_set_new(obj, "version", json_integer(FERRY_FORMAT_VERSION));
	r |= json_object_set_new(obj, "cpu_us_by_isa",
				 json_pack("[II]", (json_int_t)s->cpu_us_by_isa[0],
					   (json_int_t)s->cpu_us_by_isa[1]));
	r |= json_object_set_new(
		obj, "migration",
		fields_pack(migration_fields, ARRAY_SIZE(migration_fields), &s->migration));
	if (a->id)
		r |= json_object_set_new(obj, "answer",
					 json_pack("{sI sb si so so}", "id", (json_int_t)a->id,
						   "ok", a->ok, "code", a->code, "error",
						   text_json(a->error), "hint",
						   text_json(a->hint)));
	if (r < 0) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static void field_parse(struct json_fields *j, const struct field *f, void *base)
{
	void *p = (char *)base + f->offset;
	int64_t n = 0;
	int name = 0;

	switch (f->type) {
	case F_STR:
		json_get_str(j, f->name, JSON_REQUIRED, p, f->size);
		break;
	case F_U64:
		json_get_u64(j, f->name, JSON_REQUIRED, 0, UINT64_MAX, p);
		break;
	case F_STATE:
		json_get_enum(j, f->name, JSON_REQUIRED, state_names, &name);
		*(enum ferry_state *)p = (enum ferry_state)name;
		break;
	case F_MIGRATION_STATE:
		json_get_enum(j, f->name, JSON_REQUIRED, migration_names, &name);
		*(enum ferry_migration_state *)p = (enum ferry_migration_state)name;
		break;
	case F_ISA:
		json_get_enum(j, f->name, JSON_REQUIRED, isa_names, &name);
		*(enum isa *)p = (enum isa)name;
		break;
	case F_BOOL:
		json_get_bool(j, f->name, JSON_REQUIRED, p);
		break;
	case F_INT:
		json_get_i64(j, f->name, JSON_REQUIRED, -4096, 4096, &n);
		*(int *)p = (int)n;
		break;
	case F_PID:
		json_get_i64(j, f->name, JSON_REQUIRED, 0, INT32_MAX, &n);
		*(pid_t *)p = (pid_t)n;
		break;
	}
}

static int parse_answer(const json_t *v, struct ferry_answer *a, struct err *e)
{
	struct json_fields j;
	int64_t code = 0;

	json_fields_init(&j, v, "status.answer", e);
	json_get_u64(&j, "id", JSON_REQUIRED, 0, UINT64_MAX, &a->id);
	json_get_bool(&j, "ok", JSON_REQUIRED, &a->ok);
	json_get_i64(&j, "code", JSON_REQUIRED, -4096, 0, &code);
	json_get_str(&j, "error", JSON_REQUIRED, a->error, sizeof(a->error));
	json_get_str(&j, "hint", JSON_REQUIRED, a->hint, sizeof(a->hint));
	a->code = (int)code;
	return json_fields_end_lax(&j);
}

int ferry_status_parse(const json_t *v, struct ferry_status *s, struct err *e)
{
	const json_t *migration = NULL, *answer = NULL, *cpu = NULL;
	struct json_fields j;
	uint64_t version = 0;
	int r;

	memset(s, 0, sizeof(*s));
	json_fields_init(&j, v, "status", e);
	json_get_u64(&j, "version", JSON_REQUIRED, FERRY_FORMAT_VERSION, FERRY_FORMAT_VERSION,
		     &version);
	for (size_t i = 0; i < ARRAY_SIZE(status_fields); i++)
		field_parse(&j, &status_fields[i], s);
	json_get_arr(&j, "cpu_us_by_isa", JSON_REQUIRED, ISA_COUNT, &cpu);
	json_get_obj(&j, "migration", JSON_REQUIRED, &migration);
	json_get_obj(&j, "answer", JSON_OPTIONAL, &answer);
	r = json_fields_end_lax(&j);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ISA_COUNT; i++) {
		const json_t *n = json_array_get(cpu, i);

		if (!json_is_integer(n) || json_integer_value(n) < 0)
			return err_set(e, -EINVAL, "status.cpu_us_by_isa: must be %d whole numbers",
				       ISA_COUNT);
		s->cpu_us_by_isa[i] = (uint64_t)json_integer_value(n);
	}
	json_fields_init(&j, migration, "status.migration", e);
	for (size_t i = 0; i < ARRAY_SIZE(migration_fields); i++)
		field_parse(&j, &migration_fields[i], &s->migration);
	r = json_fields_end_lax(&j);
	if (r == 0 && answer)
		r = parse_answer(answer, &s->answer, e);
	return r;
}
