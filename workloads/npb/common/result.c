/* Timer and result block of the NPB kernels; see npb.h. */
#include "workloads/npb/common/npb.h"

#include <time.h>

double npb_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double mops(const struct npb_options *o, const struct npb_result *r)
{
	return r->seconds > 0 ? (double)r->operations * o->repeat / r->seconds / 1e6 : 0;
}

static void report_text(const struct npb_options *o, const struct npb_result *r, FILE *out)
{
	fprintf(out, "\n\n %s Benchmark Completed.\n", r->kernel);
	fprintf(out, " Class           = %24c\n", npb_class_letter(o->class));
	fprintf(out, " Size            = %24llu\n", (unsigned long long)r->size);
	fprintf(out, " Iterations      = %24d\n", r->iterations);
	if (o->threads > 1)
		fprintf(out, " Total threads   = %24d\n", o->threads);
	if (o->repeat > 1)
		fprintf(out, " Repetitions     = %24d\n", o->repeat);
	if (!o->untimed) {
		fprintf(out, " Time in seconds = %24.2f\n", r->seconds);
		fprintf(out, " Mop/s total     = %24.2f\n", mops(o, r));
		if (o->threads > 1)
			fprintf(out, " Mop/s/thread    = %24.2f\n", mops(o, r) / o->threads);
	}
	fprintf(out, " Operation type  = %24s\n", r->operation);
	fprintf(out, " Verification    = %24s\n", r->verified ? "SUCCESSFUL" : "UNSUCCESSFUL");
}

static void report_json(const struct npb_options *o, const struct npb_result *r, FILE *out)
{
	fprintf(out,
		"{\"kernel\": \"%s\", \"class\": \"%c\", \"size\": %llu, \"iterations\": %d, "
		"\"repeat\": %d, \"threads\": %d, ",
		r->kernel, npb_class_letter(o->class), (unsigned long long)r->size, r->iterations,
		o->repeat, o->threads);
	if (!o->untimed)
		fprintf(out, "\"time_s\": %.6f, \"mops\": %.3f, ", r->seconds, mops(o, r));
	fprintf(out, "\"operation\": \"%s\", \"verified\": %s}\n", r->operation,
		r->verified ? "true" : "false");
}

int npb_result_report(const struct npb_options *o, const struct npb_result *r, FILE *out)
{
	if (o->json)
		report_json(o, r, out);
	else
		report_text(o, r, out);
	if (fflush(out) != 0) {
		fprintf(stderr, "drover-npb: cannot write the result\n");
		return NPB_UNVERIFIED;
	}
	return r->verified ? NPB_OK : NPB_UNVERIFIED;
}
