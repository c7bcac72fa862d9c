/* What came out of a replay, as JSON and as CSV; see replay.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "scheduler/replay/replay.h"

const char *const replay_table_names[] = {"jobs", "schedule", "nodes", "power", NULL};

static json_t *column(double energy_j, double edp_js)
{
	return json_pack("{s:f, s:f, s:s}", "energy_j", energy_j, "edp_js", edp_js, "kind",
			 "modelled");
}

json_t *replay_json(const struct replay *r)
{
	const struct replay_sum *s = &r->sum;
	const struct replay_options *o = r->opt;
	json_t *doc = json_pack(
		"{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, "
		"s:I, "
		"s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b}",
		"policy", o->policy->name, "energy_j", s->energy_j, "idle_j", s->idle_j, "jobs_j",
		s->jobs_j, "sleep_j", s->sleep_j, "moves_j", s->moves_j, "makespan_s",
		s->makespan_s, "mean_wait_s", s->mean_wait_s, "p95_wait_s", s->p95_wait_s,
		"max_wait_s", s->max_wait_s, "mean_slowdown", s->mean_slowdown, "edp_js", s->edp_js,
		"migrations", (json_int_t)s->migrations, "migrations_aborted",
		(json_int_t)s->aborted, "sleeps", (json_int_t)s->sleeps, "wakes",
		(json_int_t)s->wakes, "jobs", (json_int_t)s->jobs, "jobs_done", (json_int_t)s->done,
		"jobs_failed", (json_int_t)s->failed, "jobs_withdrawn", (json_int_t)s->withdrawn,
		"jobs_refused", (json_int_t)s->refused, "jobs_unfinished",
		(json_int_t)s->unfinished, "jobs_clamped", (json_int_t)s->clamped, "decisions",
		(json_int_t)s->decisions, "kind", "modelled", "cancelled", r->cancelled);
	json_t *scaled = column(s->scaled_j, s->scaled_edp_js);

	if (!doc || !scaled ||
	    (s->core_s > 0 && json_object_set_new(doc, "decisions_per_s",
						  json_real((double)s->decisions / s->core_s))) ||
	    json_object_set_new(scaled, "process_nm", json_integer(o->machines->process_nm)) ||
	    json_object_set_new(doc, "scaled", json_incref(scaled)) ||
	    json_object_set_new(doc, "wall_s", json_real(s->wall_s))) {
		json_decref(doc);
		doc = NULL;
	}
	json_decref(scaled);
	return doc;
}

json_t *replay_series_json(const struct replay *r, uint32_t max)
{
	json_t *points = json_array();
	uint32_t stride = max && r->npoints > max ? (r->npoints + max - 1) / max : 1;

	for (uint32_t i = 0; points && i < r->npoints; i += stride) {
		double joules = 0, running = 0, queued = 0, ms;
		uint32_t end = i + stride < r->npoints ? i + stride : r->npoints;

		for (uint32_t k = i; k < end; k++) {
			joules += r->series[k].energy_j;
			running += r->series[k].running_ms;
			queued += r->series[k].queued_ms;
		}
		ms = (double)(end * r->step_ms < r->end_ms ? end * r->step_ms : r->end_ms) -
		     (double)(i * r->step_ms);
		if (ms > 0)
			json_array_append_new(
				points, json_pack("[f, f, f, f]", (double)(i * r->step_ms) / 1000,
						  joules / ms * 1000, running / ms, queued / ms));
	}
	return json_pack("{s:o, s:s}", "points", points, "kind", "modelled");
}

#define BINS 24 /* 0 to 1 s, to 2 s, to 4 s, ... half a year */

json_t *replay_waits_json(const struct replay *r)
{
	uint64_t count[BINS] = {0};
	json_t *bins = json_array();
	int last = 0;

	for (size_t i = 0; i < r->opt->trace->njobs; i++) {
		const struct replay_job *j = &r->jobs[i];
		double wait;
		int b = 0;

		if (j->start_ms == UINT64_MAX)
			continue;
		wait = (double)(j->start_ms - j->submit_ms) / 1000;
		while (b < BINS - 1 && wait >= exp2(b))
			b++;
		count[b]++;
		if (b > last)
			last = b;
	}
	for (int b = 0; bins && b <= last; b++)
		json_array_append_new(bins, json_pack("[f, f, I]", b ? exp2(b - 1) : 0.0, exp2(b),
						      (json_int_t)count[b]));
	return json_pack("{s:o}", "bins", bins);
}

/* ---- CSV ---------------------------------------------------------------- */

static double seconds(uint64_t ms)
{
	return (double)ms / 1000;
}

static const char *final_state(const struct replay_job *j)
{
	if (j->refused)
		return "REJECTED";
	switch ((enum job_state)j->state) {
	case JOB_COMPLETED:
		return "COMPLETED_SUCCESSFULLY";
	case JOB_TIMEOUT:
		return "COMPLETED_WALLTIME_REACHED";
	case JOB_CANCELLED:
		return "COMPLETED_KILLED";
	case JOB_FAILED:
	case JOB_NODE_FAIL:
		return "COMPLETED_FAILED";
	default:
		return "NOT_COMPLETED";
	}
}

static void jobs_csv(const struct replay *r, FILE *out)
{
	fputs("job_id,workload_name,profile,submission_time,requested_number_of_resources,"
	      "requested_time,"
	      "success,final_state,starting_time,execution_time,finish_time,waiting_time,"
	      "turnaround_time,"
	      "stretch,allocated_resources,consumed_energy,metadata\n",
	      out);
	for (size_t i = 0; i < r->opt->trace->njobs; i++) {
		const struct trace_job *t = &r->opt->trace->jobs[i];
		const struct replay_job *j = &r->jobs[i];
		bool ran = j->start_ms != UINT64_MAX && j->state >= JOB_COMPLETED;
		double run = ran ? seconds(j->end_ms - j->start_ms) : 0;
		double all = ran ? seconds(j->end_ms - j->submit_ms) : 0;

		fprintf(out, "%" PRIu64 ",%s,", t->number,
			r->opt->machines->name[0] ? r->opt->machines->name : "trace");
		if (t->kernel == TRACE_NO_KERNEL)
			fprintf(out, "program-%" PRIu32, t->program);
		else
			fprintf(out, "%s.%s", profile_kernels[t->kernel],
				profile_classes[t->class]);
		fprintf(out, ",%.3f,%" PRIu32 ",%" PRIu32 ",%d,%s,", seconds(j->submit_ms), t->cpus,
			t->limit_s, j->state == JOB_COMPLETED, final_state(j));
		if (ran)
			fprintf(out, "%.3f,%.3f,%.3f,%.3f,%.3f,%.6g,%s,%.3f,migrations=%u\n",
				seconds(j->start_ms), run, seconds(j->end_ms),
				seconds(j->start_ms - j->submit_ms), all, run > 0 ? all / run : 1,
				r->nodes[j->node].name, j->energy_j, j->migrations);
		else
			fputs(",,,,,,,0,\n", out);
	}
}

static void schedule_csv(const struct replay *r, FILE *out)
{
	const struct replay_sum *s = &r->sum;
	uint64_t computing = 0, idle = 0, asleep = 0, on = 0, off = 0;

	for (uint32_t i = 0; i < r->nnodes; i++) {
		computing += r->nodes[i].computing_ms;
		idle += r->nodes[i].on_ms - r->nodes[i].computing_ms;
		asleep += r->nodes[i].asleep_ms;
		on += r->nodes[i].switching_on_ms;
		off += r->nodes[i].switching_off_ms;
	}
	fputs("batsim_version,consumed_joules,makespan,max_slowdown,max_turnaround_time,max_"
	      "waiting_time,"
	      "mean_slowdown,mean_turnaround_time,mean_waiting_time,nb_computing_machines,"
	      "nb_grouped_switches,nb_jobs,nb_jobs_finished,nb_jobs_killed,nb_jobs_rejected,"
	      "nb_jobs_success,nb_machine_switches,scheduling_time,simulation_time,success_rate,"
	      "time_computing,time_idle,time_sleeping,time_switching_off,time_switching_on,"
	      "time_unavailable\n",
	      out);
	fprintf(out,
		"drover-%s,%.3f,%.3f,%.6g,%.3f,%.3f,%.6g,%.3f,%.3f,%" PRIu32 ",%" PRIu64 ",%" PRIu64
		",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		",%.6f,%.6f,%.6g,%.3f,%.3f,%.3f,%.3f,%.3f,0\n",
		PACKAGE_VERSION, s->energy_j, s->makespan_s, s->max_slowdown, s->max_turnaround_s,
		s->max_wait_s, s->mean_slowdown, s->mean_turnaround_s, s->mean_wait_s, r->nnodes,
		s->sleeps + s->wakes, s->jobs, s->done, s->withdrawn + s->timed_out, s->refused,
		s->completed, s->sleeps + s->wakes, s->core_s, s->wall_s,
		s->jobs ? (double)s->completed / (double)s->jobs : 0, seconds(computing),
		seconds(idle), seconds(asleep), seconds(off), seconds(on));
}

static void nodes_csv(const struct replay *r, FILE *out)
{
	fputs("node,profile,energy_j,idle_j,jobs_j,moves_j,sleep_j,kind,cpu_s,on_s,computing_s,"
	      "asleep_s,"
	      "switching_on_s,switching_off_s,jobs,moves_in,moves_out,sleeps,wakes\n",
	      out);
	for (uint32_t i = 0; i < r->nnodes; i++) {
		const struct replay_node *n = &r->nodes[i];

		fprintf(out,
			"%s,%s,%.3f,%.3f,%.3f,%.3f,%.3f,modelled,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%u,%"
			"u,%u,%u,"
			"%u\n",
			n->name, r->opt->machines->groups[n->group].profile.name, n->energy_j,
			n->idle_j, n->jobs_j, n->moves_j, n->sleep_j, seconds(n->busy_cpu_ms),
			seconds(n->on_ms), seconds(n->computing_ms), seconds(n->asleep_ms),
			seconds(n->switching_on_ms), seconds(n->switching_off_ms), n->jobs,
			n->moves_in, n->moves_out, n->sleeps, n->wakes);
	}
}

static void power_csv(const struct replay *r, FILE *out)
{
	fputs("time_s,power_w,running,queued\n", out);
	for (uint32_t i = 0; i < r->npoints; i++) {
		uint64_t end = (i + 1) * r->step_ms < r->end_ms ? (i + 1) * r->step_ms : r->end_ms;
		double ms = (double)(end - i * r->step_ms);

		if (ms > 0)
			fprintf(out, "%.3f,%.3f,%.3f,%.3f\n", seconds(i * r->step_ms),
				r->series[i].energy_j / ms * 1000, r->series[i].running_ms / ms,
				r->series[i].queued_ms / ms);
	}
}

int replay_csv(const struct replay *r, enum replay_table table, const char *path, struct err *e)
{
	static void (*const writers[REPLAY_TABLES])(const struct replay *, FILE *) = {
		[REPLAY_JOBS] = jobs_csv,
		[REPLAY_SCHEDULE] = schedule_csv,
		[REPLAY_NODES] = nodes_csv,
		[REPLAY_POWER] = power_csv,
	};
	FILE *f = fopen(path, "we");
	bool bad;

	if (!f)
		return err_sys(e, -errno, "cannot write %s", path);
	errno = 0;
	writers[table](r, f);
	bad = fflush(f) || ferror(f);
	if (fclose(f) || bad)
		return err_sys(e, errno ? -errno : -EIO, "cannot write %s", path);
	return 0;
}
