/* drover cordon, uncordon, drain, resume, sleep, wake: something is done with nodes. */
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/buf.h"

static const struct option options[] = {
	{"reason", required_argument, NULL, 'r'}, CLI_OPTIONS, {NULL, 0, NULL, 0}};

#define OPTIONS_USAGE                                                                              \
	"\n  -r, --reason TEXT    shown with the node and kept in its history\n" CLI_USAGE

static int take(void *arg, int opt, const char *value, struct err *e)
{
	const char **reason = arg;

	(void)e;
	*reason = opt == 'r' ? value : *reason;
	return 0;
}

/* The commands are named as the actions of the protocol. Goes on after one that was refused. */
static int run_action(int argc, char **argv, const struct command *command)
{
	struct cli c = {.command = command};
	_cleanup_json_ json_t *body = NULL;
	const char *reason = NULL;
	struct err e = ERR_INIT;
	int status = cli_parse(&c, argc, argv, take, &reason, 1, 10000);

	if (status)
		return status;
	if (cli_open(&c, &e))
		return cli_fail(&e);
	body = json_pack("{s:s}", "action", command->name);
	if (reason)
		(void)json_object_set_new(body, "reason", json_string(reason));
	for (int i = 0; i < c.nargs; i++) {
		_cleanup_buf_ struct buf path = {0};
		_cleanup_json_ json_t *out = NULL;
		const char *state;
		int rc;

		err_clear(&e);
		rc = cli_path(&path, "/v1/nodes/", c.args[i], "", &e);
		if (!rc)
			rc = cli_json(&c, "PATCH", path.data, body, &out, &e);
		state = json_string_value(json_object_get(out, "state"));
		if (rc)
			status = cli_fail(&e);
		else if (c.json)
			cli_print_json(out);
		else
			(void)printf("%s is %s%s\n", c.args[i], state ? state : "?",
				     json_is_true(json_object_get(out, "cordoned")) ? ", cordoned"
										    : "");
	}
	cli_close(&c);
	return status;
}

#define NODE_COMMAND(verb, says, more)                                                             \
	static int cmd_##verb(int argc, char **argv)                                               \
	{                                                                                          \
		return run_action(argc, argv, &command_##verb);                                    \
	}                                                                                          \
	const struct command command_##verb = {                                                    \
		#verb,   "NODE...",                                                                \
		says,    cmd_##verb,                                                               \
		options, "usage: drover " #verb " [--reason TEXT] NODE...\n" more OPTIONS_USAGE}

NODE_COMMAND(cordon, "give nodes no new jobs",
	     "Gives nodes no new jobs; what runs there runs on. `drover uncordon` undoes it.\n");
NODE_COMMAND(uncordon, "give nodes new jobs again", "Gives cordoned nodes new jobs again.\n");
NODE_COMMAND(
	drain, "move all jobs off nodes",
	"Gives nodes no new jobs and moves what runs there to others: a node is draining while\n"
	"jobs are left and drained then. `drover resume` undoes it.\n");
NODE_COMMAND(resume, "take drained or downed nodes back",
	     "Takes nodes back into service that were drained.\n");
NODE_COMMAND(sleep, "put idle nodes to sleep",
	     "Puts nodes to sleep that have no jobs; they wake when they are needed.\n");
NODE_COMMAND(wake, "wake sleeping nodes", "Wakes sleeping nodes.\n");
