/*
 * The options of drover hop: table, help and checks. See hop_options.h.
 */
#include "cli/hop_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/commands.h"
#include "common/compiler.h"

const char hop_help[] =
	"usage: drover hop [OPTION]... BUNDLE [-- ARGUMENT...]\n"
	"Runs a bundle and moves it between x86-64 and AArch64 while it runs.\n\n"
	"  --at K         move at the K-th migration point\n"
	"  --every N      move at every N-th point (default: every 1000th)\n"
	"  --each         one run per point: move there, and at the next ones\n"
	"  --hops H       moves per run (default: 1 with --at, 2 with --each, else no limit)\n"
	"  --stride N     with --each: only every N-th point\n"
	"  --sample M     with --each: only M of the points, evenly spread\n"
	"  --per-run R    with --each: R points a run, far apart (default: 1)\n"
	"  --jobs J       with --each: runs at a time (default: number of processors)\n"
	"  --apart        each process in a network of its own, as if on another machine: nothing\n"
	"                 is handed over by the kernel (needs root)\n"
	"  --in-place     all state images of a run in one file: what did not change since the "
	"last\n"
	"                 move is neither written nor read (for many moves of much memory)\n"
	"  --from ISA     where the program starts (default: this host's ISA)\n"
	"  --compare      compare output and status with an unmoved run (always with --each)\n"
	"  --timeout S    give up a run after S seconds (default: none; with --each 120,\n"
	"                 and 2 for each further point of the run)\n"
	"  --image FILE   save the first state image\n"
	"  --report FILE  append counts and times to FILE, a line of JSON for this run\n"
	"  --json         report counts and times as JSON\n"
	"  -v, --verbose  report also without --compare or --each\n"
	"  -h, --help     this text\n\n"
	"With --compare or --each the report goes to stdout in place of the program's output;\n"
	"otherwise the output passes through and the report, if wanted, goes to stderr.\n"
	"Exit status: the program's own; 124 if a moved run differs; 125 for an error of drover.\n";

static int usage(const char *text, const char *arg)
{
	(void)fprintf(stderr, "drover hop: %s%s%s\n", text, arg ? ": " : "", arg ? arg : "");
	(void)fprintf(stderr, "drover hop: hint: `drover hop --help` lists the options\n");
	return EXIT_USAGE;
}

static bool number(const char *s, uint64_t lo, uint64_t hi, uint64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return errno == 0 && *end == '\0' && *out >= lo && *out <= hi;
}

enum {
	OPT_AT = 256,
	OPT_EVERY,
	OPT_EACH,
	OPT_HOPS,
	OPT_SAMPLE,
	OPT_STRIDE,
	OPT_PER_RUN,
	OPT_JOBS,
	OPT_FROM,
	OPT_APART,
	OPT_IN_PLACE,
	OPT_COMPARE,
	OPT_TIMEOUT,
	OPT_IMAGE,
	OPT_REPORT,
	OPT_JSON
};

const struct option hop_long_options[] = {
	{"at", required_argument, NULL, OPT_AT},
	{"every", required_argument, NULL, OPT_EVERY},
	{"each", no_argument, NULL, OPT_EACH},
	{"hops", required_argument, NULL, OPT_HOPS},
	{"sample", required_argument, NULL, OPT_SAMPLE},
	{"stride", required_argument, NULL, OPT_STRIDE},
	{"per-run", required_argument, NULL, OPT_PER_RUN},
	{"jobs", required_argument, NULL, OPT_JOBS},
	{"from", required_argument, NULL, OPT_FROM},
	{"apart", no_argument, NULL, OPT_APART},
	{"in-place", no_argument, NULL, OPT_IN_PLACE},
	{"compare", no_argument, NULL, OPT_COMPARE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"image", required_argument, NULL, OPT_IMAGE},
	{"report", required_argument, NULL, OPT_REPORT},
	{"json", no_argument, NULL, OPT_JSON},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* -1: go on; otherwise the exit status to end with. */
static int parse_one(struct hop_options *o, int c, bool *mode_given)
{
	static const struct {
		int opt;
		size_t offset;
		uint64_t hi;
	} numbers[] = {
		{OPT_AT, offsetof(struct hop_options, n), UINT64_MAX / 2},
		{OPT_EVERY, offsetof(struct hop_options, n), UINT64_MAX / 2},
		{OPT_HOPS, offsetof(struct hop_options, hops), UINT64_MAX / 2},
		{OPT_SAMPLE, offsetof(struct hop_options, sample), UINT64_MAX / 2},
		{OPT_STRIDE, offsetof(struct hop_options, stride), UINT64_MAX / 2},
		{OPT_PER_RUN, offsetof(struct hop_options, per_run), 100000},
		{OPT_JOBS, offsetof(struct hop_options, jobs), 64},
		{OPT_TIMEOUT, offsetof(struct hop_options, timeout_s), 1000000},
	};
	uint64_t v;
	int isa;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].opt != c)
			continue;
		if (!number(optarg, 1, numbers[i].hi, &v))
			return usage("this needs a whole number above 0", optarg);
		memcpy((char *)o + numbers[i].offset, &v, sizeof(v));
	}
	if (c == OPT_AT || c == OPT_EVERY || c == OPT_EACH) {
		if (*mode_given)
			return usage("only one of --at, --every and --each can be used", NULL);
		*mode_given = true;
		o->mode = c == OPT_AT ? MODE_AT : c == OPT_EVERY ? MODE_EVERY : MODE_EACH;
	}
	switch (c) {
	case OPT_FROM:
		isa = isa_parse(optarg);
		if (isa < 0)
			return usage("this is no ISA (x86_64 or aarch64)", optarg);
		o->from = (enum isa)isa;
		break;
	case OPT_APART:
		o->apart = true;
		break;
	case OPT_IN_PLACE:
		o->in_place = true;
		break;
	case OPT_COMPARE:
		o->compare = true;
		break;
	case OPT_IMAGE:
		o->image = optarg;
		break;
	case OPT_REPORT:
		o->report = optarg;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case 'v':
		o->verbose = true;
		break;
	case 'h':
		(void)fputs(hop_help, stdout);
		return 0;
	case '?':
		return usage("unknown option or missing value", NULL);
	default:
		break;
	}
	return -1;
}

int hop_options_parse(struct hop_options *o, int argc, char **argv)
{
	bool mode_given = false;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int c, r;

	*o = (struct hop_options){
		.mode = MODE_EVERY, .n = 1000, .stride = 1, .per_run = 1, .from = isa_host()};
	o->jobs = cpus > 0 && cpus <= 64 ? (uint64_t)cpus : 1;
	optind = 1;
	/* '+': the first argument that is no option is the bundle; "--" ends our options. */
	while ((c = getopt_long(argc, argv, "+hv", hop_long_options, NULL)) != -1) {
		r = parse_one(o, c, &mode_given);
		if (r >= 0)
			return r;
	}
	if (optind >= argc)
		return usage("no bundle was named", NULL);
	o->bundle = argv[optind++];
	/* Options may also follow the bundle, up to "--". */
	while (optind < argc && argv[optind][0] == '-') {
		if (!strcmp(argv[optind], "--"))
			break;
		c = getopt_long(argc, argv, "+hv", hop_long_options, NULL);
		if (c == -1)
			break;
		r = parse_one(o, c, &mode_given);
		if (r >= 0)
			return r;
	}
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	else if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return usage("the program's arguments follow \"--\"", argv[optind]);
	if (o->in_place && o->image)
		return usage(
			"an image in place has holes as large as the address range; use only one "
			"of --in-place and --image",
			NULL);
	o->args = argv + optind;
	o->nargs = argc - optind;
	if (!o->hops)
		o->hops = o->mode == MODE_AT ? 1 : o->mode == MODE_EACH ? 2 : UINT64_MAX;
	if (o->mode == MODE_EACH && !o->timeout_s)
		o->timeout_s = 120 + 2 * (o->per_run - 1);
	o->compare |= o->mode == MODE_EACH;
	return -1;
}
