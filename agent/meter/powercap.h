/* The pure parts of the powercap meter, for its tests and its fuzz target. */
#ifndef DROVER_AGENT_METER_POWERCAP_H
#define DROVER_AGENT_METER_POWERCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number, possibly followed by a newline; -EINVAL for anything else. */
int powercap_parse_u64(const char *text, size_t len, uint64_t *out);

/* Non-zero if a zone of that name is counted. */
int powercap_class(const char *name, bool psys);

/*
 * Energy between two readings of a counter that wraps at range_uj. -ERANGE when
 * it can't be known: too long between them, or a last reading above the range.
 */
int powercap_advance(uint64_t last_uj, uint64_t now_uj, uint64_t range_uj, uint64_t elapsed_ns,
		     uint64_t *delta_uj);

#endif
