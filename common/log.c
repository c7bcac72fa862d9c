#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static const struct {
	enum log_level level;
	const char *name;
} level_names[] = {
	{LOG_LEVEL_ERROR, "error"},
	{LOG_LEVEL_WARN, "warn"},
	{LOG_LEVEL_INFO, "info"},
	{LOG_LEVEL_DEBUG, "debug"},
};

static const char *log_prog = "drover";
static enum log_level log_max = LOG_LEVEL_INFO;

void log_init(const char *prog, enum log_level max)
{
	log_prog = prog;
	log_max = max;
}

int log_level_parse(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (!strcmp(s, level_names[i].name))
			return (int)level_names[i].level;
	return -EINVAL;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (level_names[i].level == level)
			return level_names[i].name;
	return "info";
}

/* Escapes control characters of text into out; cuts what doesn't fit. */
static size_t log_escape(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 5 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
	}
	out[n] = '\0';
	return n;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[2048], line[4096];
	struct timespec ts;
	struct tm tm;
	size_t n = 0;
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);

	if (getenv("JOURNAL_STREAM")) {
		n = (size_t)snprintf(line, sizeof(line), "<%d>%s: ", (int)level, log_prog);
	} else {
		(void)clock_gettime(CLOCK_REALTIME, &ts);
		(void)gmtime_r(&ts.tv_sec, &tm);
		n = strftime(line, sizeof(line), "%FT%T", &tm);
		n += (size_t)snprintf(line + n, sizeof(line) - n,
				      ".%03ldZ %s %s: ", ts.tv_nsec / 1000000, level_name(level),
				      log_prog);
	}
	n += log_escape(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	/* One write per line: lines of several processes on one stderr don't mix. */
	(void)!write(STDERR_FILENO, line, n);
}

void log_err(enum log_level level, const char *event, const struct err *e)
{
	if (e->hint[0])
		log_line(level, "%s error=\"%s\" hint=\"%s\"", event, e->msg, e->hint);
	else
		log_line(level, "%s error=\"%s\"", event, e->msg);
}
