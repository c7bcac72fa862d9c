/*
 * drover-cc's own messages: groups that the command line turns on, off and into errors as it does
 * clang's, and what each group is about (--explain). Pure apart from printing.
 */
#ifndef DROVER_DRIVER_WARNINGS_H
#define DROVER_DRIVER_WARNINGS_H

#include <stdbool.h>

#include "binaries/object/strv.h"
#include "common/err.h"

enum warn_group {
	WARN_NEVER_MIGRATES,
	WARN_UNSUPPORTED, /* always an error */
	WARN_WAITS,       /* off by default */
	WARN_FAST_MATH,
	WARN_DLOPEN,
	WARN_IGNORED,
	WARN_GROUPS
};

enum warn_level { WARN_OFF, WARN_ON, WARN_ERROR };

struct warnings {
	enum warn_level level[WARN_GROUPS];
	bool kept[WARN_GROUPS]; /* -Wno-error=drover-...: a warning whatever -Werror says */
	bool all_errors;        /* -Werror */
	bool none;              /* -w */
};

void warnings_init(struct warnings *w);

/*
 * Takes one of -Wdrover[-GROUP], -Wno-drover[-GROUP], -Werror=drover[-GROUP],
 * -Wno-error=drover[-GROUP]. -ENOENT names the groups there are.
 */
int warnings_option(struct warnings *w, const char *arg, struct err *err);

/* What becomes of a group. */
enum warn_level warnings_level(const struct warnings *w, enum warn_group g);

/*
 * Prints "WHERE: warning: TEXT [-Wdrover-GROUP]" to standard error, or the like as an error; WHERE
 * may be "file:line" or the program's name. -ECANCELED if it is an error, else 0.
 */
int warnings_tell(const struct warnings *w, enum warn_group g, const char *where,
		  const char *format, ...) __attribute__((__format__(__printf__, 4, 5)));

/* Appends the plugin's option that says all this. */
void warnings_plugin(const struct warnings *w, struct strv *argv);

/* Prints what is behind an ID of a message; with "" or "list" the IDs. -ENOENT for others. */
int explain(const char *id, struct err *err);

#endif
