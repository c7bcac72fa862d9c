/* Configuration files: any bytes give settings or errors that name their line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *arg, int opt, const char *value, struct err *e)
{
	size_t *taken = arg;

	++*taken;
	/* Values are text without line breaks. */
	if (value && (strchr(value, '\n') || strlen(value) > CONFIG_VALUE_MAX))
		abort();
	return opt == 's' && value ? err_set(e, -1, "a switch with a value") : 0;
}

static void complain(void *arg, const struct err *e)
{
	(void)arg;
	if (strncmp(e->msg, "file:", 5) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
						{"state-dir", required_argument, NULL, 'd'},
						{"node-timeout", required_argument, NULL, 't'},
						{"stop-jobs", no_argument, NULL, 's'},
						{"config", required_argument, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	size_t taken = 0;
	const struct config_reader r = {options, take, complain, &taken};
	struct config c = {NULL, 0};
	struct err e = ERR_INIT;
	int rc = config_parse((const char *)data, size, "file", &r, &c, &e);

	if (rc && !e.msg[0])
		abort();
	if (taken > c.n || c.n > 4)
		abort();
	config_free(&c);
	return 0;
}
