/* A bundle or an object as text for people. */
#ifndef DROVER_OBJINFO_TEXT_H
#define DROVER_OBJINFO_TEXT_H

#include "binaries/objinfo/report.h"

void text_bundle(const char *path, const struct bundle *b, const struct transform *t,
		 const struct symbols *s, const struct view *view);
void text_object(const char *name, const struct object *o, const struct view *view);

#endif
