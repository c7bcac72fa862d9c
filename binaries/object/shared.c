#include "binaries/object/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/compiler.h"

bool shared_is(const struct archive *a)
{
	struct object_part part;

	return a->n > 0 && object_needed(a->members[0].data, a->members[0].len, &part);
}

int shared_parse(struct strv *needed, const char *given, size_t len, const char *name,
		 struct err *err)
{
	_cleanup_free_ char *text = strndup(given, len);
	char *line, *next;
	size_t n = 0;

	if (!text)
		return err_set(err, -ENOMEM, "%s: out of memory", name);
	for (line = text; *line; line = next, n++) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = '\0';
		if (n == 0 && strcmp(line, "V 1") != 0) {
			err_set(err, -EPROTONOSUPPORT,
				"%s: written by another version of drover-cc", name);
			return err_hint(err, "build that library again");
		}
		if (n > 0 && strncmp(line, "needed /", 8) != 0)
			break;
		if (n > 0)
			strv_add(needed, line + 7);
	}
	if (!n || *line)
		return err_set(err, -EINVAL, "%s: its list of needed libraries is damaged", name);
	return strv_failed(needed) ? err_set(err, -ENOMEM, "%s: out of memory", name) : 0;
}

int shared_print(struct buf *out, const struct strv *needed)
{
	int r = buf_printf(out, "V 1\n");

	for (size_t i = 0; i < needed->n && r >= 0; i++)
		r = strchr(needed->v[i], '\n') ? -EINVAL
					       : buf_printf(out, "needed %s\n", needed->v[i]);
	return r < 0 ? r : 0;
}
