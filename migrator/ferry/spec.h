/* A ferry's orders: spec.json of its state directory (docs/formats/ferry.md). */
#ifndef DROVER_FERRY_SPEC_H
#define DROVER_FERRY_SPEC_H

#include "migrator/ferry/client.h"

#define SPEC_MAX_BYTES   (4u << 20)
#define SPEC_MAX_STRINGS 4096
#define SPEC_IMAGE_BYTES (UINT64_C(64) << 30)

/* The spec with the document its strings are borrowed from. */
struct spec {
	struct ferry_spec s;
	json_t *doc;
	const char **args, **env;
};

/* -EINVAL with the field's path. Free by spec_free(), also after an error. */
int spec_parse(const char *text, size_t len, struct spec *out, struct err *e);
int spec_read(const char *dir, struct spec *out, struct err *e);
void spec_free(struct spec *s);

#endif
