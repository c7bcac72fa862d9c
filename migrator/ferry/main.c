/* drover-ferry: options and the answer to whoever started it; the work is in ferry.c. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "config.h"
#include "migrator/ferry/ferry.h"

static const char usage[] =
	"Usage: drover-ferry --dir DIR [--ready-fd N]\n"
	"Supervises one job attempt, as DIR/spec.json says. Started by drover-agent.\n"
	"\n"
	"  --dir DIR      state directory: spec.json in; status.json, log and socket out\n"
	"  --ready-fd N   descriptor that is told of the start, \"R<pid>\" or \"E<error>\"\n"
	"  --help, --version\n";

static int parse_fd(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	return *text && !*end && v > 2 && v < 1 << 20 ? (int)v : -1;
}

static void say_ready(int fd, const struct err *e)
{
	char text[1200];
	int len;

	if (fd < 0)
		return;
	len = e->code ? snprintf(text, sizeof(text), "E%s\n%s", e->msg, e->hint)
		      : snprintf(text, sizeof(text), "R%d", (int)getpid());
	if (file_write_all(fd, text, (size_t)len))
		log_warn("start.unheard errno=%d", errno);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
						{"ready-fd", required_argument, NULL, 'r'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'v'},
						{NULL, 0, NULL, 0}};
	struct ferry *f = calloc(1, sizeof(*f));
	struct err e = ERR_INIT;
	int opt, ready = -1, r;

	if (!f)
		return 1;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'd') {
			f->dir = optarg;
		} else if (opt == 'r') {
			ready = parse_fd(optarg);
		} else if (opt == 'h') {
			(void)fputs(usage, stdout);
			return 0;
		} else if (opt == 'v') {
			(void)puts("drover-ferry " PACKAGE_VERSION);
			return 0;
		} else {
			return 2;
		}
	}
	if (!f->dir || optind < argc) {
		(void)fputs(usage, stderr);
		return 2;
	}
	log_init("drover-ferry", LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	if (ready >= 0)
		(void)fcntl(ready, F_SETFD, FD_CLOEXEC);
	r = ferry_begin(f, &e);
	say_ready(ready, &e);
	if (!r)
		r = ferry_loop(f, &e);
	if (r)
		log_err(LOG_LEVEL_ERROR, "ferry.failed", &e);
	ferry_end(f);
	free(f);
	return r ? 1 : 0;
}
