/* Reader of trace files (docs/formats/waves.md). It trusts nothing: the file is a user's. */
#include "workloads/waves/waves.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"

#define MAX_FILE ((size_t)WAVES_MAX_JOBS * 256)

static const char *const class_names[] = {"S", "W", "A", "B", "C", NULL};
static const char *const load_names[] = {"periodic", "sustained", NULL};

static uint64_t to_ms(double s)
{
	return (uint64_t)llround(s * 1000);
}

static void get_u32(struct json_fields *f, const char *key, uint32_t hi, uint32_t *out)
{
	uint64_t v = 1;

	json_get_u64(f, key, JSON_REQUIRED, 1, hi, &v);
	*out = (uint32_t)v;
}

static void header_waves(struct json_fields *f, struct wave_params *p)
{
	const double most = (double)WAVES_MAX_SPACING / 1000;
	double lo = 0, hi = 0;

	get_u32(f, "waves", WAVES_MAX_JOBS, &p->waves);
	get_u32(f, "jobs_per_wave", WAVES_MAX_JOBS, &p->jobs_per_wave);
	json_get_f64(f, "spacing_min_s", JSON_REQUIRED, 0, most, &lo);
	json_get_f64(f, "spacing_max_s", JSON_REQUIRED, lo, most, &hi);
	p->spacing_min_ms = to_ms(lo);
	p->spacing_max_ms = to_ms(hi);
}

/* The section "Header line". */
static int header(const json_t *v, struct wave_trace *t, size_t *njobs, struct err *e)
{
	struct wave_params *p = &t->params;
	char format[32] = "", mix[WAVES_MAX_KINDS * 64] = "";
	uint64_t version = 0, jobs = 0;
	int load = WAVE_PERIODIC, r;
	struct json_fields f;

	json_fields_init(&f, v, "header", e);
	json_get_str(&f, "format", JSON_REQUIRED, format, sizeof(format));
	if (strcmp(format, "drover-waves") != 0)
		json_fail(&f, "format", "must be \"drover-waves\": this is no trace file");
	json_get_u64(&f, "version", JSON_REQUIRED, 1, INT64_MAX, &version);
	if (version > WAVES_VERSION)
		json_fail(&f, "version", "is newer than %d, the newest known here", WAVES_VERSION);
	json_get_u64(&f, "seed", JSON_REQUIRED, 0, INT64_MAX, &p->seed);
	json_get_enum(&f, "load", JSON_OPTIONAL, load_names, &load);
	if (load == WAVE_SUSTAINED)
		get_u32(&f, "in_flight", WAVES_MAX_JOBS, &p->in_flight);
	else
		header_waves(&f, p);
	get_u32(&f, "cpus", WAVES_MAX_CPUS, &p->cpus);
	json_get_str(&f, "mix", JSON_REQUIRED, mix, sizeof(mix));
	json_get_u64(&f, "jobs", JSON_REQUIRED, 1, WAVES_MAX_JOBS, &jobs);
	r = json_fields_end(&f);
	if (r < 0)
		return r;
	p->load = (enum wave_load)load;
	if (p->load == WAVE_SUSTAINED)
		p->set = (uint32_t)jobs;
	*njobs = (size_t)jobs;
	return wave_mix_parse(mix, p, e);
}

static bool program_ok(const char *name)
{
	if (name[0] < 'a' || name[0] > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* The section "Job lines". */
static int job(const json_t *v, struct wave_job *j, struct err *e)
{
	uint64_t after_ends = 0;
	double arrival = 0;
	struct json_fields f;
	int class = 0, r;

	json_fields_init(&f, v, "job", e);
	json_get_f64(&f, "arrival_s", JSON_REQUIRED, 0, 1e12, &arrival);
	json_get_u64(&f, "after_ends", JSON_OPTIONAL, 0, WAVES_MAX_JOBS, &after_ends);
	get_u32(&f, "wave", WAVES_MAX_JOBS, &j->wave);
	json_get_str(&f, "program", JSON_REQUIRED, j->kind.program, sizeof(j->kind.program));
	if (!program_ok(j->kind.program))
		json_fail(&f, "program", "must be lower-case letters, digits and '-'");
	json_get_enum(&f, "class", JSON_REQUIRED, class_names, &class);
	get_u32(&f, "repeat", WAVES_MAX_REPEAT, &j->kind.repeat);
	get_u32(&f, "cpus", WAVES_MAX_CPUS, &j->cpus);
	r = json_fields_end(&f);
	if (r < 0)
		return r;
	j->arrival_ms = to_ms(arrival);
	j->after_ends = (uint32_t)after_ends;
	j->kind.class = class_names[class][0];
	return 0;
}

/* The line at *at, without its end, as JSON; advances *at behind it. */
static int next_line(const char **at, const char *end, json_t **v, struct err *e)
{
	const char *start = *at, *nl = memchr(start, '\n', (size_t)(end - start));

	if (!nl)
		return err_set(e, -EINVAL, "the file ends within the line");
	*at = nl + 1;
	return json_parse(start, (size_t)(nl - start), WAVES_MAX_LINE, "line", v, e);
}

static int jobs(const char *at, const char *end, struct wave_trace *t, size_t njobs, size_t *line,
		struct err *e)
{
	/* A job takes more bytes in the file than in memory: a lying header buys nothing. */
	if (njobs > (size_t)(end - at) / 64)
		return err_set(e, -EINVAL, "the file is too short for %zu jobs", njobs);
	t->jobs = calloc(njobs, sizeof(*t->jobs));
	if (!t->jobs)
		return err_set(e, -ENOMEM, "no memory for %zu jobs", njobs);
	while (at < end) {
		_cleanup_json_ json_t *v = NULL;
		struct wave_job *j = &t->jobs[t->njobs];
		int r;

		(*line)++;
		if (t->njobs == njobs)
			return err_set(e, -EINVAL, "the header says %zu jobs; there are more",
				       njobs);
		r = next_line(&at, end, &v, e);
		if (r == 0)
			r = job(v, j, e);
		if (r < 0)
			return r;
		if (t->njobs && j->arrival_ms < j[-1].arrival_ms)
			return err_set(e, -EINVAL, "the job arrives before the one above it");
		if (j->after_ends > t->njobs || (t->njobs && j->after_ends < j[-1].after_ends))
			return err_set(
				e, -EINVAL,
				"job.after_ends: must be at most the number of jobs above it, and "
				"not less than in the line above");
		t->njobs++;
	}
	if (t->njobs < njobs)
		return err_set(e, -EINVAL, "the header says %zu jobs; there are only %zu", njobs,
			       t->njobs);
	return 0;
}

int wave_read(const char *text, size_t len, struct wave_trace *t, struct err *e)
{
	const char *at = text, *end = text + len;
	_cleanup_json_ json_t *v = NULL;
	size_t line = 1, njobs = 0;
	int r;

	*t = (struct wave_trace){0};
	r = len ? next_line(&at, end, &v, e) : err_set(e, -EINVAL, "the file is empty");
	if (r == 0)
		r = header(v, t, &njobs, e);
	if (r == 0)
		r = jobs(at, end, t, njobs, &line, e);
	if (r < 0) {
		wave_trace_free(t);
		return err_wrap(e, "trace, line %zu", line);
	}
	return 0;
}

int wave_load(const char *path, struct wave_trace *t, struct err *e)
{
	_cleanup_buf_ struct buf b;
	int r;

	*t = (struct wave_trace){0};
	buf_init(&b, MAX_FILE);
	r = file_read(path, &b, e);
	if (r < 0)
		return r;
	r = wave_read(buf_cstr(&b), b.len, t, e);
	return r < 0 ? err_wrap(e, "%s", path) : 0;
}
