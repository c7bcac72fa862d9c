/* See outcome.h. */
#include "scheduler/api/outcome.h"

#include <math.h>
#include <string.h>

static double outcome_of_start(const struct outcome_of_job *job, const struct decision_record *d)
{
	bool known = false;
	double joules = 0;

	for (size_t i = 0; i < job->nsegments; i++) {
		const struct segment_record *s = &job->segments[i];

		if (s->attempt != d->attempt)
			continue;
		if (!s->to_ms)
			return (double)NAN;
		known |= s->energy_kind[0] != '\0';
		joules += (double)s->energy_uj / 1e6;
	}
	return known ? joules : (double)NAN;
}

static double move_j(const struct outcome_of_job *job, const struct decision_record *d)
{
	for (size_t i = 0; i < job->nmoves; i++)
		if (job->moves[i].attempt == d->attempt && job->moves[i].epoch == d->epoch)
			return job->moves[i].move_j;
	return 0;
}

static double outcome_of_move(const struct outcome_of_job *job, const struct decision_record *d)
{
	for (size_t i = 0; i < job->nsegments; i++) {
		const struct segment_record *s = &job->segments[i];
		bool last = i + 1 == job->nsegments;
		double part = 1;

		if (s->attempt != d->attempt || s->epoch != d->epoch)
			continue;
		if (!s->to_ms || !s->energy_kind[0])
			return (double)NAN;
		if (!(last && job->completed) && d->go_s > 0)
			part = fmin(1, (double)(s->to_ms - s->from_ms) / 1000 / d->go_s);
		return d->stay_j * part - (double)s->energy_uj / 1e6 - move_j(job, d);
	}
	return (double)NAN;
}

double outcome_of(const struct outcome_of_job *job, const struct decision_record *d)
{
	if (!strcmp(d->kind, "place"))
		return outcome_of_start(job, d);
	return strcmp(d->kind, "migrate") ? (double)NAN : outcome_of_move(job, d);
}
