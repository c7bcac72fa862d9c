/*
 * A trace of jobs in memory, whichever form it was read from: Standard Workload
 * Format (Feitelson et al., version 2.2: 18 fields a line, comments after ';')
 * or the generators' form (docs/formats/waves.md). Either may be compressed by
 * gzip.
 *
 * What real SWF files have beyond the standard is taken as follows, and counted
 * in struct trace: blank lines, tabs and carriage returns are space; numbers may
 * be floating point; columns after the 18th are ignored; missing ones are
 * unknown, but the first five must be there; submit times of any origin are
 * taken relative to the earliest; lines out of order are sorted by submit time.
 * Parts of a job (status 2, 3, 4) are left out, because the whole job has its
 * own line. A job without processors or run time is left out, unless it was
 * cancelled while it waited, or a comment "Application: N drover-KERNEL --class C
 * --repeat R", as drover-waves writes it, says what executable N is: then machine
 * profiles say how long it takes. Anything else is refused with its line.
 *
 * Pure but for trace_load(). All functions return 0 or a negative errno.
 */
#ifndef DROVER_SCHEDULER_REPLAY_TRACE_H
#define DROVER_SCHEDULER_REPLAY_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define TRACE_MAX_JOBS  5000000u
#define TRACE_MAX_BYTES ((size_t)1 << 30) /* after decompression */
#define TRACE_MAX_LINE  4096u
#define TRACE_MAX_CPUS  1000000u
#define TRACE_MAX_TIME  1e10 /* seconds; three centuries */

enum trace_form { TRACE_AUTO, TRACE_SWF, TRACE_WAVES };
extern const char *const trace_form_names[]; /* "auto", "swf", "waves" */

/* How the job ended when it was recorded, and so how it ends here. */
enum trace_end {
	TRACE_COMPLETES,
	TRACE_FAILS,    /* after its run time; or was cancelled then */
	TRACE_WITHDRAWN /* cancelled cancel_ms after its submission, if it hasn't started */
};

#define TRACE_NO_KERNEL (-1)

struct trace_job {
	uint64_t number;    /* as in the file; from 1 in a wave trace */
	uint64_t submit_ms; /* after the first submission */
	uint64_t memory_bytes;
	uint64_t cancel_ms;
	double run_s; /* on its cpus together, on the reference machine; SWF only */
	uint32_t cpus;
	uint32_t limit_s;       /* run time the user asked for; 0: not said */
	uint32_t after_ends;    /* not before so many jobs of the trace have ended */
	uint32_t preceding;     /* index + 1 of the job whose end this one follows; 0: none */
	uint32_t think_ms;      /* at the earliest so long after that end */
	uint32_t user, program; /* numbers; 0: not known */
	uint32_t repeat;        /* of a kernel */
	float busy;             /* part of the run time its cpus are busy, 0 to 1 */
	int8_t kernel, class;   /* index in profile_kernels, profile_classes, or TRACE_NO_KERNEL */
	uint8_t end;            /* enum trace_end */
};

struct trace {
	struct trace_job *jobs; /* by submit_ms; of equal ones as in the file */
	size_t njobs, cap;
	enum trace_form form;
	double origin_s;     /* submit time of the first job as in the file */
	uint64_t unix_start; /* header UnixStartTime, or 0 */
	uint32_t max_procs;  /* header MaxProcs, or MaxNodes, or 0 */
	/* what was met on the way */
	size_t lines, blank, comments, long_lines, short_lines, unsorted;
	size_t parts, no_cpus, no_time, floats;
};

/* Reads text of form (TRACE_AUTO: looks at the first character that is no space). Errors name the
 * line. Free *t by trace_free(). */
int trace_read(const char *text, size_t len, enum trace_form form, struct trace *t, struct err *e);

/* The same from a file, plain or gzip; errors do not name it. */
int trace_load(const char *path, enum trace_form form, struct trace *t, struct err *e);

/* The same from a set of jobs that was made, not read. */
struct wave_trace;
int trace_of_waves(const struct wave_trace *w, struct trace *t, struct err *e);

/* Part of trace_read(): into a *t that is empty; the caller frees it in any case. */
int trace_read_swf(const char *text, size_t len, struct trace *t, struct err *e);

/* Keeps the first n jobs. */
void trace_cut(struct trace *t, size_t n);
void trace_free(struct trace *t);

/* Makes the job whole runs of a kernel of the machine profiles ("ep", 'A'), which say how long they
 * take; false: they know none such. */
bool trace_set_kernel(struct trace_job *j, const char *program, char class, uint32_t repeat);

/* Room for one more job; NULL: no memory, or more than TRACE_MAX_JOBS. */
struct trace_job *trace_add(struct trace *t);

#endif
