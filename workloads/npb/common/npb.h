/*
 * What the NPB kernels share: command line, memory check, timer, result block.
 *
 * A kernel's main() parses with npb_options_parse(), checks with npb_memory_check(), runs, fills a
 * struct npb_result and ends with npb_result_report(), whose return value is the exit status.
 */
#ifndef NPB_NPB_H
#define NPB_NPB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit status of a kernel: the run verified, it did not, the command line or the machine was wrong.
 */
enum npb_exit { NPB_OK = 0, NPB_UNVERIFIED = 1, NPB_USAGE = 2, NPB_NO_MEMORY = 3 };

enum npb_class { NPB_CLASS_S, NPB_CLASS_W, NPB_CLASS_A, NPB_CLASS_B, NPB_CLASS_C, NPB_CLASSES };

#define NPB_MAX_REPEAT 1000000

struct npb_options {
	enum npb_class class;
	bool json;    /* one JSON object instead of NPB's text */
	bool untimed; /* leave out what differs from run to run */
	int repeat;   /* whole runs, one after the other, each verified */
	int threads;  /* members of the team */
};

struct npb_result {
	const char *kernel;    /* "EP" */
	const char *operation; /* what Mop/s counts, in NPB's words */
	uint64_t size;
	uint64_t operations; /* of one run */
	int iterations;
	double seconds; /* of all runs */
	bool verified;  /* every one of them */
};

/* The letter of a class. */
char npb_class_letter(enum npb_class class);

/*
 * Reads `[CLASS] [--class CLASS] [--threads N] [--repeat N] [--json] [--untimed] [--help]` into o.
 * Returns -1 when the kernel is to run; otherwise the exit status, the reason or the help having
 * been printed.
 */
int npb_options_parse(struct npb_options *o, int argc, char **argv, const char *kernel,
		      const char *what);

/*
 * True when a run of `bytes` can fit: into this machine, this process's limits (setrlimit) and its
 * control groups' memory.max. Otherwise says on stderr how much it needs and which limit
 * it meets. Called before anything is allocated.
 */
bool npb_memory_check(const struct npb_options *o, const char *kernel, uint64_t bytes);

/* malloc of n elements of `size` bytes; ends the program with NPB_NO_MEMORY when there is none. */
void *npb_alloc(const char *kernel, size_t n, size_t size);

/* Seconds on the monotonic clock. */
double npb_now(void);

/* Prints the result block, in NPB's form or as JSON; returns the program's exit status. */
int npb_result_report(const struct npb_options *o, const struct npb_result *r, FILE *out);

#endif
