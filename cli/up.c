/* drover up and down: a whole cluster on this machine. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/client.h"
#include "cli/cluster.h"
#include "cli/commands.h"
#include "cli/launch.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/isa.h"

#define NODES_MAX (CLUSTER_MAX_PROCESSES - 1)

struct node_spec {
	char name[64];
	enum isa isa;
	unsigned int cpus; /* 0: the agent's default */
};

struct up_options {
	const char *state_dir, *policy, *port;
	bool sleep;
	struct node_spec nodes[NODES_MAX];
	size_t nnodes;
};

static const char up_usage[] =
	"usage: drover up [OPTION]... [NODE]...\n"
	"Starts a scheduler and an agent for each node on this machine, in the background. A node\n"
	"whose ISA is not this machine's is emulated by qemu-user and shown as such everywhere.\n"
	"`drover down` ends them. With NODE: starts these nodes of the cluster again.\n"
	"\n"
	"  -n, --nodes NAME=ISA[:CPUS],...  the nodes [x86-1=x86_64,arm-1=aarch64]\n"
	"  -p, --policy NAME        the scheduler's policy; droverd --help lists them\n"
	"  -P, --port PORT          its port on 127.0.0.1; 0 takes any free one [7700]\n"
	"  -d, --state-dir DIR      where the cluster's files are kept\n"
	"  -s, --sleep              let the scheduler put idle nodes to sleep: it stops and "
	"starts\n"
	"                           their agents\n" CLI_USAGE;

static const struct option up_options_table[] = {{"nodes", required_argument, NULL, 'n'},
						 {"policy", required_argument, NULL, 'p'},
						 {"port", required_argument, NULL, 'P'},
						 {"state-dir", required_argument, NULL, 'd'},
						 {"sleep", no_argument, NULL, 's'},
						 CLI_OPTIONS,
						 {NULL, 0, NULL, 0}};

static int parse_node(const char *text, size_t len, struct node_spec *n, struct err *e)
{
	const char *eq = memchr(text, '=', len), *colon;
	char isa[16], cpus[12] = "";
	size_t isa_len;
	int v;

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(n->name))
		return err_set(e, -EINVAL, "--nodes: '%.*s' is not NAME=ISA[:CPUS]", (int)len,
			       text);
	colon = memchr(eq, ':', len - (size_t)(eq - text));
	isa_len = (size_t)((colon ? colon : text + len) - eq - 1);
	(void)snprintf(n->name, sizeof(n->name), "%.*s", (int)(eq - text), text);
	(void)snprintf(isa, sizeof(isa), "%.*s", (int)isa_len, eq + 1);
	if (colon)
		(void)snprintf(cpus, sizeof(cpus), "%.*s", (int)(text + len - colon - 1),
			       colon + 1);
	v = isa_parse(isa);
	if (v < 0)
		return err_set(e, -EINVAL, "--nodes: '%s' is neither x86_64 nor aarch64", isa);
	n->isa = (enum isa)v;
	n->cpus = (unsigned int)strtoul(cpus, NULL, 10);
	if (colon && (!*cpus || cpus[strspn(cpus, "0123456789")] || !n->cpus || n->cpus > 65536))
		return err_set(e, -EINVAL, "--nodes: '%s' is not a number of cpus", cpus);
	return 0;
}

static int parse_nodes(const char *text, struct up_options *o, struct err *e)
{
	o->nnodes = 0;
	while (*text) {
		size_t len = strcspn(text, ",");
		int rc;

		if (o->nnodes == NODES_MAX)
			return err_set(e, -E2BIG, "--nodes: more than %d nodes", NODES_MAX);
		rc = parse_node(text, len, &o->nodes[o->nnodes], e);
		if (rc)
			return rc;
		for (size_t i = 0; i < o->nnodes; i++)
			if (!strcmp(o->nodes[i].name, o->nodes[o->nnodes].name))
				return err_set(e, -EEXIST, "--nodes: '%s' is there twice",
					       o->nodes[i].name);
		o->nnodes++;
		text += len + (text[len] == ',');
	}
	return o->nnodes ? 0 : err_set(e, -EINVAL, "--nodes: no node is named");
}

static int start_node(struct cluster *c, const struct node_spec *n, struct err *e)
{
	struct cluster_process *p = &c->processes[c->nprocesses];
	int rc;

	*p = (struct cluster_process){.cpus = n->cpus};
	(void)snprintf(p->name, sizeof(p->name), "%s", n->name);
	(void)snprintf(p->isa, sizeof(p->isa), "%s", isa_name(n->isa));
	rc = launch_agent(c, p, e);
	c->nprocesses += !rc;
	return rc;
}

static size_t nodes_up(const json_t *j)
{
	const json_t *nodes = json_object_get(j, "nodes");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const char *s =
			json_string_value(json_object_get(json_array_get(nodes, i), "state"));

		n += s && (!strcmp(s, "UP") || !strcmp(s, "up"));
	}
	return n;
}

static int wait_nodes(struct cluster *c, struct cli *cli, size_t want, struct err *e)
{
	uint64_t until = clock_monotonic_ns() + LAUNCH_MAX_MS * NS_PER_MS;

	while (clock_monotonic_ns() < until) {
		_cleanup_json_ json_t *j = NULL;

		if (!cli_json(cli, "GET", "/v1/nodes", NULL, &j, NULL) && nodes_up(j) >= want)
			return 0;
		for (size_t i = 0; i < c->nprocesses; i++)
			if (!cluster_alive(&c->processes[i]))
				return launch_died(&c->processes[i], e);
		launch_pause(50);
	}
	return err_set(e, -ETIMEDOUT, "not all nodes came up within %d s; logs are in %s",
		       LAUNCH_MAX_MS / 1000, c->state_dir);
}

static void end_all(struct cluster *c)
{
	/* Agents first: they end their jobs; the scheduler last, so that it hears of it. */
	for (size_t i = c->nprocesses; i-- > 0;)
		if (!cluster_end(&c->processes[i], 10000))
			(void)fprintf(stderr, "drover: %s (pid %d) did not end\n",
				      c->processes[i].name, (int)c->processes[i].pid);
	cluster_end_ferries(c);
	cluster_forget(c);
}

static bool any_alive(const struct cluster *c)
{
	for (size_t i = 0; i < c->nprocesses; i++)
		if (cluster_alive(&c->processes[i]))
			return true;
	return false;
}

static int start_all(struct cluster *c, const struct up_options *o, struct cli *cli, struct err *e)
{
	int rc = launch_scheduler(c, o->port, o->policy, o->sleep, e);

	for (size_t i = 0; !rc && i < o->nnodes; i++)
		rc = start_node(c, &o->nodes[i], e);
	if (!rc)
		rc = cluster_save(c, e);
	cli->server = c->url;
	if (!rc)
		rc = cli_open(cli, e);
	if (!rc)
		rc = wait_nodes(c, cli, o->nnodes, e);
	cli_close(cli);
	if (rc)
		end_all(c);
	return rc;
}

static void say_up(const struct cluster *c, const struct up_options *o, bool json)
{
	if (json) {
		_cleanup_json_ json_t *j = json_pack("{s:s, s:s, s:i}", "url", c->url, "state_dir",
						     c->state_dir, "nodes", (int)o->nnodes);

		cli_print_json(j);
		return;
	}
	(void)printf("scheduler  %s\n", c->url);
	(void)printf("dashboard  %s/\n", c->url);
	for (size_t i = 0; i < o->nnodes; i++)
		(void)printf("node       %s  %s%s\n", o->nodes[i].name, isa_name(o->nodes[i].isa),
			     o->nodes[i].isa == isa_host() ? "" : " (emulated)");
	(void)printf("state      %s\n", c->state_dir);
}

static int take_up(void *arg, int opt, const char *value, struct err *e)
{
	struct up_options *o = arg;

	o->policy = opt == 'p' ? value : o->policy;
	o->port = opt == 'P' ? value : o->port;
	o->state_dir = opt == 'd' ? value : o->state_dir;
	o->sleep = o->sleep || opt == 's';
	return opt == 'n' ? parse_nodes(value, o, e) : 0;
}

static int up(struct cli *cli, struct up_options *o, struct cluster *c, struct err *e)
{
	_cleanup_close_ int lock = -1;
	int rc = cluster_dir(o->state_dir, c->state_dir, sizeof(c->state_dir), e);

	if (!rc)
		rc = file_mkdir_p(c->state_dir, 0700, e);
	if (!rc) {
		lock = cluster_lock(c->state_dir, e);
		rc = lock < 0 ? lock : 0;
	}
	if (!rc && !cluster_load(c->state_dir, c, NULL) && any_alive(c)) {
		err_set(e, -EEXIST, "a cluster already runs from %s at %s", c->state_dir, c->url);
		return err_hint(e, "`drover down` ends it; another --state-dir and --port make a "
				   "second one");
	}
	if (rc)
		return rc;
	c->nprocesses = 0;
	return start_all(c, o, cli, e);
}

/* Starts or ends nodes of a cluster that runs. One that is as it should be is left alone. */
static int change_nodes(const struct cli *cli, const char *dir, bool start, struct err *e)
{
	_cleanup_free_ struct cluster *c = calloc(1, sizeof(*c));
	_cleanup_close_ int lock = -1;
	char path[CLUSTER_PATH_MAX];
	int rc = c ? cluster_dir(dir, path, sizeof(path), e) : -ENOMEM;

	if (!rc) {
		lock = cluster_lock(path, e);
		rc = lock < 0 ? lock : cluster_load(path, c, e);
	}
	if (rc == -ENOENT)
		return err_set(e, rc, "no cluster was started from %s", path);
	for (int i = 0; !rc && i < cli->nargs; i++) {
		struct cluster_process *p = cluster_process_named(c, cli->args[i]);

		if (!p || !p->isa[0])
			return err_set(e, -ENOENT, "the cluster has no node %s", cli->args[i]);
		if (start && !cluster_alive(p)) {
			rc = launch_agent(c, p, e);
			if (!rc)
				rc = cluster_save(c, e);
		} else if (!start && !cluster_end(p, 10000)) {
			return err_set(e, -EBUSY, "%s (pid %d) did not end", p->name, (int)p->pid);
		}
	}
	return rc;
}

static int cmd_up(int argc, char **argv)
{
	struct cli cli = {.command = &command_up};
	_cleanup_free_ struct up_options *o = calloc(1, sizeof(*o));
	_cleanup_free_ struct cluster *c = calloc(1, sizeof(*c));
	struct err e = ERR_INIT;
	int rc;

	if (!o || !c)
		return EXIT_DROVER;
	o->port = "7700";
	rc = parse_nodes("x86-1=x86_64,arm-1=aarch64", o, &e);
	if (!rc)
		rc = cli_parse(&cli, argc, argv, take_up, o, 0, NODES_MAX);
	if (rc)
		return rc;
	if (cli.nargs)
		return change_nodes(&cli, o->state_dir, true, &e) ? cli_fail(&e) : 0;
	if (up(&cli, o, c, &e))
		return cli_fail(&e);
	say_up(c, o, cli.json);
	return 0;
}

const struct command command_up = {
	"up",   "[OPTION]... [NODE]...", "start a cluster on this machine",
	cmd_up, up_options_table,        up_usage};

static const struct option down_options[] = {
	{"state-dir", required_argument, NULL, 'd'}, CLI_OPTIONS, {NULL, 0, NULL, 0}};

static int take_down(void *arg, int opt, const char *value, struct err *e)
{
	const char **dir = arg;

	(void)e;
	*dir = opt == 'd' ? value : *dir;
	return 0;
}

static int down(const char *dir, struct err *e)
{
	_cleanup_free_ struct cluster *c = calloc(1, sizeof(*c));
	_cleanup_close_ int lock = -1;
	char path[CLUSTER_PATH_MAX];
	int rc = c ? cluster_dir(dir, path, sizeof(path), e) : -ENOMEM;

	/* A hook that would start a node meanwhile waits, and then finds no cluster. */
	if (!rc) {
		lock = cluster_lock(path, e);
		rc = lock < 0 ? lock : cluster_load(path, c, e);
	}
	if (rc == -ENOENT)
		err_set(e, rc, "no cluster was started from %s", path);
	if (!rc)
		end_all(c);
	return rc;
}

static int cmd_down(int argc, char **argv)
{
	struct cli cli = {.command = &command_down};
	const char *dir = NULL;
	struct err e = ERR_INIT;
	int rc = cli_parse(&cli, argc, argv, take_down, &dir, 0, NODES_MAX);

	if (rc)
		return rc;
	rc = cli.nargs ? change_nodes(&cli, dir, false, &e) : down(dir, &e);
	return rc ? cli_fail(&e) : 0;
}

const struct command command_down = {
	"down",
	"[NODE]...",
	"end the cluster that up started",
	cmd_down,
	down_options,
	"usage: drover down [--state-dir DIR] [NODE]...\n"
	"Ends the cluster that `drover up` started, with its jobs. With NODE: ends only these\n"
	"nodes; `drover up NODE` starts them again.\n"
	"\n"
	"  -d, --state-dir DIR      where the cluster's files are kept\n" CLI_USAGE};
