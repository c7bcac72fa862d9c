/*
 * Measuring one program on this machine: how long it takes, how much memory it takes, and how fast
 * it writes to it. For `drover profile`.
 */
#ifndef DROVER_CLI_MEASURE_H
#define DROVER_CLI_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* How this kernel can tell which pages a process wrote to. */
enum dirty_method {
	DIRTY_NONE,       /* not at all */
	DIRTY_REFERENCED, /* only which it touched: an upper bound */
	DIRTY_SOFT        /* soft-dirty bits */
};

struct measure {
	double time_s;        /* as the program reports it */
	double wall_s;        /* from start to end */
	double footprint_mib; /* largest resident set */
	double dirty_mib_s;   /* distinct pages a second over DIRTY_INTERVAL_MS; negative: not known
			       */
};

#define DIRTY_INTERVAL_MS 200
#define DIRTY_SAMPLES     5

/* Finds out by trying on this process's own memory. */
enum dirty_method measure_dirty_method(void);

/* The method in a sentence, for a source. */
const char *measure_dirty_says(enum dirty_method m);

/* Path of the program of a kernel: the bundle drover-KERNEL, else a build tree's native one. */
int measure_program(const char *kernel, char *path, size_t size, struct err *e);

/*
 * Runs PROGRAM --json --class CLASS to its end and takes its verified time and its footprint; of
 * runs below two seconds the median of three. -ENOMEM when the program says that it does not fit,
 * -EBADMSG when it did not verify.
 */
int measure_run(const char *program, const char *class, struct measure *m, struct err *e);

/* Runs it once more, endlessly, and samples m->dirty_mib_s once it has set itself up. */
int measure_dirty(const char *program, const char *class, enum dirty_method how, struct measure *m,
		  struct err *e);

/* Starts PROGRAM --json --class CLASS --repeat 1000000 with its output thrown away. */
int measure_start(const char *program, const char *class, pid_t *pid, struct err *e);
/* Ends it. */
void measure_stop(pid_t pid);

void measure_sleep(double seconds);

#endif
