/* drover-agent: options, then the node (node.c). */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/node.h"
#include "common/config.h"
#include "common/http_client.h"
#include "common/log.h"
#include "common/paths.h"
#include "config.h"

static const char usage[] =
	"Usage: drover-agent --name NODE --server URL [OPTION]...\n"
	"Runs jobs on this machine for a drover scheduler and reports what they use.\n"
	"\n"
	"  --name NODE           the node's name in the cluster [the host's name]\n"
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
	"  --meter TYPE          auto, powercap, powercap-psys, hwmon, hwmon:NAME[/LABEL], scmi "
	"or\n"
	"                        model [auto]; an emulated node is always modelled\n"
	"  --list-meters         say what this machine can be measured by, then exit\n"
	"  --sysfs-root DIR      root of the sysfs tree the meters read [/sys]\n"
	"  --powercap-root DIR   root of the powercap tree [class/powercap below it]\n"
	"  --sample-ms N         time between readings of the meters [1000]\n"
	"  --stop-jobs           end jobs when the agent ends; otherwise they run on\n"
	"  --log-level LEVEL     error, warn, info or debug [info]\n"
	"  --config FILE         read options from FILE [drover-agent.conf in the system's\n"
	"                        configuration directory, if it is there]; none reads none\n"
	"  --check-config        check options, file, profile and meters, then exit\n"
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
	OPT_LIST_METERS,
	OPT_SYSFS_ROOT,
	OPT_POWERCAP_ROOT,
	OPT_SAMPLE_MS,
	OPT_STOP_JOBS,
	OPT_LOG_LEVEL,
	OPT_CONFIG,
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
	{"list-meters", no_argument, NULL, OPT_LIST_METERS},
	{"sysfs-root", required_argument, NULL, OPT_SYSFS_ROOT},
	{"powercap-root", required_argument, NULL, OPT_POWERCAP_ROOT},
	{"sample-ms", required_argument, NULL, OPT_SAMPLE_MS},
	{"stop-jobs", no_argument, NULL, OPT_STOP_JOBS},
	{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

/* What the options fill. */
struct setup {
	struct options o;
	enum log_level level;
	bool help, version;
	char host[64];
	char state[512];
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

static int take_text(struct options *o, int opt, const char *value)
{
	const char **const texts[] = {
		[OPT_NAME - OPT_NAME] = &o->name,
		[OPT_SERVER - OPT_NAME] = &o->server,
		[OPT_CA - OPT_NAME] = &o->ca,
		[OPT_TOKEN_FILE - OPT_NAME] = &o->token_file,
		[OPT_STATE_DIR - OPT_NAME] = &o->state_dir,
		[OPT_ADDRESS - OPT_NAME] = &o->address,
		[OPT_PROFILE - OPT_NAME] = &o->profile,
		[OPT_METER - OPT_NAME] = &o->meter,
		[OPT_SYSFS_ROOT - OPT_NAME] = &o->sysfs_root,
		[OPT_POWERCAP_ROOT - OPT_NAME] = &o->powercap_root,
	};
	size_t at = (size_t)(opt - OPT_NAME);

	if (at >= ARRAY_SIZE(texts) || !texts[at])
		return 0;
	*texts[at] = value;
	return 1;
}

/* For the command line and the configuration file alike. */
static int take_option(void *arg, int opt, const char *value, struct err *e)
{
	struct setup *s = arg;
	struct options *o = &s->o;
	int v;

	if (take_text(o, opt, value))
		return 0;
	switch (opt) {
	case OPT_CPUS:
		return number("cpus", value, 1, 65536, &o->cpus, e);
	case OPT_SAMPLE_MS:
		return number("sample-ms", value, 10, 3600000, &o->sample_ms, e);
	case OPT_STOP_JOBS:
		o->stop_jobs = true;
		return 0;
	case OPT_LIST_METERS:
		o->list_meters = true;
		return 0;
	case OPT_CHECK_CONFIG:
		o->check_config = true;
		return 0;
	case OPT_CONFIG: /* read before the command line */
		return 0;
	case OPT_HELP:
		s->help = true;
		return 0;
	case OPT_VERSION:
		s->version = true;
		return 0;
	case OPT_ISA:
		v = isa_parse(value);
		if (v < 0)
			return err_set(e, v, "--isa: '%s' is neither x86_64 nor aarch64", value);
		o->isa = (enum isa)v;
		return 0;
	default:
		v = log_level_parse(value);
		if (v < 0)
			return err_set(e, v, "--log-level: '%s' is not a level", value);
		s->level = (enum log_level)v;
		return 0;
	}
}

/* A node's name goes into addresses and file names. */
static int check_options(struct setup *s, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	struct options *o = &s->o;
	char base[256];

	if (!o->name && !gethostname(s->host, sizeof(s->host) - 1)) {
		s->host[strcspn(s->host, ".")] = '\0';
		o->name = s->host;
	}
	if (!o->server) {
		err_set(e, -EINVAL, "no scheduler is named");
		err_hint(e, "--server http://HOST:PORT, or server = ... in drover-agent.conf");
		return -EINVAL;
	}
	if (!o->name || !*o->name || *o->name == '.' || strlen(o->name) > 63 ||
	    o->name[strspn(o->name, allowed)])
		return err_set(e, -EINVAL,
			       "--name: '%s' is not 1 to 63 letters, digits, '.', '-', '_'",
			       o->name ? o->name : "");
	if (!o->state_dir) {
		if (paths_state_dir(base, sizeof(base)) ||
		    (size_t)snprintf(s->state, sizeof(s->state), "%s/%s", base, o->name) >=
			    sizeof(s->state))
			return err_set(e, -ENAMETOOLONG, "no room for the state directory's name");
		o->state_dir = s->state;
	}
	if (!o->cpus)
		o->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	return 0;
}

static void print_meter(const struct meter *m)
{
	printf("meter %s: source %s, scope %s, %s", m->name, m->source, m->scope, m->kind);
	for (size_t i = 0; m->channels && i < m->channels->n; i++)
		printf("%s%s", i ? ", " : "; reads ", m->channels->v[i].name);
	putchar('\n');
}

static void print_config(const struct node *n)
{
	printf("node %s: %s%s, %u cpus, state in %s\n", n->opt.name, isa_name(n->opt.isa),
	       n->emulated ? " (emulated by qemu-user)" : "", n->opt.cpus, n->opt.state_dir);
	printf("profile %s: %s; idle %.2f W (%s), %.2f W per busy core (%s)\n", n->profile.name,
	       n->profile.title, n->profile.idle_w.value, profile_kind_name(n->profile.idle_w.kind),
	       n->profile.core_w.value, profile_kind_name(n->profile.core_w.kind));
	for (size_t i = 0; i < n->nmeters; i++)
		print_meter(n->meters[i]);
}

/* Every type: what it reads here, or why it can't. */
static int list_meters(const struct options *o, struct err *e)
{
	struct profile profile;
	struct meter_config c = {.profile = &profile,
				 .sysfs_root = o->sysfs_root,
				 .powercap_root = o->powercap_root,
				 .sample_ms = o->sample_ms};
	int rc = profile_load(o->profile ? o->profile : profile_default(o->isa), &profile, e);

	for (size_t i = 0; !rc && meter_types[i]; i++) {
		struct meter *m = NULL;
		struct err why = ERR_INIT;

		printf("%-14s %s\n               ", meter_types[i]->type, meter_types[i]->summary);
		if (!meter_open(meter_types[i]->type, o->isa != isa_host(), &c, &m, &why)) {
			print_meter(m);
			meter_close(m);
			continue;
		}
		printf("not here: %s\n", why.msg);
		if (why.hint[0])
			printf("               %s\n", why.hint);
	}
	return rc;
}

static void complain(void *arg, const struct err *e)
{
	(void)arg;
	err_print("drover-agent", e);
}

static int parse(struct setup *s, struct config *file, int argc, char **argv, struct err *e)
{
	const struct config_reader reader = {long_options, take_option, complain, s};
	int c, rc = config_load(argc, argv, "drover-agent", &reader, file, e);

	/* Errors in its lines have been told; one of the file itself has not. */
	if (rc)
		return rc == -EINVAL ? rc : (err_print("drover-agent", e), rc);
	while (!rc && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == '?')
			return -EINVAL;
		rc = take_option(s, c, optarg, e);
	}
	if (!rc && (s->help || s->version))
		return 0;
	if (!rc && optind < argc)
		rc = err_set(e, -EINVAL, "unexpected argument '%s'", argv[optind]);
	if (!rc && !s->o.list_meters)
		rc = check_options(s, e);
	if (rc)
		err_print("drover-agent", e);
	return rc;
}

/*
 * What the service manager gives the agent to read its meters (ambient capabilities)
 * stays with this process: programs it starts, and so the jobs, get none of it.
 */
static void keep_capabilities(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		log_warn("capabilities.not-kept errno=%d", errno);
}

static int run(const struct options *o, struct err *e)
{
	struct node n;
	int rc;

	keep_capabilities();
	if (o->list_meters)
		return list_meters(o, e);
	rc = node_init(&n, o, e);
	if (!rc && o->check_config)
		print_config(&n);
	else if (!rc)
		rc = node_run(&n, e);
	node_free(&n);
	return rc;
}

int main(int argc, char **argv)
{
	struct setup s = {.o = {.isa = isa_host(),
				.address = "127.0.0.1",
				.meter = "auto",
				.sample_ms = 1000},
			  .level = LOG_LEVEL_INFO};
	struct config file = {NULL, 0};
	struct err e = ERR_INIT;
	int rc = parse(&s, &file, argc, argv, &e);

	if (rc) {
		config_free(&file);
		return 2;
	}
	if (s.help)
		fputs(usage, stdout);
	if (s.version)
		puts("drover-agent " PACKAGE_VERSION);
	if (!s.help && !s.version) {
		log_init("drover-agent", s.o.list_meters ? LOG_LEVEL_ERROR : s.level);
		http_client_credentials(s.o.ca, s.o.token_file);
		rc = run(&s.o, &e);
		if (rc)
			err_print("drover-agent", &e);
	}
	config_free(&file);
	return rc ? 1 : 0;
}
