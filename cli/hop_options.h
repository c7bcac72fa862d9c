/* The options of drover hop. */
#ifndef DROVER_CLI_HOP_OPTIONS_H
#define DROVER_CLI_HOP_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include "common/isa.h"

enum hop_mode { MODE_EVERY, MODE_AT, MODE_EACH };

struct hop_options {
	enum hop_mode mode;
	uint64_t n; /* of --at or --every */
	uint64_t hops;
	uint64_t sample, stride, per_run;
	uint64_t jobs;
	uint64_t timeout_s;
	enum isa from;
	bool compare, json, verbose, apart, in_place;
	const char *image;
	const char *report; /* append a line of JSON to this file instead of printing */
	const char *bundle;
	char **args;
	int nargs;
};

extern const char hop_help[];
extern const struct option hop_long_options[];

/* Takes the command line. -1: go on; otherwise the exit status to end with, and what was wrong has
 * been said. What *o names is borrowed from argv. */
int hop_options_parse(struct hop_options *o, int argc, char **argv);

#endif
