/*
 * Two compilers read one source, a person should read one set of messages:
 * the first run's are shown as they are, the second's only where their first
 * line (file, line, column, text) is new.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "binaries/driver/diag.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

#define DIAG_MAX (64u << 20)

/* Without the escape sequences of colours. */
static size_t plain(const char *s, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (s[i] == '\033') {
			while (i < len && s[i] != 'm' && s[i] != 'K')
				i++;
			continue;
		}
		out[n++] = s[i];
	}
	out[n] = '\0';
	return n;
}

/* Whether a line begins a message rather than showing source or counting. */
bool diag_begins(const char *line, size_t len)
{
	static const char *const kinds[] = {
		": error: ", ": warning: ", ": fatal error: ", ": remark: "};
	char text[1024];

	plain(line, len, text, sizeof text);
	if (!strncmp(text, "error: ", 7) || !strncmp(text, "warning: ", 9) ||
	    !strncmp(text, "In file included from ", 22))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strstr(text, kinds[i]))
			return text[0] != ' ';
	return false;
}

/* "2 warnings generated." and the like. */
static bool counts(const char *line, size_t len)
{
	char text[256];
	size_t n = plain(line, len, text, sizeof text);

	return n > 11 && text[0] >= '0' && text[0] <= '9' && !strcmp(text + n - 10, "generated.");
}

int diag_new(const char *first, const char *second, struct buf *out)
{
	bool show = false;
	const char *p, *next;

	for (p = second; *p; p = next) {
		size_t len = strcspn(p, "\n");
		char line[1024];

		next = p + len + (p[len] == '\n');
		if (counts(p, len))
			continue;
		if (diag_begins(p, len)) {
			size_t n = len < sizeof line - 1 ? len : sizeof line - 1;

			memcpy(line, p, n);
			line[n] = '\0';
			show = !strstr(first, line);
		}
		if (show && buf_append(out, p, (size_t)(next - p)) < 0)
			return -ENOMEM;
	}
	return 0;
}

int diag_show(const char *x86, const char *arm, struct err *err)
{
	_cleanup_buf_ struct buf a = {.max = DIAG_MAX}, b = {.max = DIAG_MAX},
				 fresh = {.max = DIAG_MAX};
	int r = file_read(x86, &a, err);

	if (!r)
		r = file_read(arm, &b, err);
	if (r < 0)
		return r;
	if (diag_new(buf_cstr(&a), buf_cstr(&b), &fresh) < 0)
		return err_set(err, -ENOMEM, "diagnostics: out of memory");
	fputs(buf_cstr(&a), stderr);
	if (fresh.len)
		fprintf(stderr, "drover-cc: when compiled for AArch64:\n%s", buf_cstr(&fresh));
	return 0;
}
