/* drover cancel, hold, release, requeue, migrate: something is done with a job. */
#include <errno.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/buf.h"

static const struct option options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};

/* One request for each argument; goes on after one that was refused. */
struct each {
	const char *method, *before, *after;
	const json_t *body;
};

static int for_each(struct cli *c, const struct each *a)
{
	struct err e = ERR_INIT;
	int status = 0;

	if (cli_open(c, &e))
		return cli_fail(&e);
	for (int i = 0; i < c->nargs; i++) {
		_cleanup_buf_ struct buf path = {0};
		_cleanup_json_ json_t *out = NULL;
		int rc;

		err_clear(&e);
		rc = cli_path(&path, a->before, c->args[i], a->after, &e);
		if (!rc)
			rc = cli_json(c, a->method, path.data, a->body, &out, &e);
		if (rc)
			status = cli_fail(&e);
		else if (c->json && out)
			cli_print_json(out);
	}
	cli_close(c);
	return status;
}

static int run_each(int argc, char **argv, const struct command *command, struct each a)
{
	struct cli c = {.command = command};
	int rc = cli_parse(&c, argc, argv, NULL, NULL, 1, 10000);

	return rc ? rc : for_each(&c, &a);
}

/* ---- cancel ------------------------------------------------------------- */

enum { OPT_ARRAY = CLI_OPT_OWN };

static const struct option cancel_options[] = {
	{"array", no_argument, NULL, OPT_ARRAY}, CLI_OPTIONS, {NULL, 0, NULL, 0}};

static int take_cancel(void *arg, int opt, const char *value, struct err *e)
{
	bool *array = arg;

	(void)value;
	(void)e;
	*array = *array || opt == OPT_ARRAY;
	return 0;
}

static int cmd_cancel(int argc, char **argv)
{
	struct cli c = {.command = &command_cancel};
	bool array = false;
	int rc = cli_parse(&c, argc, argv, take_cancel, &array, 1, 10000);

	return rc ? rc
		  : for_each(&c, &(struct each){"DELETE", array ? "/v1/jobs?array=" : "/v1/jobs/",
						"", NULL});
}

const struct command command_cancel = {
	"cancel",
	"[--array] JOB...",
	"end jobs",
	cmd_cancel,
	cancel_options,
	"usage: drover cancel [--array] JOB...\n"
	"Ends jobs: SIGTERM, and SIGKILL five seconds later. A job that waits just leaves the\n"
	"queue.\n\n"
	"      --array          JOB is an array: all its elements\n" CLI_USAGE};

/* ---- hold, release, requeue --------------------------------------------- */

static int cmd_hold(int argc, char **argv)
{
	_cleanup_json_ json_t *body = json_pack("{s:b}", "hold", 1);

	return run_each(argc, argv, &command_hold, (struct each){"PATCH", "/v1/jobs/", "", body});
}

const struct command command_hold = {
	"hold",
	"JOB...",
	"keep waiting jobs from starting",
	cmd_hold,
	options,
	"usage: drover hold JOB...\n"
	"Keeps waiting jobs from starting until they are released.\n\n" CLI_USAGE};

static int cmd_release(int argc, char **argv)
{
	_cleanup_json_ json_t *body = json_pack("{s:b}", "hold", 0);

	return run_each(argc, argv, &command_release,
			(struct each){"PATCH", "/v1/jobs/", "", body});
}

const struct command command_release = {"release",
					"JOB...",
					"let held jobs start",
					cmd_release,
					options,
					"usage: drover release JOB...\n"
					"Lets jobs that were held start.\n\n" CLI_USAGE};

static int cmd_requeue(int argc, char **argv)
{
	_cleanup_json_ json_t *body = json_object();

	return run_each(argc, argv, &command_requeue,
			(struct each){"POST", "/v1/jobs/", "/requeue", body});
}

const struct command command_requeue = {
	"requeue",
	"JOB...",
	"end running jobs and start them anew",
	cmd_requeue,
	options,
	"usage: drover requeue JOB...\n"
	"Ends the running attempt of jobs and puts them back into the queue, from where they\n"
	"start from their beginning. To move a job as it is: drover migrate.\n\n" CLI_USAGE};

/* ---- migrate ------------------------------------------------------------ */

static const struct option migrate_options[] = {
	{"reason", required_argument, NULL, 'r'}, CLI_OPTIONS, {NULL, 0, NULL, 0}};

static int take_reason(void *arg, int opt, const char *value, struct err *e)
{
	const char **reason = arg;

	(void)e;
	*reason = opt == 'r' ? value : *reason;
	return 0;
}

static int cmd_migrate(int argc, char **argv)
{
	struct cli c = {.command = &command_migrate};
	_cleanup_buf_ struct buf path = {0};
	_cleanup_json_ json_t *in = NULL, *out = NULL;
	const char *reason = "asked for by a user", *id, *to;
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, take_reason, &reason, 1, 2);

	if (rc)
		return rc;
	in = json_pack("{s:s}", "reason", reason);
	if (c.nargs == 2)
		(void)json_object_set_new(in, "node", json_string(c.args[1]));
	rc = cli_path(&path, "/v1/jobs/", c.args[0], "/migrate", &e);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_json(&c, "POST", path.data, in, &out, &e);
	cli_close(&c);
	if (rc)
		return cli_fail(&e);
	if (c.json) {
		cli_print_json(out);
		return 0;
	}
	id = json_string_value(json_object_get(out, "id"));
	to = json_string_value(json_object_get(out, "to"));
	(void)printf("migration %s of job %s to %s\n", id ? id : "?", c.args[0], to ? to : "?");
	return 0;
}

const struct command command_migrate = {
	"migrate",
	"JOB [NODE]",
	"move a running job",
	cmd_migrate,
	migrate_options,
	"usage: drover migrate [--reason TEXT] JOB [NODE]\n"
	"Moves a running job to NODE, or to one of the other ISA. The job goes on from where it\n"
	"is; if the move fails it stays where it was.\n\n"
	"  -r, --reason TEXT    kept with the migration [asked for by a user]\n" CLI_USAGE};
