/*
 * drover hop: run a bundle without any cluster and move it between the ISAs.
 *
 * hop_options.c reads the options; hop.c decides what to run and print;
 * hop_run.c runs the program once, moving it by a plan; hop_each.c tries each
 * migration point, in a run of its own or several in one; hop_report.c compares
 * and prints.
 */
#ifndef DROVER_CLI_HOP_H
#define DROVER_CLI_HOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/err.h"
#include "common/isa.h"

struct bundle;
struct image_program;

/* The program under test. */
struct hop_program {
	const char *path;
	const struct bundle *bundle;
	const struct image_program *image; /* what a state image must agree with */
	int half_fd[ISA_COUNT];
	bool emulated[ISA_COUNT];
	const char *const *argv;
	const char *const *envp;
};

/*
 * When to move: from each start `hops` times, `step` points apart. A start that the moves from the
 * one before have overtaken (they can be put off) ends the plan. No move at all: nstarts == 0.
 */
struct hop_plan {
	enum isa from;
	const uint64_t *starts; /* numbers of points, ascending, from 1; borrowed */
	size_t nstarts;
	uint64_t step;
	uint64_t hops;       /* at least 1; UINT64_MAX: no limit */
	bool again;          /* a move that was refused is tried again after step more points */
	uint64_t timeout_ns; /* for the run; 0: none */
	bool apart;          /* each process in a network namespace of its own */
	bool in_place;       /* all images in one file; memory that did not change stays in it */
	const char *image;   /* save the first image here; NULL: don't */
};

/* One move, in nanoseconds where not said otherwise. */
struct hop_times {
	uint64_t point;
	uint64_t image_bytes, frames, depth;
	uint64_t save, write; /* unwinding; image */
	uint64_t check;       /* the supervisor's validation of the image */
	uint64_t start;       /* from the hand-over of the image to the new process's first word */
	uint64_t load, rebuild;
	uint64_t downtime; /* from the capture to the first step there, without save and write */
	uint32_t from;     /* enum isa */
	uint32_t pad;
};

#define HOP_TIMES_MAX  4096 /* a run keeps the times of its first moves */
#define HOP_OUTPUT_MAX (UINT64_C(1) << 30)

struct hop_run {
	int wait_status;
	uint64_t points;
	uint64_t moves;    /* done */
	uint64_t met;      /* starts of the plan that a move was made from */
	uint64_t deferred; /* requests that had to wait */
	uint64_t refused;  /* captures or loads that were refused; the program ran on */
	char why[256];     /* the last reason of these */
	struct hop_times *times;
	size_t ntimes;
	int out_fd, err_fd; /* captured output, -1 if it passed through */
};

/* Where the standard streams of a run come from and go to. */
struct hop_streams {
	int in;       /* descriptor, or -1 for /dev/null */
	bool capture; /* collect stdout and stderr into memory files; else pass through */
};

/* Runs the program once. A program that fails is a result; an error is only Drover's own (or the
 * timeout's, -ETIMEDOUT). */
int hop_run(const struct hop_program *prog, const struct hop_plan *plan,
	    const struct hop_streams *streams, struct hop_run *run, struct err *e);
void hop_run_free(struct hop_run *run);

/* "" if both runs gave the same; else what differs first. Returns whether they are equal. */
bool hop_compare(const struct hop_run *ref, const struct hop_run *run, char *text, size_t size);

struct hop_difference {
	uint64_t at; /* the point moved at, or the first one */
	char text[384];
};

/* What one or many moved runs came to. */
struct hop_report {
	const char *mode; /* "at", "every", "each" */
	uint64_t points;  /* of the unmoved run, or of the run itself */
	uint64_t runs;
	uint64_t tried, unmoved; /* starts of all plans, and those no move was made from */
	uint64_t moves, deferred, refused;
	char why[256];
	bool compared;
	struct hop_difference *differences; /* the first HOP_DIFFERENCES_MAX */
	size_t ndifferences_kept;
	uint64_t ndifferences;
	struct hop_times *times;
	size_t ntimes, times_cap;
	int wait_status;
};

#define HOP_DIFFERENCES_MAX 32

int hop_report_add_times(struct hop_report *r, const struct hop_times *t, size_t n);
int hop_report_add_difference(struct hop_report *r, uint64_t at, const char *text);
void hop_report_free(struct hop_report *r);

/*
 * Every point tried, or every stride-th, or an even sample of these: moving at K, K+1, ... A run
 * tries per_run of them, dealt out so that neighbours are in different runs; those that it left
 * out are tried in a further one. When a run fails its points are tried again, each in a run of its
 * own, so that the one that fails is named.
 */
struct hop_each {
	struct hop_plan plan;   /* starts are set for each run */
	uint64_t stride;        /* at least 1 */
	uint64_t sample;        /* 0: all; else this many, if there are more */
	uint64_t per_run;       /* at least 1 */
	unsigned int jobs;      /* runs at a time */
	const char *stdin_path; /* replayed to each run; NULL: /dev/null */
	bool progress;
};
int hop_each(const struct hop_program *prog, const struct hop_each *each, const struct hop_run *ref,
	     struct hop_report *report, struct err *e);

void hop_print_json(FILE *out, const struct hop_program *prog, const struct hop_plan *plan,
		    const struct hop_report *r);
/* The same without the single moves, as one line at the end of a file; several runs may share it.
 */
int hop_append_json(const char *path, const struct hop_program *prog, const struct hop_plan *plan,
		    const struct hop_report *r, struct err *e);
void hop_print_text(FILE *out, const struct hop_program *prog, const struct hop_plan *plan,
		    const struct hop_report *r);

#endif
