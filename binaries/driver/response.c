/* Arguments from files, as @FILE asks for. */
#include <errno.h>

#include "binaries/driver/options.h"
#include "common/buf.h"
#include "common/compiler.h"
#include "common/file.h"

#define DEPTH_MAX 8

static int expand(struct strv *args, const char *path, int depth, struct err *err)
{
	_cleanup_buf_ struct buf b = {.max = 16u << 20};
	_cleanup_buf_ struct buf word = {.max = 16u << 20};
	bool in = false;
	char quote = 0;
	int r = depth > DEPTH_MAX ? err_set(err, -ELOOP, "@%s: nested too deep", path)
				  : file_read(path, &b, err);

	if (r < 0)
		return r;
	for (const char *p = buf_cstr(&b);; p++) {
		bool blank = !quote && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r');

		if (!*p || blank) {
			const char *w = buf_cstr(&word);

			if (in && w[0] == '@')
				r = expand(args, w + 1, depth + 1, err);
			else if (in)
				strv_add(args, w);
			if (r < 0)
				return r;
			buf_reset(&word);
			in = false;
			if (!*p)
				return 0;
			continue;
		}
		in = true;
		if (*p == quote) {
			quote = 0;
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else {
			if (*p == '\\' && p[1] && quote != '\'')
				p++;
			if (buf_append(&word, p, 1) < 0)
				return err_set(err, -ENOMEM, "@%s: out of memory", path);
		}
	}
}

int options_response_file(struct strv *args, const char *path, struct err *err)
{
	return expand(args, path, 0, err);
}
