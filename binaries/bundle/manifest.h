/* The manifest of a bundle: JSON of docs/formats/bundle.md. Used by the files of this folder. */
#ifndef DROVER_BUNDLE_MANIFEST_H
#define DROVER_BUNDLE_MANIFEST_H

#include "binaries/bundle/bundle.h"

#define MANIFEST_MAX 65536u

/* -EINVAL names the member that is missing or wrong. */
int manifest_parse(struct bundle_manifest *m, const char *text, size_t len, struct err *e);

#endif
