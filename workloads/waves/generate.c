/*
 * Jobs from parameters and a seed. The generator of random numbers is SplitMix64 (Steele, Lea,
 * Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), so that a seed means the
 * same jobs on every system and in every version of the C library.
 */
#include "workloads/waves/waves.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number from 0 to n - 1, each equally likely: what would favour some is drawn again. */
static uint64_t uniform(uint64_t *state, uint64_t n)
{
	uint64_t unfair = (UINT64_MAX % n + 1) % n, r;

	do
		r = splitmix(state);
	while (r > UINT64_MAX - unfair);
	return r % n;
}

static int check_load(const struct wave_params *p, struct err *e)
{
	if (p->load == WAVE_SUSTAINED) {
		if (p->set < 1 || p->set > WAVES_MAX_JOBS)
			return err_set(e, -EINVAL, "waves: the set must have from 1 to %u jobs",
				       WAVES_MAX_JOBS);
		if (p->in_flight < 1 || p->in_flight > p->set)
			return err_set(e, -EINVAL,
				       "waves: from 1 to %u jobs of the set can be there at once",
				       p->set);
		return 0;
	}
	if (p->waves < 1 || p->jobs_per_wave < 1)
		return err_set(e, -EINVAL, "waves: there must be at least one wave of one job");
	if ((uint64_t)p->waves * p->jobs_per_wave > WAVES_MAX_JOBS)
		return err_set(e, -EINVAL, "waves: %u waves of up to %u jobs are more than %u jobs",
			       p->waves, p->jobs_per_wave, WAVES_MAX_JOBS);
	if (p->spacing_min_ms > p->spacing_max_ms || p->spacing_max_ms > WAVES_MAX_SPACING)
		return err_set(e, -EINVAL, "waves: the spacing is upside down or above a year");
	return 0;
}

static int check(const struct wave_params *p, struct err *e)
{
	if (p->nkinds < 1 || p->nkinds > WAVES_MAX_KINDS)
		return err_set(e, -EINVAL, "waves: the mix is empty or too long");
	if (p->cpus < 1 || p->cpus > WAVES_MAX_CPUS)
		return err_set(e, -EINVAL, "waves: cpus must be from 1 to %u", WAVES_MAX_CPUS);
	if (p->seed > INT64_MAX)
		return err_set(e, -EINVAL, "waves: the seed must be below 2^63");
	return check_load(p, e);
}

static const struct wave_kind *pick(const struct wave_params *p, uint64_t total, uint64_t *state)
{
	uint64_t r = uniform(state, total);
	size_t i = 0;

	while (r >= p->weights[i])
		r -= p->weights[i++];
	return &p->kinds[i];
}

static void periodic(const struct wave_params *p, uint64_t total, struct wave_trace *t)
{
	uint64_t state = p->seed, now = 0;

	for (uint32_t w = 1; w <= p->waves; w++) {
		uint64_t n = 1 + uniform(&state, p->jobs_per_wave);

		for (uint64_t i = 0; i < n; i++)
			t->jobs[t->njobs++] = (struct wave_job){
				.arrival_ms = now,
				.wave = w,
				.cpus = p->cpus,
				.kind = *pick(p, total, &state),
			};
		now += p->spacing_min_ms +
		       uniform(&state, p->spacing_max_ms - p->spacing_min_ms + 1);
	}
}

static void sustained(const struct wave_params *p, uint64_t total, struct wave_trace *t)
{
	uint64_t state = p->seed;

	for (uint32_t i = 0; i < p->set; i++)
		t->jobs[t->njobs++] = (struct wave_job){
			.after_ends = i < p->in_flight ? 0 : i - p->in_flight + 1,
			.wave = 1,
			.cpus = p->cpus,
			.kind = *pick(p, total, &state),
		};
}

int wave_generate(const struct wave_params *p, struct wave_trace *t, struct err *e)
{
	uint64_t total = 0;
	size_t most;
	int r = check(p, e);

	*t = (struct wave_trace){.params = *p};
	if (r < 0)
		return r;
	most = p->load == WAVE_SUSTAINED ? p->set : (size_t)p->waves * p->jobs_per_wave;
	t->jobs = calloc(most, sizeof(*t->jobs));
	if (!t->jobs)
		return err_set(e, -ENOMEM, "waves: no memory for the jobs");
	for (size_t i = 0; i < p->nkinds; i++)
		total += p->weights[i];
	if (p->load == WAVE_SUSTAINED)
		sustained(p, total, t);
	else
		periodic(p, total, t);
	return 0;
}

void wave_trace_free(struct wave_trace *t)
{
	free(t->jobs);
	t->jobs = NULL;
	t->njobs = 0;
}
