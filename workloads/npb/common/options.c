/* Command line of the NPB kernels; see npb.h. */
#include "workloads/npb/common/npb.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/npb/common/team.h"

static const char letters[NPB_CLASSES + 1] = "SWABC";

char npb_class_letter(enum npb_class class)
{
	return letters[class];
}

static bool class_parse(const char *text, enum npb_class *class)
{
	const char *at = text[0] ? strchr(letters, text[0]) : NULL;

	if (!at || text[1])
		return false;
	*class = (enum npb_class)(at - letters);
	return true;
}

/* The number in text, 0 when it is none from 1 to max. */
static int number_parse(const char *text, int max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > max ? 0 : (int)n;
}

static void usage(FILE *out, const char *kernel, const char *what)
{
	fprintf(out,
		"Usage: drover-%s [--class S|W|A|B|C] [--threads N] [--repeat N]\n"
		"       %*s [--json] [--untimed]\n"
		"       drover-%s CLASS\n"
		"NAS Parallel Benchmarks, kernel %s: %s.\n\n"
		"  -c, --class CLASS  problem size: S sample, W workstation, A, B, C (default S)\n"
		"  -t, --threads N    carry it out with N threads (default 1); the result is the "
		"same\n"
		"  -r, --repeat N     run N times over, for a longer job (default 1)\n"
		"  -j, --json         print one JSON object instead of NPB's text\n"
		"  -u, --untimed      leave out times and rates, so that two runs print the same\n"
		"  -h, --help         print this\n\n"
		"Exit status: 0 verified, 1 not verified, 2 wrong command line, 3 too little "
		"memory.\n",
		kernel, (int)strlen(kernel) + 7, "", kernel, kernel, what);
}

static bool threads_ok(const struct npb_options *o, const char *kernel)
{
	if (!o->threads) {
		fprintf(stderr, "drover-%s: --threads takes a number from 1 to %d\n", kernel,
			NPB_SLICES);
		return false;
	}
	if (o->threads > npb_team_limit()) {
		fprintf(stderr,
			"drover-%s: this build is serial and takes --threads 1 only; for more, use "
			"a build with threads\n",
			kernel);
		return false;
	}
	return true;
}

int npb_options_parse(struct npb_options *o, int argc, char **argv, const char *kernel,
		      const char *what)
{
	static const struct option table[] = {
		{"class", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"repeat", required_argument, NULL, 'r'},
		{"threads", required_argument, NULL, 't'},
		{"untimed", no_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *class = NULL;
	int c;

	*o = (struct npb_options){.class = NPB_CLASS_S, .repeat = 1, .threads = 1};
	while ((c = getopt_long(argc, argv, "c:r:t:juh", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			class = optarg;
			break;
		case 'r':
			o->repeat = number_parse(optarg, NPB_MAX_REPEAT);
			break;
		case 't':
			o->threads = number_parse(optarg, NPB_SLICES);
			break;
		case 'j':
			o->json = true;
			break;
		case 'u':
			o->untimed = true;
			break;
		case 'h':
			usage(stdout, kernel, what);
			return NPB_OK;
		default:
			fprintf(stderr, "Try 'drover-%s --help'.\n", kernel);
			return NPB_USAGE;
		}
	}
	if (optind < argc && !class)
		class = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "drover-%s: unexpected argument '%s'; try --help\n", kernel,
			argv[optind]);
		return NPB_USAGE;
	}
	if (!o->repeat) {
		fprintf(stderr, "drover-%s: --repeat takes a number from 1 to 1000000\n", kernel);
		return NPB_USAGE;
	}
	if (!threads_ok(o, kernel))
		return NPB_USAGE;
	if (class && !class_parse(class, &o->class)) {
		fprintf(stderr, "drover-%s: no class '%s'; choose one of S, W, A, B, C\n", kernel,
			class);
		return NPB_USAGE;
	}
	return -1;
}
