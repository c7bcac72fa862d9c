/* The pure parts of the powercap meter, for its tests and its fuzz target. */
#ifndef DROVER_AGENT_METER_POWERCAP_H
#define DROVER_AGENT_METER_POWERCAP_H

#include <stdbool.h>
#include <stdint.h>

/* True if a zone of that name is counted. */
bool powercap_class(const char *name, bool psys);

/* True if both names are dies of one package ("package-0-die-0", "package-0-die-1"). */
bool powercap_dies_of_one(const char *a, const char *b);

/*
 * Do two zones show one and the same counter? first and last are readings of the
 * one before and after a reading of the other, in this order: a second view of the
 * same counter lies between them (modulo the wrap), another counter hardly ever.
 */
bool powercap_mirrors(uint64_t first, uint64_t other, uint64_t last, uint64_t range_uj);

#endif
