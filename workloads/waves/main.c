/* drover-waves: writes a trace of waves of jobs. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/waves/waves.h"

static const char prog[] = "drover-waves";

static const char help[] =
	"Usage: drover-waves [OPTION]...\n"
	"Write a trace of jobs, the same for the same options.\n\n"
	"  -l, --load LOAD         periodic: in waves; sustained: some at once, then a new one\n"
	"                          whenever one ends (default periodic)\n"
	"  -w, --waves N           periodic: number of waves (default 5)\n"
	"  -j, --jobs-per-wave N   periodic: at most so many jobs a wave, uniform from\n"
	"                          1 (default 14)\n"
	"  -t, --spacing MIN:MAX   periodic: seconds from wave to wave, uniform (default\n"
	"                          60:240)\n"
	"  -n, --jobs N            sustained: number of jobs (default 40)\n"
	"  -i, --in-flight N       sustained: jobs that are there at once (default 14)\n"
	"  -m, --mix LIST          kinds of job and their weights (default ep.S=1,is.S=1):\n"
	"                          PROGRAM.CLASS[xREPEAT]=WEIGHT,...\n"
	"                          or study: ep, is, cg, mg, ft in A, B and C alike\n"
	"  -c, --cpus N            processors of each job (default 1)\n"
	"  -s, --seed N            what makes one trace differ from another (default 1)\n"
	"  -f, --format FORMAT     jsonl (what drover submits) or swf (default jsonl)\n"
	"  -o, --output FILE       write to FILE instead of standard output\n"
	"  -h, --help              print this\n";

struct options {
	struct wave_params params;
	bool swf;
	const char *output;
};

static int get_number(const char *name, const char *text, uint64_t lo, uint64_t hi, uint64_t *out,
		      struct err *e)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || *out < lo || *out > hi)
		return err_set(e, -EINVAL,
			       "--%s: '%.64s' is no number from %" PRIu64 " to %" PRIu64, name,
			       text, lo, hi);
	return 0;
}

static int get_u32(const char *name, const char *text, uint32_t hi, uint32_t *out, struct err *e)
{
	uint64_t n = 0;
	int r = get_number(name, text, 1, hi, &n, e);

	*out = (uint32_t)n;
	return r;
}

/* One option; 1 when it was --help. */
static int option(struct options *o, int c, struct err *e)
{
	struct wave_params *p = &o->params;

	switch (c) {
	case 'w':
		return get_u32("waves", optarg, WAVES_MAX_JOBS, &p->waves, e);
	case 'j':
		return get_u32("jobs-per-wave", optarg, WAVES_MAX_JOBS, &p->jobs_per_wave, e);
	case 'l':
		p->load = !strcmp(optarg, "sustained") ? WAVE_SUSTAINED : WAVE_PERIODIC;
		if (p->load == WAVE_PERIODIC && strcmp(optarg, "periodic") != 0)
			return err_set(e, -EINVAL,
				       "--load: '%.64s' is neither periodic nor sustained", optarg);
		return 0;
	case 'n':
		return get_u32("jobs", optarg, WAVES_MAX_JOBS, &p->set, e);
	case 'i':
		return get_u32("in-flight", optarg, WAVES_MAX_JOBS, &p->in_flight, e);
	case 't':
		return wave_spacing_parse(optarg, p, e);
	case 'm':
		return wave_mix_parse(optarg, p, e);
	case 'c':
		return get_u32("cpus", optarg, WAVES_MAX_CPUS, &p->cpus, e);
	case 's':
		return get_number("seed", optarg, 0, INT64_MAX, &p->seed, e);
	case 'f':
		o->swf = !strcmp(optarg, "swf");
		if (!o->swf && strcmp(optarg, "jsonl") != 0)
			return err_set(e, -EINVAL, "--format: '%.64s' is neither jsonl nor swf",
				       optarg);
		return 0;
	case 'o':
		o->output = optarg;
		return 0;
	case 'h':
		return 1;
	default:
		return err_set(e, -EINVAL, "the command line was not understood; try --help");
	}
}

static int parse(struct options *o, int argc, char **argv, struct err *e)
{
	static const struct option table[] = {
		{"load", required_argument, NULL, 'l'},
		{"jobs", required_argument, NULL, 'n'},
		{"in-flight", required_argument, NULL, 'i'},
		{"waves", required_argument, NULL, 'w'},
		{"jobs-per-wave", required_argument, NULL, 'j'},
		{"spacing", required_argument, NULL, 't'},
		{"mix", required_argument, NULL, 'm'},
		{"cpus", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'},
		{"format", required_argument, NULL, 'f'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, r;

	*o = (struct options){
		.params = {.waves = 5,
			   .jobs_per_wave = 14,
			   .set = 40,
			   .in_flight = 14,
			   .cpus = 1,
			   .seed = 1},
	};
	wave_spacing_parse("60:240", &o->params, NULL);
	wave_mix_parse("ep.S=1,is.S=1", &o->params, NULL);
	while ((c = getopt_long(argc, argv, "l:w:j:t:n:i:m:c:s:f:o:h", table, NULL)) != -1) {
		r = option(o, c, e);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return err_set(e, -EINVAL, "unexpected argument '%.64s'; try --help", argv[optind]);
	return 0;
}

static int run(const struct options *o, struct err *e)
{
	_cleanup_(wave_trace_free) struct wave_trace t;
	_cleanup_fclose_ FILE *file = NULL;
	int r = wave_generate(&o->params, &t, e);

	if (r < 0)
		return r;
	if (o->output) {
		file = fopen(o->output, "we");
		if (!file)
			return err_sys(e, -errno, "cannot write %s", o->output);
	}
	return o->swf ? wave_write_swf(&t, file ? file : stdout, e)
		      : wave_write_jsonl(&t, file ? file : stdout, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct options o;
	int r = parse(&o, argc, argv, &e);

	if (r > 0) {
		fputs(help, stdout);
		return 0;
	}
	if (r < 0) {
		err_print(prog, &e);
		return 2;
	}
	if (run(&o, &e) < 0) {
		err_print(prog, &e);
		return 1;
	}
	return 0;
}
