/* The figures of a replay, from what happened to its jobs and nodes. */
#include <string.h>

#include "scheduler/replay/sim.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void energy(struct sim *s)
{
	struct replay_sum *sum = &s->out->sum;

	for (uint32_t i = 0; i < s->out->nnodes; i++) {
		const struct replay_node *n = &s->out->nodes[i];

		sum->energy_j += n->energy_j;
		sum->idle_j += n->idle_j;
		sum->jobs_j += n->jobs_j;
		sum->moves_j += n->moves_j;
		sum->sleep_j += n->sleep_j;
		sum->scaled_j += n->energy_j * s->nodes[i].group->scaled;
		sum->sleeps += n->sleeps;
		sum->wakes += n->wakes;
	}
	sum->edp_js = sum->energy_j * sum->makespan_s;
	sum->scaled_edp_js = sum->scaled_j * sum->makespan_s;
}

static void count_state(struct replay_sum *sum, const struct replay_job *j)
{
	switch ((enum job_state)j->state) {
	case JOB_COMPLETED:
		sum->completed++;
		break;
	case JOB_CANCELLED:
		sum->withdrawn++;
		break;
	case JOB_TIMEOUT:
		sum->timed_out++;
		break;
	case JOB_FAILED:
	case JOB_NODE_FAIL:
		sum->failed++;
		break;
	default:
		sum->refused += j->refused;
		sum->unfinished += !j->refused;
		return;
	}
	sum->done++;
}

/* Waits of the jobs that started; the others never had one. */
static void times(struct sim *s, double *waits)
{
	struct replay_sum *sum = &s->out->sum;
	size_t n = 0;
	double total = 0, turnaround = 0, slowdown = 0, last_s = 0;

	for (size_t i = 0; i < s->trace->njobs; i++) {
		const struct replay_job *j = &s->out->jobs[i];
		double wait, all, run;

		count_state(sum, j);
		sum->clamped += s->opt->clamp && s->trace->jobs[i].cpus > s->widest;
		if (j->start_ms == UINT64_MAX || j->state < JOB_COMPLETED)
			continue;
		wait = (double)(j->start_ms - j->submit_ms) / 1000;
		all = (double)(j->end_ms - j->submit_ms) / 1000;
		run = all - wait;
		waits[n++] = wait;
		total += wait;
		turnaround += all;
		slowdown += run > 0 ? all / run : 1;
		if (all > sum->max_turnaround_s)
			sum->max_turnaround_s = all;
		if (run > 0 && all / run > sum->max_slowdown)
			sum->max_slowdown = all / run;
		if ((double)j->end_ms / 1000 > last_s)
			last_s = (double)j->end_ms / 1000;
	}
	sum->makespan_s = last_s;
	if (!n)
		return;
	qsort(waits, n, sizeof(*waits), by_value);
	sum->mean_wait_s = total / (double)n;
	sum->mean_turnaround_s = turnaround / (double)n;
	sum->mean_slowdown = slowdown / (double)n;
	sum->max_wait_s = waits[n - 1];
	/* Nearest rank. */
	sum->p95_wait_s = waits[(n * 95 + 99) / 100 - 1];
}

void sums_make(struct sim *s)
{
	double *waits = calloc(s->trace->njobs + 1, sizeof(*waits));

	s->out->sum.jobs = s->trace->njobs;
	if (waits)
		times(s, waits);
	else
		s->failed = true;
	free(waits);
	energy(s);
}
