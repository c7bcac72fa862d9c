/*
 * drover: finds the subcommand and runs it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/compiler.h"
#include "config.h"

static const struct command *const commands[] = {
	&command_up,
	&command_down,
	&command_submit,
	&command_run,
	&command_queue,
	&command_show,
	&command_logs,
	&command_cancel,
	&command_hold,
	&command_release,
	&command_requeue,
	&command_migrate,
	&command_nodes,
	&command_cordon,
	&command_uncordon,
	&command_drain,
	&command_resume,
	&command_sleep,
	&command_wake,
	&command_migrations,
	&command_energy,
	&command_savings,
	&command_policy,
	&command_cap,
	&command_events,
	&command_bundle,
	&command_replay,
	&command_token,
	&command_cert,
	&command_profile,
	&command_hop,
	NULL,
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

static void print_help(FILE *out)
{
	(void)fprintf(
		out, "usage: drover COMMAND [ARGUMENT...]\n"
		     "Runs native programs on x86-64 and AArch64 and moves them while they run.\n\n"
		     "commands:\n");
	for (size_t i = 0; commands[i]; i++)
		(void)fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	(void)fprintf(out, "\n`drover COMMAND --help` says more about one. Exit status: 0 for "
			   "success, 2 for wrong\nusage, 125 for an error of drover; what runs a "
			   "program passes that program's on.\n");
}

static int no_command(const char *name)
{
	(void)fprintf(stderr, "drover: there is no command \"%s\"; `drover --help` lists them\n",
		      name);
	return EXIT_USAGE;
}

/* For completion and for the test of the man pages. */
static int list_options(const char *name)
{
	const struct command *c = find(name);
	char shorts[64];

	if (!c)
		return no_command(name);
	for (const struct option *o = c->options; o->name; o++)
		(void)printf("--%s%s\n", o->name, o->has_arg == required_argument ? "=" : "");
	cli_short_options(c->options, shorts, sizeof(shorts));
	for (const char *s = shorts; *s; s++)
		if (*s != ':')
			(void)printf("-%c\n", *s);
	return 0;
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") && argc == 3 && (c = find(argv[2]))) {
		(void)fputs(c->usage, stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		(void)printf("drover %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (!strcmp(argv[1], "--list-commands")) {
		for (size_t i = 0; commands[i]; i++)
			(void)puts(commands[i]->name);
		return 0;
	}
	if (!strcmp(argv[1], "--list-options") && argc == 3)
		return list_options(argv[2]);
	c = find(argv[1]);
	return c ? c->run(argc - 1, argv + 1) : no_command(argv[1]);
}
