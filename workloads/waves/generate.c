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

static int check(const struct wave_params *p, struct err *e)
{
	if (p->waves < 1 || p->jobs_per_wave < 1)
		return err_set(e, -EINVAL, "waves: there must be at least one wave of one job");
	if ((uint64_t)p->waves * p->jobs_per_wave > WAVES_MAX_JOBS)
		return err_set(e, -EINVAL, "waves: %u waves of up to %u jobs are more than %u jobs",
			       p->waves, p->jobs_per_wave, WAVES_MAX_JOBS);
	if (p->nkinds < 1 || p->nkinds > WAVES_MAX_KINDS)
		return err_set(e, -EINVAL, "waves: the mix is empty or too long");
	if (p->cpus < 1 || p->cpus > WAVES_MAX_CPUS)
		return err_set(e, -EINVAL, "waves: cpus must be from 1 to %u", WAVES_MAX_CPUS);
	if (p->spacing_min_ms > p->spacing_max_ms || p->spacing_max_ms > WAVES_MAX_SPACING)
		return err_set(e, -EINVAL, "waves: the spacing is upside down or above a year");
	if (p->seed > INT64_MAX)
		return err_set(e, -EINVAL, "waves: the seed must be below 2^63");
	return 0;
}

static const struct wave_kind *pick(const struct wave_params *p, uint64_t total, uint64_t *state)
{
	uint64_t r = uniform(state, total);
	size_t i = 0;

	while (r >= p->weights[i])
		r -= p->weights[i++];
	return &p->kinds[i];
}

int wave_generate(const struct wave_params *p, struct wave_trace *t, struct err *e)
{
	uint64_t state = p->seed, total = 0, now = 0;
	int r = check(p, e);

	*t = (struct wave_trace){.params = *p};
	if (r < 0)
		return r;
	t->jobs = calloc((size_t)p->waves * p->jobs_per_wave, sizeof(*t->jobs));
	if (!t->jobs)
		return err_set(e, -ENOMEM, "waves: no memory for the jobs");
	for (size_t i = 0; i < p->nkinds; i++)
		total += p->weights[i];
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
	return 0;
}

void wave_trace_free(struct wave_trace *t)
{
	free(t->jobs);
	t->jobs = NULL;
	t->njobs = 0;
}
