/* drover run: submits the jobs of a trace (docs/formats/waves.md) at their times. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/job.h"
#include "common/clock.h"
#include "common/file.h"
#include "workloads/waves/waves.h"

#define TRACE_MAX (512u << 20)

static const char run_usage[] =
	"usage: drover run [--speed X] [--no-wait] TRACE\n"
	"Submits the jobs of a wave trace (made by drover-waves) at their times, waits for their\n"
	"ends and says how they ended. Exit status 1 unless all completed.\n"
	"\n"
	"  -s, --speed X        X times as fast [1]\n"
	"  -n, --no-wait        end once all are submitted\n" CLI_USAGE;

static const struct option options[] = {{"speed", required_argument, NULL, 's'},
					{"no-wait", no_argument, NULL, 'n'},
					CLI_OPTIONS,
					{NULL, 0, NULL, 0}};

struct known_bundle {
	char program[32];
	struct cli_bundle bundle;
};

struct run {
	struct cli cli;
	struct wave_trace trace;
	double speed;
	const char *user;
	struct known_bundle known[WAVES_MAX_KINDS];
	size_t nknown;
	json_t *ids; /* of the submitted jobs, in order */
	bool *ended; /* which of them are known to have ended */
	size_t nended;
};

static int bundle_of(struct run *r, const char *program, const char **sha, struct err *e)
{
	struct known_bundle *k;
	char name[64];
	int rc;

	for (size_t i = 0; i < r->nknown; i++)
		if (!strcmp(r->known[i].program, program)) {
			*sha = r->known[i].bundle.sha256;
			return 0;
		}
	if (r->nknown == ARRAY_SIZE(r->known))
		return err_set(e, -E2BIG, "the trace has more than %zu programs", r->nknown);
	k = &r->known[r->nknown];
	(void)snprintf(k->program, sizeof(k->program), "%s", program);
	(void)snprintf(name, sizeof(name), "drover-%s", program);
	rc = cli_bundle_ensure(&r->cli, name, &k->bundle, e);
	if (rc)
		return rc;
	r->nknown++;
	*sha = k->bundle.sha256;
	return 0;
}

static void sleep_until(uint64_t mono_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(mono_ns / NS_PER_S),
			      .tv_nsec = (long)(mono_ns % NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		continue;
}

/* Looks once at every job that is not known to have ended. */
static int count_ends(struct run *r, struct err *e)
{
	size_t i;
	json_t *id;

	json_array_foreach(r->ids, i, id)
	{
		_cleanup_json_ json_t *job = NULL;
		char path[96];
		int rc;

		if (r->ended[i])
			continue;
		(void)snprintf(path, sizeof(path), "/v1/jobs/%.60s", json_string_value(id));
		rc = cli_json(&r->cli, "GET", path, NULL, &job, e);
		if (rc)
			return rc;
		r->ended[i] = cli_job_ended(job);
		r->nended += r->ended[i];
	}
	return 0;
}

/* A sustained load: the next job comes when so many of those before it have ended. */
static int wait_ends(struct run *r, size_t want, struct err *e)
{
	int rc = 0;

	while (!rc && r->nended < want) {
		rc = count_ends(r, e);
		if (!rc && r->nended < want)
			sleep_until(clock_monotonic_ns() + 100 * NS_PER_MS);
	}
	return rc;
}

static int submit_one(struct run *r, const struct wave_job *w, struct err *e)
{
	_cleanup_json_ json_t *body = NULL, *job = NULL;
	char name[48], class[2] = {w->kind.class, '\0'}, repeat[16];
	const char *sha = NULL;
	int rc = bundle_of(r, w->kind.program, &sha, e);

	if (rc)
		return rc;
	(void)snprintf(name, sizeof(name), "%s.%s", w->kind.program, class);
	(void)snprintf(repeat, sizeof(repeat), "%" PRIu32, w->kind.repeat);
	body = json_pack("{s:s, s:s, s:[s, s, s, s], s:i, s:s}", "bundle", sha, "name", name,
			 "args", "--class", class, "--repeat", repeat, "cpus", (int)w->cpus, "user",
			 r->user);
	if (!body)
		return err_set(e, -ENOMEM, "no room for a submission");
	rc = cli_job_submit(&r->cli, body, &job, e);
	if (rc)
		return rc;
	(void)json_array_append(r->ids, json_object_get(job, "id"));
	return 0;
}

static int submit_all(struct run *r, struct err *e)
{
	uint64_t begin;
	uint32_t wave = 0;
	size_t in_wave = 0;
	const char *sha;

	/* Uploads first: they should not shift the arrivals. */
	for (size_t i = 0; i < r->trace.njobs; i++) {
		int rc = bundle_of(r, r->trace.jobs[i].kind.program, &sha, e);

		if (rc)
			return rc;
	}
	begin = clock_monotonic_ns();
	for (size_t i = 0; i < r->trace.njobs; i++) {
		const struct wave_job *w = &r->trace.jobs[i];
		int rc;

		sleep_until(begin +
			    (uint64_t)((double)w->arrival_ms / r->speed * (double)NS_PER_MS));
		if (w->wave != wave)
			in_wave = 0;
		wave = w->wave;
		rc = wait_ends(r, w->after_ends, e);
		if (!rc)
			rc = submit_one(r, w, e);
		if (rc)
			return rc;
		in_wave++;
		if (!r->cli.json &&
		    (i + 1 == r->trace.njobs || r->trace.jobs[i + 1].wave != wave)) {
			(void)printf("wave %" PRIu32 "/%" PRIu32 ": %zu jobs at %.1f s\n", wave,
				     r->trace.params.waves, in_wave,
				     (double)(clock_monotonic_ns() - begin) / (double)NS_PER_S);
			(void)fflush(stdout);
		}
	}
	return 0;
}

/* Waits for all; *failed counts those that did not complete. */
static int wait_all(struct run *r, json_t *jobs, size_t *failed, struct err *e)
{
	size_t i;
	json_t *id;

	*failed = 0;
	json_array_foreach(r->ids, i, id)
	{
		json_t *job = NULL;
		const char *state, *reason;
		int rc = cli_job_wait(&r->cli, json_string_value(id), &job, e);

		if (rc)
			return rc;
		(void)json_array_append_new(jobs, job);
		state = json_string_value(json_object_get(job, "state"));
		reason = json_string_value(json_object_get(job, "reason"));
		if (!strcmp(state, "COMPLETED"))
			continue;
		++*failed;
		(void)fprintf(stderr, "drover: job %s ended %s: %s\n", json_string_value(id), state,
			      reason ? reason : "");
	}
	return 0;
}

static int load_trace(const char *path, struct run *r, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int rc;

	buf_init(&b, TRACE_MAX);
	rc = file_read(path, &b, e);
	if (!rc && (rc = wave_read(buf_cstr(&b), b.len, &r->trace, e)))
		err_wrap(e, "%s", path);
	if (rc)
		return rc;
	r->ended = calloc(r->trace.njobs + 1, sizeof(*r->ended));
	return r->ended ? 0 : err_set(e, -ENOMEM, "%s: out of memory", path);
}

static int run_trace(struct run *r, bool wait, struct err *e)
{
	_cleanup_json_ json_t *jobs = json_array();
	size_t failed = 0;
	int rc = submit_all(r, e);

	if (!rc && wait)
		rc = wait_all(r, jobs, &failed, e);
	if (rc)
		return rc;
	if (r->cli.json)
		cli_print_json(wait ? jobs : r->ids);
	else if (wait)
		(void)printf("%zu of %zu jobs completed\n", r->trace.njobs - failed,
			     r->trace.njobs);
	return failed ? 1 : 0;
}

struct run_choice {
	double speed;
	bool wait;
};

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct run_choice *o = arg;
	char *end = NULL;

	o->wait = o->wait && opt != 'n';
	if (opt != 's')
		return 0;
	o->speed = strtod(value, &end);
	if (*end || !(o->speed >= 0.001 && o->speed <= 1e6))
		return err_set(e, -EINVAL, "--speed takes a number from 0.001 to 1000000");
	return 0;
}

static int cmd_run(int argc, char **argv)
{
	struct run r = {.cli = {.command = &command_run}};
	struct run_choice choice = {.speed = 1, .wait = true};
	const struct passwd *pw = getpwuid(getuid());
	struct err e = ERR_INIT;
	int rc = cli_parse(&r.cli, argc, argv, take, &choice, 1, 1);

	if (rc)
		return rc;
	r.speed = choice.speed;
	r.user = pw ? pw->pw_name : "unknown";
	r.ids = json_array();
	rc = load_trace(r.cli.args[0], &r, &e);
	if (!rc)
		rc = cli_open(&r.cli, &e);
	if (!rc)
		rc = run_trace(&r, choice.wait, &e);
	cli_close(&r.cli);
	wave_trace_free(&r.trace);
	json_decref(r.ids);
	free(r.ended);
	return rc < 0 ? cli_fail(&e) : rc;
}

const struct command command_run = {"run",   "TRACE", "submit the jobs of a trace at their times",
				    cmd_run, options, run_usage};
