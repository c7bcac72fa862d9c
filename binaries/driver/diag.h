/* Diagnostics of two runs of a compiler, shown as those of one. */
#ifndef DROVER_DRIVER_DIAG_H
#define DROVER_DRIVER_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

/* Whether a line begins a message. */
bool diag_begins(const char *line, size_t len);

/* Appends to OUT the messages of SECOND whose first line does not occur in FIRST.  0 or -ENOMEM. */
int diag_new(const char *first, const char *second, struct buf *out);

/* Shows the files with the messages of the x86-64 run and of the AArch64 run. */
int diag_show(const char *x86, const char *arm, struct err *err);

#endif
