/* Command line and memory check of the NPB kernels; see npb.h. */
#include "workloads/npb/common/npb.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The number in text, 0 when it is none from 1 to a million. */
static int repeat_parse(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end || n < 1 || n > 1000000 ? 0 : (int)n;
}

static void usage(FILE *out, const char *kernel, const char *what)
{
	fprintf(out,
		"Usage: drover-%s [--class S|W|A|B|C] [--repeat N] [--json] [--untimed]\n"
		"       drover-%s CLASS\n"
		"NAS Parallel Benchmarks, kernel %s: %s.\n\n"
		"  -c, --class CLASS  problem size: S sample, W workstation, A, B, C (default S)\n"
		"  -r, --repeat N     run N times over, for a longer job (default 1)\n"
		"  -j, --json         print one JSON object instead of NPB's text\n"
		"  -u, --untimed      leave out times and rates, so that two runs print the same\n"
		"  -h, --help         print this\n\n"
		"Exit status: 0 verified, 1 not verified, 2 wrong command line, 3 too little "
		"memory.\n",
		kernel, kernel, kernel, what);
}

int npb_options_parse(struct npb_options *o, int argc, char **argv, const char *kernel,
		      const char *what)
{
	static const struct option table[] = {
		{"class", required_argument, NULL, 'c'},  {"json", no_argument, NULL, 'j'},
		{"repeat", required_argument, NULL, 'r'}, {"untimed", no_argument, NULL, 'u'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	const char *class = NULL;
	int c;

	*o = (struct npb_options){.class = NPB_CLASS_S, .repeat = 1};
	while ((c = getopt_long(argc, argv, "c:r:juh", table, NULL)) != -1) {
		switch (c) {
		case 'c':
			class = optarg;
			break;
		case 'r':
			o->repeat = repeat_parse(optarg);
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
	if (class && !class_parse(class, &o->class)) {
		fprintf(stderr, "drover-%s: no class '%s'; choose one of S, W, A, B, C\n", kernel,
			class);
		return NPB_USAGE;
	}
	return -1;
}

bool npb_memory_check(const struct npb_options *o, const char *kernel, uint64_t bytes)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t have;

	if (pages <= 0 || size <= 0)
		return true;
	have = (uint64_t)pages * (uint64_t)size;
	if (bytes <= have)
		return true;
	fprintf(stderr,
		"drover-%s: class %c needs %llu MiB and this machine has %llu MiB; take a smaller "
		"class\n",
		kernel, npb_class_letter(o->class), (unsigned long long)(bytes >> 20),
		(unsigned long long)(have >> 20));
	return false;
}

void *npb_alloc(const char *kernel, size_t n, size_t size)
{
	void *p = n > SIZE_MAX / size ? NULL : malloc(n * size);

	if (!p) {
		fprintf(stderr,
			"drover-%s: no memory for an array of %zu MiB; take a smaller class or "
			"raise "
			"the limit (ulimit -v)\n",
			kernel, n / (1024 * 1024 / size));
		exit(NPB_NO_MEMORY);
	}
	return p;
}
