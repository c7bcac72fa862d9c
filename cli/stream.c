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
	"usage: drover logs JOB [-f|--follow] [--attempt N] [--server URL]\n"
	"Prints a job's output (stdout and stderr); with --follow goes on until the job ends.\n";

int cmd_logs(int argc, char **argv)
{
	static const struct option options[] = {{"follow", no_argument, NULL, 'f'},
						{"attempt", required_argument, NULL, 'a'},
						CLI_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct cli c = {.usage = logs_usage};
	_cleanup_buf_ struct buf path = {0};
	const char *attempt = NULL;
	struct err e = ERR_INIT;
	bool follow = false;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (cli_option(&c, opt))
			continue;
		follow = follow || opt == 'f';
		attempt = opt == 'a' ? optarg : attempt;
	}
	if (argc - optind != 1)
		return cli_usage(&c, "logs takes one job");
	buf_init(&path, 1024);
	rc = buf_str(&path, "/v1/jobs/");
	if (!rc)
		rc = http_escape(&path, argv[optind]);
	if (!rc)
		rc = buf_printf(&path, "/log?offset=0%s", follow ? "&follow=1" : "");
	if (!rc && attempt && !(rc = buf_str(&path, "&attempt=")))
		rc = http_escape(&path, attempt);
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = stream(&c, path.data, follow, &e, to_stdout, NULL);
	cli_close(&c);
	return rc ? cli_fail(&e) : 0;
}

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

int cmd_events(int argc, char **argv)
{
	static const struct option options[] = {CLI_OPTIONS, {NULL, 0, NULL, 0}};
	struct cli c = {.usage = "usage: drover events [--json] [--server URL]\n"
				 "Prints what happens in the cluster as it happens, until "
				 "interrupted.\n"};
	struct event_reader r = {.name = ""};
	struct err e = ERR_INIT;
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		(void)cli_option(&c, opt);
	if (optind < argc)
		return cli_usage(&c, "events takes no arguments");
	buf_init(&r.line, 1u << 20);
	r.raw = c.json;
	rc = cli_open(&c, &e);
	if (!rc)
		rc = stream(&c, "/v1/events", true, &e, on_events, &r);
	buf_free(&r.line);
	cli_close(&c);
	return rc ? cli_fail(&e) : 0;
}
