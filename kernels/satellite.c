#include "kernels/satellite.h"

#include <string.h>

static const struct satellite_ops *const backends[] = {
	&satellite_process,
};

const struct satellite_ops *satellite_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (!strcmp(backends[i]->name, name))
			return backends[i];
	return NULL;
}

const char *satellite_mode_name(enum satellite_mode m)
{
	static const char *const names[] = {"native", "emulated", "unavailable"};

	return (size_t)m < ARRAY_SIZE(names) ? names[m] : "unknown";
}
