/* The pure parts of the hwmon meter, for its tests and its fuzz target. */
#ifndef DROVER_AGENT_METER_HWMON_H
#define DROVER_AGENT_METER_HWMON_H

#include <stdbool.h>

/* True for a label of one core ("Ecore017", "Core 3"): a part of what its socket shows. */
bool hwmon_is_core(const char *label);

#endif
