/* What must hold of a bundle, checked again from its own bytes. */
#ifndef DROVER_OBJINFO_CHECK_H
#define DROVER_OBJINFO_CHECK_H

#include "binaries/objinfo/report.h"

/*
 * One state table in both halves; every function of it, and every symbol of the
 * moving data, at one address.  -EILSEQ names the first that is not.
 */
int check_bundle(const struct bundle *b, const struct transform *t, const struct symbols *s,
		 struct err *err);

#endif
