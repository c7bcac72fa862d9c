#include "common/err.h"

#include <stdarg.h>
#include <string.h>

static void err_fill(struct err *e, int code, const char *fmt, va_list ap)
{
	e->code = code;
	e->hint[0] = '\0';
	if (vsnprintf(e->msg, sizeof(e->msg), fmt, ap) < 0)
		e->msg[0] = '\0';
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	err_fill(e, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	char text[128];
	size_t len;
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	err_fill(e, code, fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	(void)snprintf(e->msg + len, sizeof(e->msg) - len, ": %s",
		       strerror_r(-code, text, sizeof(text)));
	return code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	size_t len;
	va_list ap;

	if (!e)
		return -1;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	if (vsnprintf(e->msg, sizeof(e->msg), fmt, ap) < 0)
		e->msg[0] = '\0';
	va_end(ap);
	len = strlen(e->msg);
	(void)snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", old);
	return e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	if (vsnprintf(e->hint, sizeof(e->hint), fmt, ap) < 0)
		e->hint[0] = '\0';
	va_end(ap);
	return e->code;
}

void err_clear(struct err *e)
{
	if (!e)
		return;
	e->code = 0;
	e->msg[0] = '\0';
	e->hint[0] = '\0';
}

void err_print(const char *prog, const struct err *e)
{
	(void)fprintf(stderr, "%s: %s\n", prog, e->msg);
	if (e->hint[0])
		(void)fprintf(stderr, "%s: hint: %s\n", prog, e->hint);
}
