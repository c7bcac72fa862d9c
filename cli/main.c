/*
 * drover: finds the subcommand and runs it.
 */
#include <stdio.h>
#include <string.h>
#include "cli/command.h"
#include "cli/commands.h"
#include "common/compiler.h"
#include "config.h"

static const struct command commands[] = {
	{"hop", "BUNDLE [-- ARGUMENT...]", "run a bundle here and move it between the ISAs",
	 cmd_hop},
	{"up", "[OPTION]...", "start a cluster on this machine", cmd_up},
	{"down", "", "end it", cmd_down},
	{"submit", "BUNDLE [-- ARGUMENT...]", "run a bundle as a job", cmd_submit},
	{"run", "TRACE", "submit the jobs of a trace at their times", cmd_run},
	{"queue", "", "list jobs", cmd_queue},
	{"show", "JOB|MIGRATION|NODE", "show all of one thing", cmd_show},
	{"logs", "JOB", "print a job's output", cmd_logs},
	{"cancel", "JOB...", "end jobs", cmd_cancel},
	{"migrate", "JOB [NODE]", "move a running job", cmd_migrate},
	{"nodes", "", "list nodes", cmd_nodes},
	{"migrations", "", "list moves of jobs", cmd_migrations},
	{"energy", "", "energy by node and by job", cmd_energy},
	{"policy", "[NAME]", "show or set the policy", cmd_policy},
	{"profile", "[OPTION]...", "measure this machine and write its profile", cmd_profile},
	{"events", "", "print what happens as it happens", cmd_events},
	{NULL, NULL, NULL, NULL},
};

static void print_help(FILE *out)
{
	(void)fprintf(
		out, "usage: drover COMMAND [ARGUMENT...]\n"
		     "Runs native programs on x86-64 and AArch64 and moves them while they run.\n\n"
		     "commands:\n");
	for (const struct command *c = commands; c->name; c++)
		(void)fprintf(out, "  %-12s %s\n", c->name, c->summary);
	(void)fprintf(out, "\n`drover COMMAND --help` says more about one.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		(void)printf("drover %s\n", PACKAGE_VERSION);
		return 0;
	}
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	(void)fprintf(stderr, "drover: there is no command \"%s\"; `drover --help` lists them\n",
		      argv[1]);
	return EXIT_USAGE;
}
