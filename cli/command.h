/*
 * The subcommands of `drover`. Each is one function and one `const struct command`
 * in a file of its own kind, and one line in the table of main.c.
 */
#ifndef DROVER_CLI_COMMAND_H
#define DROVER_CLI_COMMAND_H

#include <getopt.h>

/* Exit statuses of drover itself; a subcommand that runs a program passes that program's on. */
enum { EXIT_USAGE = 2, EXIT_DIFFERENT = 124, EXIT_DROVER = 125 };

/* argv[0] is the subcommand's name. Returns the exit status. */
typedef int command_fn(int argc, char **argv);

/*
 * An option whose val is a letter has that letter as its short form. Completion
 * and the test of the man pages read the table, so that every option is in both.
 */
struct command {
	const char *name;
	const char *args;    /* synopsis behind the name */
	const char *summary; /* one line */
	command_fn *run;
	const struct option *options; /* getopt_long's, ends with a NULL name */
	const char *usage;            /* what --help prints */
};

#endif
