/*
 * Running the compilers and the linker: a command in the background with its
 * standard error in a file, two of them at a time (one an ISA).
 */
#ifndef DROVER_LINK_RUN_H
#define DROVER_LINK_RUN_H

#include <stdbool.h>
#include <sys/types.h>

#include "binaries/object/strv.h"
#include "common/err.h"

struct run {
	pid_t pid; /* 0: not running */
};

/*
 * Starts ARGV (argv[0] is a path).  Standard error goes to the file ERRFILE,
 * or is shared when that is NULL.  VERBOSE prints the command first.
 */
int run_start(struct run *r, const struct strv *argv, const char *errfile, bool verbose,
	      struct err *err);

/* Waits.  Returns its exit status, 128 + the signal that ended it, or a negative errno. */
int run_wait(struct run *r);

#endif
