/*
 * Power and energy of the virtual nodes. Power is kept in whole microwatts, so
 * that what is added when a job starts is exactly what is taken when it stops.
 */
#include <string.h>

#include "scheduler/replay/sim.h"

static int64_t uw(double watts)
{
	return (int64_t)(watts * 1e6 + 0.5);
}

static int64_t base_uw(const struct sim_node *n)
{
	const struct machine_group *g = n->group;

	switch (n->power) {
	case SIM_ASLEEP:
		return uw(g->sleep_w);
	case SIM_WAKING:
		return g->wake_s > 0 ? uw(g->wake_j / g->wake_s) : 0;
	case SIM_ON:
	case SIM_FALLING_ASLEEP:
		break;
	}
	return uw(g->idle_w);
}

static void count_time(struct replay_node *out, const struct sim_node *n, uint64_t ms)
{
	switch (n->power) {
	case SIM_ON:
		out->on_ms += ms;
		out->computing_ms += n->running ? ms : 0;
		break;
	case SIM_ASLEEP:
		out->asleep_ms += ms;
		break;
	case SIM_FALLING_ASLEEP:
		out->switching_off_ms += ms;
		break;
	case SIM_WAKING:
		out->switching_on_ms += ms;
		break;
	}
}

void account_node(struct sim *s, uint32_t node)
{
	struct sim_node *n = &s->nodes[node];
	struct replay_node *out = &s->out->nodes[node];
	uint64_t ms = s->now_ms - n->since_ms;
	double t = (double)ms / 1000, base = (double)base_uw(n) / 1e6;

	if (!ms)
		return;
	out->energy_j += (base + (double)(n->busy_uw + n->moving_uw) / 1e6) * t;
	*(n->power == SIM_ON ? &out->idle_j : &out->sleep_j) += base * t;
	out->moves_j += (double)n->moving_uw / 1e6 * t;
	count_time(out, n, ms);
	n->since_ms = s->now_ms;
}

void account_power(struct sim *s, uint32_t node, enum sim_power power)
{
	struct sim_node *n = &s->nodes[node];

	account_node(s, node);
	s->total_uw -= base_uw(n);
	n->power = power;
	s->total_uw += base_uw(n);
}

void account_run(struct sim *s, uint32_t job)
{
	struct sim_job *j = &s->jobs[job];
	struct sim_node *n = &s->nodes[j->node];
	struct trace_job spec = sim_job_spec(s, job);
	int64_t power = uw(machines_watts(n->group, &spec));

	account_node(s, j->node);
	n->busy_uw += power;
	n->running++;
	s->total_uw += power;
	j->since_ms = s->now_ms;
}

void account_stop(struct sim *s, uint32_t job)
{
	struct sim_job *j = &s->jobs[job];
	struct sim_node *n = &s->nodes[j->node];
	struct replay_job *out = &s->out->jobs[job];
	struct trace_job spec = sim_job_spec(s, job);
	double watts = machines_watts(n->group, &spec), all = machines_seconds(n->group, &spec);
	uint64_t ms = s->now_ms - j->since_ms;
	double joules = watts * (double)ms / 1000;

	account_node(s, j->node);
	n->busy_uw -= uw(watts);
	n->running--;
	s->total_uw -= uw(watts);
	out->energy_j += joules;
	out->cpu_ms += ms * spec.cpus;
	s->out->nodes[j->node].jobs_j += joules;
	s->out->nodes[j->node].busy_cpu_ms += ms * spec.cpus;
	j->left -= all > 0 ? (double)ms / 1000 / all : 1;
	if (j->left < 0)
		j->left = 0;
}

void account_move(struct sim *s, uint32_t from, uint32_t to, int sign)
{
	uint32_t ends[2] = {from, to};

	for (int i = 0; i < 2; i++) {
		struct sim_node *n = &s->nodes[ends[i]];
		int64_t power = sign * uw(n->group->core_w);

		account_node(s, ends[i]);
		n->moving_uw += power;
		s->total_uw += power;
	}
}

void account_move_of(struct sim *s, uint32_t job, uint64_t ms)
{
	const struct sim_job *j = &s->jobs[job];
	double watts = s->nodes[j->node].group->core_w + s->nodes[j->to].group->core_w;

	s->out->jobs[job].energy_j += watts * (double)ms / 1000;
}

/* ---- the series --------------------------------------------------------- */

/* Twice the step: two points become one. */
static void coarsen(struct replay *r)
{
	for (uint32_t i = 0; i < REPLAY_SERIES_MAX / 2; i++) {
		r->series[i].energy_j = r->series[2 * i].energy_j + r->series[2 * i + 1].energy_j;
		r->series[i].running_ms =
			r->series[2 * i].running_ms + r->series[2 * i + 1].running_ms;
		r->series[i].queued_ms =
			r->series[2 * i].queued_ms + r->series[2 * i + 1].queued_ms;
	}
	memset(&r->series[REPLAY_SERIES_MAX / 2], 0, REPLAY_SERIES_MAX / 2 * sizeof(r->series[0]));
	r->step_ms *= 2;
}

void account_series(struct sim *s, uint64_t to_ms)
{
	struct replay *r = s->out;
	uint64_t from = s->now_ms - SIM_EPOCH_MS, to = to_ms - SIM_EPOCH_MS;
	uint32_t running = s->core->njobs - s->core->npending;

	while (to > r->step_ms * REPLAY_SERIES_MAX)
		coarsen(r);
	while (from < to) {
		uint64_t i = from / r->step_ms, end = (i + 1) * r->step_ms;
		double ms;

		if (end > to)
			end = to;
		ms = (double)(end - from);
		r->series[i].energy_j += (double)s->total_uw / 1e6 * ms / 1000;
		r->series[i].running_ms += running * ms;
		r->series[i].queued_ms += s->core->npending * ms;
		from = end;
	}
}

void account_start(struct sim *s)
{
	s->out->step_ms = 1000;
	for (uint32_t i = 0; i < s->core->nnodes; i++) {
		s->nodes[i].since_ms = s->now_ms;
		s->total_uw += base_uw(&s->nodes[i]);
	}
}

void account_end(struct sim *s)
{
	struct replay *r = s->out;

	/* What still runs or moves, when it was ended early. */
	for (uint32_t i = 0; i < s->trace->njobs; i++) {
		const struct sim_job *j = &s->jobs[i];

		if (j->where == SIM_RUNS) {
			account_stop(s, i);
		} else if (j->where == SIM_FROZEN) {
			account_move(s, j->node, j->to, -1);
			account_move_of(s, i, s->now_ms - j->since_ms);
		}
	}
	for (uint32_t i = 0; i < s->core->nnodes; i++)
		account_node(s, i);
	r->end_ms = s->now_ms - SIM_EPOCH_MS;
	r->npoints = (uint32_t)((r->end_ms + r->step_ms - 1) / r->step_ms);
}
