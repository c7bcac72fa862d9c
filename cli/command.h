/*
 * The subcommands of `drover`. Each is one function in a file of its own and
 * one line in the table of main.c.
 */
#ifndef DROVER_CLI_COMMAND_H
#define DROVER_CLI_COMMAND_H

/* Exit statuses of drover itself; a subcommand that runs a program passes that program's on. */
enum { EXIT_USAGE = 2, EXIT_DIFFERENT = 124, EXIT_DROVER = 125 };

/* argv[0] is the subcommand's name. Returns the exit status. */
typedef int command_fn(int argc, char **argv);

struct command {
	const char *name;
	const char *args;    /* synopsis behind the name */
	const char *summary; /* one line */
	command_fn *run;
};

#endif
