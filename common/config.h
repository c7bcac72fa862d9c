/*
 * Configuration files: "name = value" lines, one for each long option of a program
 * (docs/formats/config.md).
 *
 *	# a comment
 *	listen = 127.0.0.1:7700
 *	policy = "balance"
 *	stop-jobs = yes
 *
 * The names and whether they take a value come from the program's own table of
 * long options, so that file and command line cannot drift apart. What is wrong
 * is said with file and line, all of it and not only the first.
 */
#ifndef DROVER_COMMON_CONFIG_H
#define DROVER_COMMON_CONFIG_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define CONFIG_MAX_BYTES (256u * 1024u)
#define CONFIG_VALUE_MAX 4096

struct config_entry {
	char *name, *value; /* owned; value is NULL where the line has none */
	unsigned int line;
};

/* A file's lines. Values are lent to whoever takes them: free it last. */
struct config {
	struct config_entry *v;
	size_t n;
};

struct config_reader {
	const struct option *options; /* getopt_long's table */
	/* Takes one setting: opt is the table's val. 0 or a negative errno with e set. */
	int (*take)(void *arg, int opt, const char *value, struct err *e);
	/* May be NULL: is told of each error ("FILE:LINE: ..."). */
	void (*complain)(void *arg, const struct err *e);
	void *arg;
};

/*
 * Reads the text of a file called name. 0, or the first error: -EINVAL for a line
 * that is none, a name the program does not have, one given twice, or a value that
 * take refuses. All lines are looked at even so.
 */
int config_parse(const char *text, size_t len, const char *name, const struct config_reader *r,
		 struct config *c, struct err *e);

/* The same for a file; -ENOENT and others when it can't be read. */
int config_read(const char *path, const struct config_reader *r, struct config *c, struct err *e);

/*
 * The file a program reads: what --config in argv names (the last one; argv is
 * only looked at), else NAME.conf in $DROVER_CONFIG_DIR or in <sysconfdir>/drover.
 * *named tells which: a file that is named must be there. "none" reads nothing:
 * path is "" then.
 */
int config_path(int argc, char *const *argv, const char *name, char *path, size_t size, bool *named,
		struct err *e);

/* config_path and config_read in one; a file that is not named may be missing. */
int config_load(int argc, char *const *argv, const char *name, const struct config_reader *r,
		struct config *c, struct err *e);

void config_free(struct config *c);

#endif
