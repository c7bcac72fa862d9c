/* A bundle or an object as JSON for programs; 0 or -ENOMEM. */
#ifndef DROVER_OBJINFO_JSON_H
#define DROVER_OBJINFO_JSON_H

#include "binaries/objinfo/report.h"

int json_bundle(const char *path, const struct bundle *b, const struct transform *t,
		const struct symbols *s, const struct view *view);
int json_object_file(const char *name, const struct object *o, const struct view *view);

#endif
