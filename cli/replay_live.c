/*
 * drover replay --live: the arrivals of a trace to a running scheduler, by what `drover run` does.
 *
 * Jobs of a wave trace run what it names. Of any other job only the run time is known: it runs the
 * kernel ep in class S as often as fills that time on the reference machine, divided by the
 * speed-up of the arrivals, so that the load stays what it was.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/replay.h"
#include "common/file.h"
#include "workloads/waves/waves.h"

#define EP      0 /* index in profile_kernels and in profile_classes */
#define CLASS_S 0

static void take_job(const struct trace_job *from, double ep_s, double speed, struct wave_job *to)
{
	*to = (struct wave_job){.arrival_ms = from->submit_ms,
				.after_ends = from->after_ends,
				.wave = 1,
				.cpus = from->cpus < WAVES_MAX_CPUS ? from->cpus : WAVES_MAX_CPUS,
				.kind = {.class = 'S', .repeat = 1}};
	if (from->kernel == TRACE_NO_KERNEL) {
		double times = from->run_s * from->cpus / speed / ep_s;

		(void)snprintf(to->kind.program, sizeof(to->kind.program), "%s",
			       profile_kernels[EP]);
		if (times > 1)
			to->kind.repeat = (uint32_t)fmin(times, WAVES_MAX_REPEAT);
		return;
	}
	(void)snprintf(to->kind.program, sizeof(to->kind.program), "%s",
		       profile_kernels[from->kernel]);
	to->kind.class = profile_classes[from->class][0];
	to->kind.repeat = from->repeat;
}

/* As a wave trace in a memory file, of which nothing is left whatever happens. */
static int write_waves(const struct replay_choice *o, const struct trace *t,
		       const struct machines *m, int fd, struct err *e)
{
	double ep_s = m->reference.time_s.value[EP][CLASS_S];
	struct wave_trace w = {.params = {.waves = 1,
					  .jobs_per_wave = (uint32_t)t->njobs,
					  .cpus = 1,
					  .nkinds = 1,
					  .kinds = {{.program = "ep", .class = 'S', .repeat = 1}},
					  .weights = {1}},
			       .njobs = t->njobs};
	FILE *f;
	int rc;

	if (!(ep_s > 0))
		return err_set(e, -EINVAL,
			       "profile %s doesn't say how long ep.S takes: name another reference",
			       m->reference.name);
	w.jobs = calloc(t->njobs + 1, sizeof(*w.jobs));
	if (!w.jobs)
		return err_set(e, -ENOMEM, "no memory for the trace");
	for (size_t i = 0; i < t->njobs; i++)
		take_job(&t->jobs[i], ep_s, o->speed, &w.jobs[i]);
	f = fdopen(dup(fd), "w");
	rc = f ? wave_write_jsonl(&w, f, e) : err_sys(e, -errno, "cannot write the arrivals");
	if (f && fclose(f) && !rc)
		rc = err_sys(e, -errno, "cannot write the arrivals");
	free(w.jobs);
	return rc;
}

static int run_waves(const struct replay_choice *o, const struct cli *cli, char *path)
{
	char speed[32], run[] = "run", fast[] = "--speed", server[] = "--server", json[] = "--json";
	char ca[] = "--ca", token[] = "--token-file";
	char *argv[12] = {run, fast, speed};
	int n = 3;

	(void)snprintf(speed, sizeof(speed), "%g", o->speed);
	if (cli->server) {
		argv[n++] = server;
		argv[n++] = (char *)(uintptr_t)cli->server;
	}
	if (cli->ca) {
		argv[n++] = ca;
		argv[n++] = (char *)(uintptr_t)cli->ca;
	}
	if (cli->token_file) {
		argv[n++] = token;
		argv[n++] = (char *)(uintptr_t)cli->token_file;
	}
	if (cli->json)
		argv[n++] = json;
	argv[n++] = path;
	optind = 0;
	return command_run.run(n, argv);
}

int replay_live(const struct replay_choice *o, struct cli *cli, struct err *e)
{
	struct machines m = {0};
	struct trace t = {0};
	_cleanup_close_ int fd = file_memfd("arrivals");
	char path[64];
	int rc = fd < 0 ? err_sys(e, fd, "cannot make a memory file") : 0, status;

	if (!rc)
		rc = machines_load(o->cluster ? o->cluster : "xeon-xgene", &m, e);
	if (!rc)
		rc = replay_load(o, cli->args[0], &t, e);
	if (!rc)
		rc = write_waves(o, &t, &m, fd, e);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	status = rc ? cli_fail(e) : run_waves(o, cli, path);
	trace_free(&t);
	machines_release(&m);
	return status;
}
