/*
 * Logging for daemons: one call, one line on stderr, key=value fields.
 *
 *	log_info("migration.ready job=%s epoch=%" PRIu64, id, epoch);
 *
 * The message is an event name followed by fields. Under the journal each line
 * carries its priority (sd-daemon(3)); else it starts with time and level.
 * Control characters are escaped, so an outside string can't forge a line.
 */
#ifndef DROVER_COMMON_LOG_H
#define DROVER_COMMON_LOG_H

#include "common/compiler.h"
#include "common/err.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* Sets the program's name and the least important level shown (default info). */
void log_init(const char *prog, enum log_level max);

/* "error", "warn", "info" or "debug" to a level; -EINVAL if it is none of these. */
int log_level_parse(const char *s);

void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Logs an error with its context as an event: "<event> error="<msg>" hint="<hint>"". */
void log_err(enum log_level level, const char *event, const struct err *e);

#endif
