/* drover logs and events: bytes as they come. */
#include <errno.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/buf.h"
#include "common/file.h"

static int to_stdout(void *arg, const char *data, size_t len)
{
	(void)arg;
	return file_write_all(STDOUT_FILENO, data, len);
}

static int stream(struct cli *c, const char *path, bool endless, struct err *e,
		  int (*sink)(void *, const char *, size_t), void *arg)
{
	_cleanup_answer_ struct http_answer a = {0};
	struct http_request r = {.method = "GET",
				 .path = path,
				 .max_answer = SIZE_MAX / 2,
				 .sink = sink,
				 .sink_arg = arg,
				 .stall_ms = endless ? 3600u * 1000u : 30000u};
	int rc = http_do(c->http, &r, &a, e);

	if (rc == -ECONNREFUSED)
		err_hint(e, "is a cluster running? `drover up` starts one");
	return rc ? rc : http_check(&a, e);
}

static const char logs_usage[] =
	"usage: drover logs [-f] [--attempt N] JOB\n"
	"Prints a job's output (stdout and stderr) of its newest attempt.\n"
	"\n"
	"  -f, --follow         go on until the job ends\n"
	"  -a, --attempt N      of this attempt\n"
	"      --offset BYTES   from there [0]\n"
	"      --json           is refused: output is bytes\n"
	"      --server URL, --ca FILE, --token-file FILE, --config FILE, --help\n";

enum { OPT_OFFSET = CLI_OPT_OWN };

static const struct option logs_options[] = {{"follow", no_argument, NULL, 'f'},
					     {"attempt", required_argument, NULL, 'a'},
					     {"offset", required_argument, NULL, OPT_OFFSET},
					     CLI_OPTIONS,
					     {NULL, 0, NULL, 0}};

struct logs {
	const char *attempt, *offset;
	bool follow;
};

static int take_logs(void *arg, int opt, const char *value, struct err *e)
{
	struct logs *l = arg;

	l->follow = l->follow || opt == 'f';
	l->attempt = opt == 'a' ? value : l->attempt;
	l->offset = opt == OPT_OFFSET ? value : l->offset;
	if (value && (!*value || value[strspn(value, "0123456789")]))
		return err_set(e, -EINVAL, "'%.40s' is not a whole number", value);
	return 0;
}

static int cmd_logs(int argc, char **argv)
{
	struct cli c = {.command = &command_logs};
	_cleanup_buf_ struct buf path = {0};
	struct logs l = {.offset = "0"};
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, take_logs, &l, 1, 1);

	if (rc)
		return rc;
	if (c.json)
		return cli_usage(
			&c, "a job's output is bytes, which JSON can't hold: leave out --json");
	rc = cli_path(&path, "/v1/jobs/", c.args[0], "/log?offset=", &e);
	if (!rc)
		rc = buf_printf(&path, "%s%s", l.offset, l.follow ? "&follow=1" : "");
	if (!rc && l.attempt)
		rc = cli_query(&path, "attempt", l.attempt);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = stream(&c, path.data, l.follow, &e, to_stdout, NULL);
	cli_close(&c);
	return rc ? cli_fail(&e) : 0;
}

const struct command command_logs = {"logs",   "JOB",        "print a job's output",
				     cmd_logs, logs_options, logs_usage};

/* Server-sent events: lines "id:", "event:", "data:", an empty line ends one. */
struct event_reader {
	struct buf line;
	char name[64];
	bool raw;
};

static void event_line(struct event_reader *r, const char *line)
{
	if (!strncmp(line, "event:", 6))
		(void)snprintf(r->name, sizeof(r->name), "%.60s", line + 6 + strspn(line + 6, " "));
	if (strncmp(line, "data:", 5) != 0)
		return;
	line += 5 + strspn(line + 5, " ");
	if (r->raw)
		(void)printf("%s\n", line);
	else
		(void)printf("%-10s %s\n", r->name, line);
	(void)fflush(stdout);
}

static int on_events(void *arg, const char *data, size_t len)
{
	struct event_reader *r = arg;

	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) : len;

		if (buf_append(&r->line, data, n))
			return -ENOBUFS;
		if (!nl)
			return 0;
		if (r->line.len && r->line.data[r->line.len - 1] == '\r')
			r->line.data[r->line.len - 1] = '\0';
		event_line(r, buf_cstr(&r->line));
		buf_reset(&r->line);
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}

static const struct option events_options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};

static int cmd_events(int argc, char **argv)
{
	struct cli c = {.command = &command_events};
	struct event_reader r = {.name = ""};
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, NULL, NULL, 0, 0);

	if (rc)
		return rc;
	buf_init(&r.line, 1u << 20);
	r.raw = c.json;
	rc = cli_open(&c, &e);
	if (!rc)
		rc = stream(&c, "/v1/events", true, &e, on_events, &r);
	buf_free(&r.line);
	cli_close(&c);
	return rc ? cli_fail(&e) : 0;
}

const struct command command_events = {
	"events",
	"",
	"print what happens as it happens",
	cmd_events,
	events_options,
	"usage: drover events\n"
	"Prints what happens in the cluster as it happens, until interrupted.\n"
	"\n"
	"      --json           only the data, one JSON object a line\n"
	"      --server URL, --ca FILE, --token-file FILE, --config FILE, --help\n"};
