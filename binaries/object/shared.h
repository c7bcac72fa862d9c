/*
 * Libraries that `drover-cc -shared` writes: archives of which a program gets
 * every member, and which name the libraries they need themselves.
 * Format: docs/formats/object.md.
 */
#ifndef DROVER_SHARED_H
#define DROVER_SHARED_H

#include <stdbool.h>

#include "binaries/object/object.h"
#include "binaries/object/strv.h"
#include "common/buf.h"
#include "common/err.h"

/* Whether the archive was written by `drover-cc -shared`: its first member says so. */
bool shared_is(const struct archive *a);

/* Adds the paths in the text of LEN bytes to NEEDED.  NAME is for messages.  -EINVAL: damaged. */
int shared_parse(struct strv *needed, const char *text, size_t len, const char *name,
		 struct err *err);

/* Appends what shared_parse reads to OUT. */
int shared_print(struct buf *out, const struct strv *needed);

#endif
