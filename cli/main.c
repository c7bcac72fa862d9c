/*
 * drover: finds the subcommand and runs it.
 */
#include <stdio.h>
#include <string.h>
#include "cli/command.h"
#include "common/compiler.h"
#include "config.h"

static const struct command commands[] = {
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
