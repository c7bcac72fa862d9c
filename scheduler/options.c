#include "scheduler/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/paths.h"
#include "scheduler/core/types.h"
#include "scheduler/policy/policy.h"

enum {
	OPT_LISTEN = 256,
	OPT_PORT_FILE,
	OPT_POLICY,
	OPT_LOG,
	OPT_CHECK,
	OPT_CONFIG,
	OPT_TIMEOUT,
	OPT_UNKNOWN,
	OPT_DASHBOARD,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_TOKEN_KEY,
	OPT_REQUIRE_TOKEN,
	OPT_OPEN_ENERGY,
	OPT_LIST_ROUTES,
	OPT_ENERGY_DAYS,
	OPT_SUSPEND,
	OPT_RESUME,
	OPT_SUSPEND_TIME,
	OPT_RESUME_TIME
};

static const struct option longs[] = {
	{"state-dir", required_argument, NULL, 's'},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"node-timeout", required_argument, NULL, OPT_TIMEOUT},
	{"node-unknown", required_argument, NULL, OPT_UNKNOWN},
	{"log-level", required_argument, NULL, OPT_LOG},
	{"tls-cert", required_argument, NULL, OPT_TLS_CERT},
	{"tls-key", required_argument, NULL, OPT_TLS_KEY},
	{"token-key", required_argument, NULL, OPT_TOKEN_KEY},
	{"require-token", no_argument, NULL, OPT_REQUIRE_TOKEN},
	{"energy-days", required_argument, NULL, OPT_ENERGY_DAYS},
	{"open-energy", no_argument, NULL, OPT_OPEN_ENERGY},
	{"suspend-program", required_argument, NULL, OPT_SUSPEND},
	{"resume-program", required_argument, NULL, OPT_RESUME},
	{"suspend-timeout", required_argument, NULL, OPT_SUSPEND_TIME},
	{"resume-timeout", required_argument, NULL, OPT_RESUME_TIME},
	{"dashboard", required_argument, NULL, OPT_DASHBOARD},
	{"list-routes", no_argument, NULL, OPT_LIST_ROUTES},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

void options_help(void)
{
	printf("Usage: droverd [OPTION]...\n"
	       "The scheduler of a Drover cluster.\n\n"
	       "      --state-dir DIR      what it remembers (default: /var/lib/drover/scheduler "
	       "as\n"
	       "                           root, else below ~/.local/state/drover)\n"
	       "      --listen HOST:PORT   address to serve (default 127.0.0.1:7700; port 0: any "
	       "free "
	       "one);\n"
	       "                           other than loopback needs TLS, and then tokens too\n"
	       "      --tls-cert FILE      certificate (PEM), with --tls-key: serve HTTPS\n"
	       "      --tls-key FILE       its key; drover cert makes both\n"
	       "      --require-token      ask for a token on loopback too\n"
	       "      --token-key FILE     what signs tokens (default: token.key in the state "
	       "directory,\n"
	       "                           made when there is none)\n"
	       "      --energy-days N      readings of energy are kept N days (default 400; 0: for "
	       "ever)\n"
	       "      --open-energy        everybody may see the energy of everybody's jobs\n"
	       "      --port-file FILE     write the port to FILE once it serves\n"
	       "      --policy NAME        policy of a new cluster (default balance):\n");
	for (size_t i = 0; policies[i]; i++)
		printf("                             %-12s %s\n", policies[i]->name,
		       policies[i]->summary);
	printf("      --node-timeout S     a node silent for S seconds is down (default %" PRIu64
	       ")\n"
	       "      --node-unknown S     a node silent for S seconds gets no new work (default\n"
	       "                           %" PRIu64 ", at most --node-timeout)\n",
	       core_options_default.node_down_ms / 1000,
	       core_options_default.node_unknown_ms / 1000);
	printf("      --suspend-program FILE, --resume-program FILE\n"
	       "                           programs that put the node named by their argument to "
	       "sleep\n"
	       "                           and wake it; without them no node sleeps\n"
	       "      --suspend-timeout S, --resume-timeout S\n"
	       "                           a node that isn't asleep, or not ready again, within S "
	       "seconds\n"
	       "                           has failed to (default 60 and 600)\n"
	       "      --dashboard DIR      the page served at / (default: where it is installed)\n"
	       "      --log-level LEVEL    error, warn, info or debug (default info)\n"
	       "      --config FILE        read options from FILE (default: droverd.conf in the "
	       "system's\n"
	       "                           configuration directory, if it is there); none reads "
	       "none\n"
	       "      --check-config       check options, file and state directory, then end\n"
	       "      --list-routes        print the routes of the API and who may call each\n"
	       "      --help, --version\n");
}

static int parse_energy_days(struct options *o, const char *s, struct err *e)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || v > 36500)
		return err_set(e, -EINVAL, "--energy-days: \"%.40s\" is not 0 to 36500 days", s);
	o->energy_days = v;
	return 0;
}

static int parse_seconds(unsigned int *out, const char *option, const char *s, struct err *e)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (!*s || *end || v < 1 || v > 86400)
		return err_set(e, -EINVAL, "--%s: \"%.40s\" is not 1 to 86400 seconds", option, s);
	*out = (unsigned int)v;
	return 0;
}

static int take(void *to, int opt, const char *arg, struct err *e)
{
	struct options *o = to;
	int level;

	switch (opt) {
	case 's':
		if ((size_t)snprintf(o->state_dir, sizeof(o->state_dir), "%s", arg) >=
		    sizeof(o->state_dir))
			return err_set(e, -EINVAL, "--state-dir: the name is too long");
		return 0;
	case OPT_LISTEN:
		o->listen = arg;
		return 0;
	case OPT_PORT_FILE:
		o->port_file = arg;
		return 0;
	case OPT_POLICY:
		o->policy = arg;
		if (policy_find(arg))
			return 0;
		err_set(e, -EINVAL, "--policy: there is no policy \"%.40s\"", arg);
		return err_hint(e, "droverd --help lists them");
	case OPT_TLS_CERT:
		o->tls_cert = arg;
		return 0;
	case OPT_TLS_KEY:
		o->tls_key = arg;
		return 0;
	case OPT_TOKEN_KEY:
		o->token_key = arg;
		return 0;
	case OPT_REQUIRE_TOKEN:
		o->require_token = true;
		return 0;
	case OPT_ENERGY_DAYS:
		return parse_energy_days(o, arg, e);
	case OPT_OPEN_ENERGY:
		o->open_energy = true;
		return 0;
	case OPT_DASHBOARD:
		if ((size_t)snprintf(o->dashboard, sizeof(o->dashboard), "%s", arg) >=
		    sizeof(o->dashboard))
			return err_set(e, -EINVAL, "--dashboard: the name is too long");
		return 0;
	case OPT_TIMEOUT:
		return parse_seconds(&o->timeout_s, "node-timeout", arg, e);
	case OPT_UNKNOWN:
		return parse_seconds(&o->unknown_s, "node-unknown", arg, e);
	case OPT_LOG:
		level = log_level_parse(arg);
		if (level < 0)
			return err_set(e, -EINVAL,
				       "--log-level: \"%.40s\" is not error, warn, info or debug",
				       arg);
		o->log_level = (enum log_level)level;
		return 0;
	case OPT_SUSPEND:
		o->suspend_program = arg;
		return 0;
	case OPT_RESUME:
		o->resume_program = arg;
		return 0;
	case OPT_SUSPEND_TIME:
		return parse_seconds(&o->suspend_s, "suspend-timeout", arg, e);
	case OPT_RESUME_TIME:
		return parse_seconds(&o->resume_s, "resume-timeout", arg, e);
	case OPT_LIST_ROUTES:
		o->list_routes = true;
		return 0;
	case OPT_CONFIG: /* read before the command line */
		return 0;
	case OPT_CHECK:
		o->check_config = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	case 'V':
		o->version = true;
		return 0;
	default:
		err_set(e, -EINVAL, "unknown or incomplete option");
		return err_hint(e, "droverd --help lists the options");
	}
}

static void complain(void *arg, const struct err *e)
{
	(void)arg;
	err_print("droverd", e);
}

void options_free(struct options *o)
{
	config_free(&o->file);
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	const struct config_reader reader = {longs, take, complain, o};
	char base[2048];
	int opt, r;

	*o = (struct options){.listen = "127.0.0.1:7700",
			      .energy_days = 400,
			      .policy = "balance",
			      .log_level = LOG_LEVEL_INFO,
			      .suspend_s = 60,
			      .resume_s = 600};
	r = config_load(argc, argv, "droverd", &reader, &o->file, e);
	if (r == -EINVAL)
		err_clear(e); /* each of its lines has been told */
	if (r)
		return r;
	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		r = take(o, opt, optarg, e);
		if (r)
			return r;
	}
	if (optind < argc)
		return err_set(e, -EINVAL, "unexpected argument \"%.80s\"", argv[optind]);
	if (!o->tls_cert != !o->tls_key)
		return err_set(e, -EINVAL, "--tls-cert and --tls-key go together");
	if (!o->suspend_program != !o->resume_program)
		return err_set(e, -EINVAL, "--suspend-program and --resume-program go together");
	if (o->suspend_program &&
	    (access(o->suspend_program, X_OK) || access(o->resume_program, X_OK))) {
		err_set(e, -EINVAL,
			"--suspend-program or --resume-program can't be run: %.200s, %.200s",
			o->suspend_program, o->resume_program);
		return err_hint(e, "both must be executable files, named with their path");
	}
	if (!o->dashboard[0] && paths_dashboard(o->dashboard, sizeof(o->dashboard)))
		o->dashboard[0] = '\0';
	if (o->state_dir[0] || o->help || o->version || o->list_routes)
		return 0;
	r = paths_state_dir(base, sizeof(base));
	if (r)
		return err_sys(e, r, "can't tell where to keep the state");
	(void)snprintf(o->state_dir, sizeof(o->state_dir), "%s/scheduler", base);
	return 0;
}
