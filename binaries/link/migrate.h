/*
 * Which functions of a whole program may reach a migration point: a pure
 * decision over the call summaries of all its modules.
 */
#ifndef DROVER_LINK_MIGRATE_H
#define DROVER_LINK_MIGRATE_H

#include <stddef.h>

#include "binaries/object/summary.h"
#include "common/buf.h"
#include "common/err.h"

struct migrate_module {
	const char *id; /* "m000", ...: tells local functions of one name apart */
	const struct summary *summary;
};

/*
 * Appends the list the plugin reads to OUT: one function a line, `name` or
 * `name.MODULE` for a local one, then `*type` for each type of indirect calls
 * that may reach such a function, `!name.MODULE` for each weak definition that another one
 * replaces, and `#MODULE name LINE waits|harmless REASON` for each function that is never
 * instrumented although it calls others: whether what it calls may reach a migration point.
 *
 * A function may migrate if it has a poll of its own, calls one that may, or
 * calls indirectly by a type of which an address-taken function may; one that
 * must not be instrumented never does.  What no module defines never does.
 */
int migrate_decide(const struct migrate_module *mods, size_t n, struct buf *out, struct err *err);

#endif
