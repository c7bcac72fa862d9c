/*
 * Sets of jobs, in waves or one after the other: generate them from a few parameters and a seed,
 * write them to a trace file, read one back. The file is specified in docs/formats/waves.md;
 * `drover-waves` writes it, `drover` submits it.
 *
 * All functions return 0 or a negative errno and fill *e; nothing here looks at a clock.
 */
#ifndef DROVER_WORKLOADS_WAVES_H
#define DROVER_WORKLOADS_WAVES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

#define WAVES_VERSION     1
#define WAVES_MAX_KINDS   32
#define WAVES_MAX_JOBS    1000000u
#define WAVES_MAX_WEIGHT  1000000u
#define WAVES_MAX_REPEAT  1000000u
#define WAVES_MAX_CPUS    4096u
#define WAVES_MAX_SPACING UINT64_C(31622400000) /* ms: a year of 366 days */
#define WAVES_MAX_LINE    4096u

/* What a job runs: the bundle `drover-PROGRAM` with the arguments `--class CLASS --repeat REPEAT`.
 */
struct wave_kind {
	char program[32]; /* lower-case letters, digits, '-'; begins with a letter */
	char class;       /* S W A B C */
	uint32_t repeat;
};

/* How jobs arrive. */
enum wave_load {
	WAVE_PERIODIC, /* in waves, whatever happens to the jobs */
	WAVE_SUSTAINED /* some at once, then a new one whenever one ends */
};

/* The mix of the heterogeneous-ISA study: all kernels and the classes A, B and C alike. */
#define WAVES_MIX_STUDY "study"

struct wave_params {
	enum wave_load load;
	uint32_t waves;
	uint32_t jobs_per_wave; /* at most; the number of each wave is uniform from 1 */
	uint64_t spacing_min_ms;
	uint64_t spacing_max_ms;
	uint32_t set;       /* sustained: number of jobs */
	uint32_t in_flight; /* sustained: jobs that are there at once, at most `set` */
	uint32_t cpus;      /* of every job */
	uint64_t seed;      /* at most INT64_MAX, what a JSON integer holds */
	size_t nkinds;
	struct wave_kind kinds[WAVES_MAX_KINDS];
	uint32_t weights[WAVES_MAX_KINDS];
};

struct wave_job {
	uint64_t arrival_ms; /* since the first wave */
	uint32_t after_ends; /* and not before so many jobs of the trace have ended */
	uint32_t wave;       /* from 1 */
	uint32_t cpus;
	struct wave_kind kind;
};

struct wave_trace {
	struct wave_params params;
	size_t njobs;
	struct wave_job *jobs; /* by arrival */
};

/*
 * Reads "ep.S=3,ep.Wx20=2,is.W=1" (PROGRAM.CLASS[xREPEAT]=WEIGHT) or "study" into p->kinds and
 * p->weights. -EINVAL with the offending entry.
 */
int wave_mix_parse(const char *text, struct wave_params *p, struct err *e);

/* The mix in the form wave_mix_parse() reads; -ENOBUFS if it does not fit. */
int wave_mix_format(const struct wave_params *p, char *out, size_t size);

/* Reads "MIN:MAX" or "SECONDS" (up to three decimals) into the spacing of p. */
int wave_spacing_parse(const char *text, struct wave_params *p, struct err *e);

/* The jobs that p stands for: the same p always gives the same jobs. Free *t by wave_trace_free().
 */
int wave_generate(const struct wave_params *p, struct wave_trace *t, struct err *e);

/* Writes t as a trace file, or in Standard Workload Format. -EIO when out takes no more. */
int wave_write_jsonl(const struct wave_trace *t, FILE *out, struct err *e);
int wave_write_swf(const struct wave_trace *t, FILE *out, struct err *e);

/* Reads a trace file from memory; errors name the line. Free *t by wave_trace_free(). */
int wave_read(const char *text, size_t len, struct wave_trace *t, struct err *e);

/* The same from a file. */
int wave_load(const char *path, struct wave_trace *t, struct err *e);

void wave_trace_free(struct wave_trace *t);

#endif
