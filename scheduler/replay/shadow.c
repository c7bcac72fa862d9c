/* See shadow.h. */
#include "scheduler/replay/shadow.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/ledger/ledger.h"

/* ---- work --------------------------------------------------------------- */

/* Index of the name that the first len characters of text are; negative: none. */
static int index_of(const char *const *names, const char *text, size_t len)
{
	for (int i = 0; names[i]; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], text, len))
			return i;
	return -1;
}

void shadow_kernel(const char *name, int8_t *kernel, int8_t *class)
{
	const char *dot = strchr(name, '.');
	int k = dot ? index_of(profile_kernels, name, (size_t)(dot - name)) : -1;
	int c = k >= 0 && dot[1] ? index_of(profile_classes, dot + 1, 1) : -1;

	*kernel = *class = TRACE_NO_KERNEL;
	if (c < 0 ||
	    (dot[2] && (dot[2] != 'x' || !dot[3] || dot[3 + strspn(dot + 3, "0123456789")])))
		return;
	*kernel = (int8_t)k;
	*class = (int8_t)c;
}

double shadow_work(const struct profile *node, const struct profile *reference, int kernel,
		   int class)
{
	double a = profile_speed(node), b = profile_speed(reference);

	if (kernel != TRACE_NO_KERNEL && node->time_s.kind && reference->time_s.kind &&
	    node->time_s.value[kernel][class] > 0 && reference->time_s.value[kernel][class] > 0)
		return reference->time_s.value[kernel][class] / node->time_s.value[kernel][class];
	return a > 0 && b > 0 ? a / b : 1;
}

/* ---- the trace ---------------------------------------------------------- */

static int by_time(const void *pa, const void *pb)
{
	const struct shadow_job *a = pa, *b = pb;

	if (a->submit_ms != b->submit_ms)
		return a->submit_ms < b->submit_ms ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

size_t shadow_choose(struct shadow_job *jobs, size_t n, uint64_t from_ms, uint64_t to_ms)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (jobs[i].submit_ms < to_ms && (!jobs[i].end_ms || jobs[i].end_ms > from_ms)) {
			struct shadow_job j = jobs[i];

			jobs[i] = jobs[k];
			jobs[k++] = j;
		}
	if (k)
		qsort(jobs, k, sizeof(*jobs), by_time);
	return k;
}

struct place {
	uint64_t id;
	uint32_t index;
};

static int by_id(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* Where each job is, by id; NULL: no memory. */
static struct place *places_of(const struct shadow_job *jobs, size_t n)
{
	struct place *v = calloc(n + 1, sizeof(*v));

	for (size_t i = 0; v && i < n; i++)
		v[i] = (struct place){jobs[i].id, (uint32_t)i};
	if (v && n)
		qsort(v, n, sizeof(*v), by_id);
	return v;
}

static const struct place *find(const struct place *v, size_t n, uint64_t id)
{
	struct place key = {id, 0};

	return id && n ? bsearch(&key, v, n, sizeof(*v), by_id) : NULL;
}

/* What the live cluster had done of it before. */
static double done_before(const struct shadow_job *j, uint64_t ms)
{
	uint64_t end = j->end_ms;

	if (!j->start_ms || j->start_ms >= ms)
		return 0;
	if (!end || end <= ms)
		return j->done_s;
	return j->done_s * (double)(ms - j->start_ms) / (double)(end - j->start_ms);
}

int shadow_trace(const struct shadow_job *jobs, size_t n, uint64_t from_ms, struct trace *t,
		 struct err *e)
{
	struct place *places = places_of(jobs, n);

	memset(t, 0, sizeof(*t));
	t->form = TRACE_SWF;
	for (size_t i = 0; places && i < n; i++) {
		const struct shadow_job *j = &jobs[i];
		const struct place *before = find(places, n, j->after);
		struct trace_job *out = trace_add(t);

		if (!out) {
			free(places);
			places = NULL;
			break;
		}
		*out = (struct trace_job){
			.number = j->id,
			.submit_ms = j->submit_ms > from_ms ? j->submit_ms - from_ms : 0,
			.memory_bytes = j->memory_bytes,
			.run_s = j->work_s - done_before(j, from_ms),
			.cpus = j->cpus,
			.limit_s = j->limit_s,
			.preceding = before && before->index != i ? before->index + 1 : 0,
			.user = j->user,
			.program = j->program,
			.repeat = 1,
			.busy = j->busy,
			.kernel = TRACE_NO_KERNEL,
			.end = (uint8_t)(j->failed ? TRACE_FAILS : TRACE_COMPLETES)};
		if (out->run_s < 0.001)
			out->run_s = 0.001;
		if (j->end_ms && !j->start_ms) {
			uint64_t since = j->submit_ms > from_ms ? j->submit_ms : from_ms;

			out->end = TRACE_WITHDRAWN;
			out->cancel_ms = j->end_ms > since ? j->end_ms - since : 0;
		}
	}
	if (places) {
		free(places);
		return 0;
	}
	trace_free(t);
	return err_set(e, -ENOMEM, "no memory for the shadow's jobs");
}

/* ---- what came out ------------------------------------------------------ */

static int by_value(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	return a < b ? -1 : a > b;
}

/* A side under way. */
struct sums {
	uint64_t from_ms, to_ms, first_ms, last_ms;
	double *waits;
	size_t nwaits;
	struct shadow_side *out;
};

static bool sums_init(struct sums *s, size_t n, uint64_t from_ms, uint64_t to_ms,
		      struct shadow_side *out)
{
	memset(out, 0, sizeof(*out));
	*s = (struct sums){.from_ms = from_ms, .to_ms = to_ms, .first_ms = UINT64_MAX, .out = out};
	s->waits = calloc(n + 1, sizeof(*s->waits));
	return s->waits != NULL;
}

/* start_ms, end_ms: 0 if that was not in the interval. */
static void sums_add(struct sums *s, bool carried, uint64_t submit_ms, uint64_t start_ms,
		     uint64_t end_ms)
{
	if (submit_ms < s->from_ms)
		submit_ms = s->from_ms;
	if (submit_ms < s->first_ms)
		s->first_ms = submit_ms;
	if (start_ms && !carried)
		s->waits[s->nwaits++] =
			start_ms > submit_ms ? (double)(start_ms - submit_ms) / 1000 : 0;
	s->out->jobs += end_ms != 0;
	s->out->unfinished += !end_ms;
	if (!end_ms)
		end_ms = s->to_ms;
	if (end_ms > s->last_ms)
		s->last_ms = end_ms;
}

static void sums_end(struct sums *s)
{
	double total = 0;

	if (s->last_ms > s->first_ms)
		s->out->makespan_s = (double)(s->last_ms - s->first_ms) / 1000;
	for (size_t i = 0; i < s->nwaits; i++)
		total += s->waits[i];
	if (s->nwaits) {
		qsort(s->waits, s->nwaits, sizeof(*s->waits), by_value);
		s->out->mean_wait_s = total / (double)s->nwaits;
		/* Nearest rank. */
		s->out->p95_wait_s = s->waits[(s->nwaits * 95 + 99) / 100 - 1];
	}
	free(s->waits);
}

static uint64_t until(uint64_t ms, uint64_t to_ms)
{
	return ms && ms <= to_ms ? ms : 0;
}

int shadow_live_side(const struct shadow_job *jobs, size_t n, uint64_t from_ms, uint64_t to_ms,
		     struct shadow_side *out, struct err *e)
{
	struct place *places = places_of(jobs, n);
	struct sums s;

	if (!sums_init(&s, n, from_ms, to_ms, out) || !places) {
		free(s.waits);
		free(places);
		return err_set(e, -ENOMEM, "no memory for the jobs' waits");
	}
	for (size_t i = 0; i < n; i++) {
		const struct shadow_job *j = &jobs[i];
		const struct place *before = find(places, n, j->after);
		uint64_t due = j->submit_ms;

		if (before && jobs[before->index].end_ms > due)
			due = jobs[before->index].end_ms;
		sums_add(&s, j->submit_ms < from_ms, due, until(j->start_ms, to_ms),
			 until(j->end_ms, to_ms));
	}
	sums_end(&s);
	free(places);
	return 0;
}

int shadow_replay_side(const struct shadow_job *jobs, const struct replay *r, uint64_t from_ms,
		       uint64_t to_ms, struct shadow_side *out, struct err *e)
{
	size_t n = r->opt->trace->njobs;
	struct sums s;

	if (!sums_init(&s, n, from_ms, to_ms, out))
		return err_set(e, -ENOMEM, "no memory for the shadow's waits");
	for (size_t i = 0; i < n; i++) {
		const struct replay_job *j = &r->jobs[i];
		bool over = j->state >= JOB_COMPLETED, began = j->start_ms != UINT64_MAX;
		uint64_t submit = from_ms + j->submit_ms;

		/* Those that follow a job which has not ended have not come yet. */
		if (!j->submit_ms && jobs[i].submit_ms > from_ms)
			submit = jobs[i].submit_ms;
		sums_add(&s, jobs[i].submit_ms < from_ms, submit,
			 began ? until(from_ms + j->start_ms, to_ms) : 0,
			 over ? until(from_ms + j->end_ms, to_ms) : 0);
	}
	sums_end(&s);
	out->energy_j = r->sum.energy_j;
	out->edp_js = out->energy_j * out->makespan_s;
	return 0;
}

/* ---- energy ------------------------------------------------------------- */

void shadow_energy_init(struct shadow_energy *s, uint64_t from_ms, uint64_t to_ms)
{
	uint64_t ms = to_ms - from_ms;

	memset(s, 0, sizeof(*s));
	s->from_ms = from_ms;
	s->to_ms = to_ms;
	s->npoints = ms / 1000 < SHADOW_POINTS_MAX ? (uint32_t)(ms / 1000) : SHADOW_POINTS_MAX;
	if (!s->npoints)
		s->npoints = 1;
}

void shadow_energy_add(struct shadow_energy *s, const struct energy_interval *i, double factor)
{
	struct energy_interval part;
	double length = (double)(s->to_ms - s->from_ms) / s->npoints, joules, whole, at, end;

	part = *i;
	if (!ledger_clip(&part, s->from_ms, s->to_ms))
		return;
	joules = (double)part.energy_uj / 1e6;
	s->total_j += joules;
	s->scaled_j += joules * factor;
	at = (double)(part.from_ms - s->from_ms);
	end = (double)(part.to_ms - s->from_ms);
	whole = end - at;
	for (uint32_t k = (uint32_t)(at / length); k < s->npoints && (double)k * length <= end;
	     k++) {
		double a = (double)k * length, b = a + length, share;

		a = a > at ? a : at;
		b = b < end ? b : end;
		share = whole > 0 ? (b - a) / whole : 1;
		if (share < 0)
			continue;
		s->joules[k] += joules * share;
		s->scaled[k] += joules * share * factor;
		if (!(whole > 0))
			break;
	}
}

double shadow_energy_until(const struct replay *r, uint64_t ms)
{
	double joules = 0;

	for (uint32_t i = 0; i < r->npoints && i * r->step_ms < ms; i++) {
		uint64_t begin = i * r->step_ms, end = begin + r->step_ms;

		if (end > r->end_ms)
			end = r->end_ms;
		joules += ms >= end ? r->series[i].energy_j
				    : r->series[i].energy_j * (double)(ms - begin) /
					      (double)(end - begin);
	}
	return joules;
}
