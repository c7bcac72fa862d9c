/* Standard Workload Format: see trace.h for how irregular files are taken. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scheduler/replay/trace.h"

/* Fields of a line, by their place in the standard. */
enum {
	F_NUMBER,
	F_SUBMIT,
	F_WAIT,
	F_RUN,
	F_PROCS,
	F_CPU,
	F_MEMORY,
	F_REQ_PROCS,
	F_REQ_TIME,
	F_REQ_MEMORY,
	F_STATUS,
	F_USER,
	F_GROUP,
	F_PROGRAM,
	F_QUEUE,
	F_PARTITION,
	F_PRECEDING,
	F_THINK,
	F_COUNT
};
#define F_LEAST (F_PROCS + 1)

static const char *const field_names[F_COUNT] = {
	"job number",     "submit time",      "wait time", "run time",
	"processors",     "CPU time",         "memory",    "requested processors",
	"requested time", "requested memory", "status",    "user",
	"group",          "executable",       "queue",     "partition",
	"preceding job",  "think time"};

enum { STATUS_FAILED = 0, STATUS_PART = 2, STATUS_PART_FAILED = 4, STATUS_CANCELLED = 5 };

/* While reading: the number of the preceding job, which may come later in the file. */
struct link {
	uint64_t number; /* of the job this one follows; 0: none */
};

/* A kernel of the machine profiles, from a comment. */
struct application {
	uint32_t number; /* as field 14 has it */
	char kernel[16];
	char class;
	uint32_t repeat;
};
#define APPLICATIONS_MAX 256u

struct reader {
	struct trace *t;
	struct application applications[APPLICATIONS_MAX];
	size_t napplications;
	struct link *links; /* beside t->jobs */
	size_t links_cap;
	double *submit_s; /* beside t->jobs */
	size_t submit_cap;
	struct err *e;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* One number; the text is bounded by a NUL that the caller put behind the line. */
static int number(const char **at, double *out, bool *is_float)
{
	char *end;
	const char *p = *at;
	double v;

	if (*p != '-' && *p != '+' && *p != '.' && (*p < '0' || *p > '9'))
		return -EINVAL;
	v = strtod(p, &end);
	if (end == p || (*end && !is_space(*end)) || !isfinite(v) || fabs(v) > 1e15)
		return -EINVAL;
	for (; p < end; p++)
		if (*p == 'x' || *p == 'X' || *p == 'p' || *p == 'P')
			return -EINVAL;
	*is_float |= memchr(*at, '.', (size_t)(end - *at)) != NULL;
	*at = end;
	*out = v;
	return 0;
}

static int split(struct reader *r, const char *line, double f[F_COUNT])
{
	size_t n = 0;
	bool is_float = false;

	for (size_t i = 0; i < F_COUNT; i++)
		f[i] = -1;
	for (;;) {
		while (is_space(*line))
			line++;
		if (!*line)
			break;
		if (n == F_COUNT) {
			r->t->long_lines++;
			break;
		}
		if (number(&line, &f[n], &is_float))
			return err_set(r->e, -EINVAL, "field %zu (%s) is no number: '%.*s'", n + 1,
				       field_names[n], (int)strcspn(line, " \t\r"), line);
		n++;
	}
	if (n < F_LEAST)
		return err_set(r->e, -EINVAL,
			       "there are %zu fields; the first %d, up to the processors, are "
			       "needed",
			       n, F_LEAST);
	r->t->short_lines += n < F_COUNT;
	r->t->floats += is_float;
	return 0;
}

#define MEMORY_MAX_KIB 1e15 /* of a job: an exbibyte */

static int check_range(struct reader *r, const double f[F_COUNT], int i, double max)
{
	return f[i] <= max ? 0
			   : err_set(r->e, -ERANGE, "field %d (%s): %.0f is more than %.0f", i + 1,
				     field_names[i], f[i], max);
}

static int check(struct reader *r, const double f[F_COUNT])
{
	static const struct {
		int field;
		double max;
	} limits[] = {{F_NUMBER, 9e15},
		      {F_WAIT, TRACE_MAX_TIME},
		      {F_RUN, TRACE_MAX_TIME},
		      {F_PROCS, TRACE_MAX_CPUS},
		      {F_REQ_PROCS, TRACE_MAX_CPUS},
		      {F_REQ_TIME, 4e9},
		      {F_THINK, 4e6},
		      {F_USER, 4e9},
		      {F_PROGRAM, 4e9},
		      {F_MEMORY, 1e12},
		      {F_REQ_MEMORY, 1e12},
		      {F_STATUS, 1e6},
		      {F_PRECEDING, 9e15}};
	double kib = f[F_MEMORY] > 0 ? f[F_MEMORY] : f[F_REQ_MEMORY];
	double cpus = f[F_PROCS] > 0 ? f[F_PROCS] : f[F_REQ_PROCS];
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_SIZE(limits); i++)
		rc = check_range(r, f, limits[i].field, limits[i].max);
	if (!rc && fabs(f[F_SUBMIT]) > 1e12)
		rc = err_set(r->e, -ERANGE, "field 2 (submit time): %.0f is too far away",
			     f[F_SUBMIT]);
	if (!rc && f[F_STATUS] < -1e6)
		rc = err_set(r->e, -ERANGE, "field 11 (status): %.0f is none", f[F_STATUS]);
	if (!rc && kib > 0 && cpus > 0 && kib * ceil(cpus) > MEMORY_MAX_KIB)
		rc = err_set(r->e, -ERANGE,
			     "%.0f KiB on each of %.0f processors is too much memory", kib, cpus);
	return rc;
}

static uint32_t whole(double v)
{
	return v > 0 ? (uint32_t)v : 0;
}

static float busy_part(const double f[F_COUNT])
{
	if (f[F_CPU] < 0 || f[F_RUN] <= 0 || f[F_CPU] >= f[F_RUN])
		return 1;
	return (float)(f[F_CPU] / f[F_RUN]);
}

/* Arrays that grow beside the jobs. */
static bool beside(struct reader *r)
{
	if (r->links_cap == r->t->cap && r->links)
		return true;
	struct link *l = realloc(r->links, r->t->cap * sizeof(*l));
	if (l)
		r->links = l;
	double *s = realloc(r->submit_s, r->t->cap * sizeof(*s));
	if (s)
		r->submit_s = s;
	if (!l || !s)
		return false;
	r->links_cap = r->t->cap;
	return true;
}

static const struct application *application(const struct reader *r, const double f[F_COUNT])
{
	for (size_t i = 0; i < r->napplications; i++)
		if (f[F_PROGRAM] == r->applications[i].number)
			return &r->applications[i];
	return NULL;
}

static int add(struct reader *r, const double f[F_COUNT], bool withdrawn, double cpus)
{
	const struct application *a = f[F_RUN] < 0 && !withdrawn ? application(r, f) : NULL;
	struct trace_job *j = trace_add(r->t);
	double kib = f[F_MEMORY] > 0 ? f[F_MEMORY] : f[F_REQ_MEMORY];

	if (!j || !beside(r))
		return err_set(r->e, -ENOMEM, "no memory for the job, or more than %u jobs",
			       TRACE_MAX_JOBS);
	j->number = f[F_NUMBER] > 0 ? (uint64_t)f[F_NUMBER] : (uint64_t)r->t->njobs;
	j->cpus = (uint32_t)ceil(cpus);
	j->run_s = f[F_RUN] > 0 ? f[F_RUN] : 0;
	j->limit_s = whole(ceil(f[F_REQ_TIME]));
	j->think_ms = whole(f[F_THINK] * 1000);
	j->user = whole(f[F_USER]);
	j->program = whole(f[F_PROGRAM]);
	j->busy = busy_part(f);
	j->kernel = j->class = TRACE_NO_KERNEL;
	j->repeat = 1;
	if (a && !trace_set_kernel(j, a->kernel, a->class, a->repeat))
		return err_set(r->e, -EINVAL,
			       "executable %u is '%s' in class %c: no machine profile says how "
			       "long that takes",
			       a->number, a->kernel, a->class);
	if (kib > 0)
		j->memory_bytes = (uint64_t)(kib * 1024 * j->cpus);
	if (withdrawn) {
		j->end = TRACE_WITHDRAWN;
		j->cancel_ms = f[F_WAIT] > 0 ? (uint64_t)(f[F_WAIT] * 1000) : 0;
	} else if (f[F_STATUS] >= 0 &&
		   ((int)f[F_STATUS] == STATUS_FAILED || (int)f[F_STATUS] == STATUS_CANCELLED)) {
		j->end = TRACE_FAILS;
	}
	r->links[r->t->njobs - 1].number = f[F_PRECEDING] > 0 ? (uint64_t)f[F_PRECEDING] : 0;
	r->submit_s[r->t->njobs - 1] = f[F_SUBMIT];
	return 0;
}

static int job_line(struct reader *r, const char *line)
{
	double f[F_COUNT], cpus;
	bool withdrawn;
	int rc = split(r, line, f), status;

	if (!rc)
		rc = check(r, f);
	if (rc)
		return rc;
	status = (int)f[F_STATUS];
	if (status >= STATUS_PART && status <= STATUS_PART_FAILED) {
		r->t->parts++;
		return 0;
	}
	cpus = f[F_PROCS] > 0 ? f[F_PROCS] : f[F_REQ_PROCS];
	withdrawn = status == STATUS_CANCELLED && f[F_RUN] <= 0;
	if (cpus <= 0) {
		r->t->no_cpus++;
		return 0;
	}
	if (f[F_RUN] < 0 && !withdrawn && !application(r, f)) {
		r->t->no_time++;
		return 0;
	}
	return add(r, f, withdrawn, cpus);
}

/* "; Application: N drover-KERNEL --class C --repeat R" */
static void application_line(struct reader *r, const char *line)
{
	struct application a;

	if (r->napplications < APPLICATIONS_MAX &&
	    sscanf(line, "Application: %9" SCNu32 " drover-%15[a-z] --class %c --repeat %9" SCNu32,
		   &a.number, a.kernel, &a.class, &a.repeat) == 4 &&
	    a.number && a.repeat)
		r->applications[r->napplications++] = a;
}

/* "; Key: value" */
static void header_line(struct reader *r, const char *line)
{
	static const char *const keys[] = {"UnixStartTime", "MaxProcs", "MaxNodes"};
	struct trace *t = r->t;

	line += strspn(line, "; \t");
	application_line(r, line);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i]);
		double v;

		if (strncasecmp(line, keys[i], n) != 0 || line[n] != ':')
			continue;
		v = strtod(line + n + 1, NULL);
		if (!(v > 0 && v < 4e9))
			continue;
		if (i == 0)
			t->unix_start = (uint64_t)v;
		else if (i == 1 || !t->max_procs)
			t->max_procs = (uint32_t)v;
	}
}

/* ---- order and references ----------------------------------------------- */

struct key {
	double submit_s;
	uint64_t number;
	uint32_t index;
};

static int by_submit(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->submit_s < y->submit_s || x->submit_s > y->submit_s)
		return x->submit_s < y->submit_s ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int by_number(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Preceding jobs become indices; a number that isn't in the trace is no wish. A job can't follow
 * one that comes after it. */
static void resolve(struct reader *r, struct key *keys)
{
	struct trace *t = r->t;

	for (size_t i = 0; i < t->njobs; i++)
		keys[i] = (struct key){.number = t->jobs[i].number, .index = (uint32_t)i};
	qsort(keys, t->njobs, sizeof(*keys), by_number);
	for (size_t i = 0; i < t->njobs; i++) {
		struct key want = {.number = r->links[i].number};
		const struct key *k =
			want.number ? bsearch(&want, keys, t->njobs, sizeof(*keys), by_number)
				    : NULL;

		if (k && k->index < i)
			t->jobs[i].preceding = k->index + 1;
	}
}

static int finish(struct reader *r)
{
	struct trace *t = r->t;
	struct key *keys = calloc(t->njobs + 1, sizeof(*keys));
	struct trace_job *sorted = calloc(t->njobs + 1, sizeof(*sorted));
	struct link *links = calloc(t->njobs + 1, sizeof(*links));
	bool ok = keys && sorted && links;

	for (size_t i = 0; ok && i < t->njobs; i++) {
		keys[i] = (struct key){.submit_s = r->submit_s[i], .index = (uint32_t)i};
		t->unsorted += i && r->submit_s[i] < r->submit_s[i - 1];
	}
	if (ok && t->njobs) {
		qsort(keys, t->njobs, sizeof(*keys), by_submit);
		t->origin_s = keys[0].submit_s;
		for (size_t i = 0; i < t->njobs; i++) {
			sorted[i] = t->jobs[keys[i].index];
			links[i] = r->links[keys[i].index];
			sorted[i].submit_ms =
				(uint64_t)llround((keys[i].submit_s - t->origin_s) * 1000);
		}
		memcpy(t->jobs, sorted, t->njobs * sizeof(*sorted));
		memcpy(r->links, links, t->njobs * sizeof(*links));
		resolve(r, keys);
	}
	free(keys);
	free(sorted);
	free(links);
	if (!ok)
		return err_set(r->e, -ENOMEM, "no memory for the trace");
	if (!t->njobs)
		return err_set(r->e, -EINVAL, "there is no job with processors and a run time");
	return 0;
}

int trace_read_swf(const char *text, size_t len, struct trace *t, struct err *e)
{
	const char *at = text, *end = text + len;
	struct reader r = {.t = t, .e = e};
	char line[TRACE_MAX_LINE + 1];
	int rc = 0;

	while (!rc && at < end) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at), skip = 0;

		t->lines++;
		while (skip < n && is_space(at[skip]))
			skip++;
		if (skip == n) {
			t->blank++;
		} else if (at[skip] == ';' || at[skip] == '#') {
			size_t k = n - skip < TRACE_MAX_LINE ? n - skip : TRACE_MAX_LINE;

			memcpy(line, at + skip, k);
			line[k] = '\0';
			header_line(&r, line);
			t->comments++;
		} else if (n - skip > TRACE_MAX_LINE || memchr(at, '\0', n)) {
			rc = err_set(e, -EINVAL, "longer than %u bytes, or not text",
				     TRACE_MAX_LINE);
		} else {
			memcpy(line, at + skip, n - skip);
			line[n - skip] = '\0';
			rc = job_line(&r, line);
		}
		at += n + 1;
	}
	if (rc)
		err_wrap(e, "trace, line %zu", t->lines);
	else
		rc = finish(&r);
	free(r.links);
	free(r.submit_s);
	return rc;
}
