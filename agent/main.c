/* drover-agent: options, then the node (node.c). */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "agent/node.h"
#include "common/http_client.h"
#include "common/log.h"
#include "common/paths.h"
#include "config.h"

static const char usage[] =
	"Usage: drover-agent --name NODE --server URL [OPTION]...\n"
	"Runs jobs on this machine for a drover scheduler and reports what they use.\n"
	"\n"
	"  --name NODE           the node's name in the cluster\n"
	"  --server URL          the scheduler, http://HOST:PORT or https://HOST:PORT\n"
	"  --ca FILE             authorities that may sign its certificate [$DROVER_CA]\n"
	"  --token-file FILE     the agent's token, made by drover token [$DROVER_TOKEN_FILE]\n"
	"  --isa ISA             x86_64 or aarch64 [this machine's]; the other one is emulated\n"
	"                        by qemu-user and shown as such everywhere\n"
	"  --state-dir DIR       jobs, bundles and unsent readings [a folder NODE below the\n"
	"                        system's state directory]\n"
	"  --cpus N              jobs' CPUs the scheduler may give away [all of this machine]\n"
	"  --address ADDRESS     where other nodes reach this one for migrations [127.0.0.1]\n"
	"  --profile NAME|FILE   machine profile of the power model [x-gene-1, xeon-e5-1650-v2]\n"
	"  --meter TYPE          auto, powercap, powercap-psys or model [auto]; an emulated node\n"
	"                        is always modelled\n"
	"  --powercap-root DIR   root of the powercap tree [/sys/class/powercap]\n"
	"  --sample-ms N         time between readings of the meter [1000]\n"
	"  --stop-jobs           end jobs when the agent ends; otherwise they run on\n"
	"  --log-level LEVEL     error, warn, info or debug [info]\n"
	"  --check-config        check options, profile and meter, then exit\n"
	"  --help, --version\n";

enum {
	OPT_NAME = 256,
	OPT_SERVER,
	OPT_CA,
	OPT_TOKEN_FILE,
	OPT_ISA,
	OPT_STATE_DIR,
	OPT_CPUS,
	OPT_ADDRESS,
	OPT_PROFILE,
	OPT_METER,
	OPT_POWERCAP_ROOT,
	OPT_SAMPLE_MS,
	OPT_STOP_JOBS,
	OPT_LOG_LEVEL,
	OPT_CHECK_CONFIG,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"server", required_argument, NULL, OPT_SERVER},
	{"ca", required_argument, NULL, OPT_CA},
	{"token-file", required_argument, NULL, OPT_TOKEN_FILE},
	{"isa", required_argument, NULL, OPT_ISA},
	{"state-dir", required_argument, NULL, OPT_STATE_DIR},
	{"cpus", required_argument, NULL, OPT_CPUS},
	{"address", required_argument, NULL, OPT_ADDRESS},
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"meter", required_argument, NULL, OPT_METER},
	{"powercap-root", required_argument, NULL, OPT_POWERCAP_ROOT},
	{"sample-ms", required_argument, NULL, OPT_SAMPLE_MS},
	{"stop-jobs", no_argument, NULL, OPT_STOP_JOBS},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int number(const char *opt, const char *text, unsigned long lo, unsigned long hi,
		  unsigned int *out, struct err *e)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || v < lo || v > hi)
		return err_set(e, -EINVAL, "--%s: '%s' is not a whole number from %lu to %lu", opt,
			       text, lo, hi);
	*out = (unsigned int)v;
	return 0;
}

static int take_option(int c, struct options *o, enum log_level *level, struct err *e)
{
	int v;

	switch (c) {
	case OPT_NAME:
		o->name = optarg;
		return 0;
	case OPT_SERVER:
		o->server = optarg;
		return 0;
	case OPT_CA:
		o->ca = optarg;
		return 0;
	case OPT_TOKEN_FILE:
		o->token_file = optarg;
		return 0;
	case OPT_STATE_DIR:
		o->state_dir = optarg;
		return 0;
	case OPT_ADDRESS:
		o->address = optarg;
		return 0;
	case OPT_PROFILE:
		o->profile = optarg;
		return 0;
	case OPT_METER:
		o->meter = optarg;
		return 0;
	case OPT_POWERCAP_ROOT:
		o->powercap_root = optarg;
		return 0;
	case OPT_CPUS:
		return number("cpus", optarg, 1, 65536, &o->cpus, e);
	case OPT_SAMPLE_MS:
		return number("sample-ms", optarg, 10, 3600000, &o->sample_ms, e);
	case OPT_STOP_JOBS:
		o->stop_jobs = true;
		return 0;
	case OPT_CHECK_CONFIG:
		o->check_config = true;
		return 0;
	case OPT_ISA:
		v = isa_parse(optarg);
		if (v < 0)
			return err_set(e, v, "--isa: '%s' is neither x86_64 nor aarch64", optarg);
		o->isa = (enum isa)v;
		return 0;
	default:
		v = log_level_parse(optarg);
		if (v < 0)
			return err_set(e, v, "--log-level: '%s' is not a level", optarg);
		*level = (enum log_level)v;
		return 0;
	}
}

/* A node's name goes into addresses and file names. */
static int check_options(struct options *o, char *state, size_t size, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	char base[256];

	if (!o->name || !o->server) {
		err_set(e, -EINVAL, "--name and --server are needed");
		err_hint(e, "drover-agent --help");
		return -EINVAL;
	}
	if (!*o->name || *o->name == '.' || strlen(o->name) > 63 ||
	    o->name[strspn(o->name, allowed)])
		return err_set(e, -EINVAL,
			       "--name: '%s' is not 1 to 63 letters, digits, '.', '-', '_'",
			       o->name);
	if (!o->state_dir) {
		if (paths_state_dir(base, sizeof(base)) ||
		    (size_t)snprintf(state, size, "%s/%s", base, o->name) >= size)
			return err_set(e, -ENAMETOOLONG, "no room for the state directory's name");
		o->state_dir = state;
	}
	if (!o->cpus)
		o->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	return 0;
}

static void print_config(const struct node *n)
{
	printf("node %s: %s%s, %u cpus, state in %s\n", n->opt.name, isa_name(n->opt.isa),
	       n->emulated ? " (emulated by qemu-user)" : "", n->opt.cpus, n->opt.state_dir);
	printf("profile %s: %s; idle %.2f W (%s), %.2f W per busy core (%s)\n", n->profile.name,
	       n->profile.title, n->profile.idle_w.value, profile_kind_name(n->profile.idle_w.kind),
	       n->profile.core_w.value, profile_kind_name(n->profile.core_w.kind));
	printf("meter %s: source %s, scope %s, %s\n", n->meter->name, n->meter->ops->source,
	       n->meter->scope, n->meter->ops->kind);
}

int main(int argc, char **argv)
{
	struct options o = {
		.isa = isa_host(), .address = "127.0.0.1", .meter = "auto", .sample_ms = 1000};
	enum log_level level = LOG_LEVEL_INFO;
	struct err e = ERR_INIT;
	struct node n;
	char state[512];
	int c, rc = 0;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == '?')
			return 2;
		if (c == OPT_HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (c == OPT_VERSION) {
			puts("drover-agent " PACKAGE_VERSION);
			return 0;
		}
		rc = take_option(c, &o, &level, &e);
		if (rc)
			break;
	}
	if (!rc && optind < argc)
		rc = err_set(&e, -EINVAL, "unexpected argument '%s'", argv[optind]);
	if (!rc)
		rc = check_options(&o, state, sizeof(state), &e);
	if (rc) {
		err_print("drover-agent", &e);
		return 2;
	}
	log_init("drover-agent", level);
	http_client_credentials(o.ca, o.token_file);
	rc = node_init(&n, &o, &e);
	if (!rc && o.check_config)
		print_config(&n);
	else if (!rc)
		rc = node_run(&n, &e);
	node_free(&n);
	if (rc) {
		err_print("drover-agent", &e);
		return 1;
	}
	return 0;
}
