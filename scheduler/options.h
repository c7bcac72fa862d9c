/*
 * droverd's command line.
 */
#ifndef DROVER_SCHEDULER_OPTIONS_H
#define DROVER_SCHEDULER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "common/config.h"
#include "common/err.h"
#include "common/log.h"

struct options {
	char state_dir[3072];
	char dashboard[3072]; /* directory of the page's files; need not exist */
	const char *listen;
	const char *tls_cert, *tls_key; /* files; both or none */
	const char *token_key;          /* NULL: token.key in the state directory */
	uint64_t energy_days;           /* readings older are removed; 0: never */
	bool require_token;
	bool open_energy;
	const char *port_file; /* NULL: none */
	const char *policy;
	unsigned int timeout_s, unknown_s;            /* 0: the defaults */
	const char *suspend_program, *resume_program; /* both or none */
	unsigned int suspend_s, resume_s;             /* their times */
	enum log_level log_level;
	bool check_config, list_routes, help, version;
	struct config file; /* what the strings are borrowed from, beside argv */
};

/* -EINVAL with what is wrong; e is empty when it has been told already, line by line. Reads the
 * configuration file first. Strings are borrowed from argv and the file: options_free() last. */
int options_parse(struct options *o, int argc, char **argv, struct err *e);
void options_help(void);
void options_free(struct options *o);

#endif
