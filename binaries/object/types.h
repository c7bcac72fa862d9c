/*
 * The layouts of one module's types as two compilers see them: text written by the plugin at `-c`,
 * a line a fact, tab-separated place, what and value, sorted.
 */
#ifndef DROVER_TYPES_H
#define DROVER_TYPES_H

#include <stddef.h>

#include "common/err.h"

/*
 * Both sides' facts about the same structure, union or member must be equal; what only one side
 * knows is not compared. -EILSEQ: the first that is not, named with its place in the source.
 * -EBADMSG: not such a text.
 */
int types_compare(const char *x86, size_t nx86, const char *arm, size_t narm, struct err *err);

#endif
