/* The reader of machine profiles takes any bytes; what it accepts has power and known kinds. */
#include <stddef.h>
#include <stdint.h>

#include "agent/meter/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct profile p;

	if (profile_parse((const char *)data, size, &p, NULL))
		return 0;
	if (p.idle_w.kind == PROFILE_UNKNOWN || !(p.core_w.value > 0) || p.cores < 1 ||
	    p.peak_w.value < p.idle_w.value)
		__builtin_trap();
	for (int k = 0; k < PROFILE_KERNELS; k++)
		for (int c = 0; c < PROFILE_CLASSES; c++)
			if (!(p.time_s.value[k][c] > 0) && !(p.time_s.value[k][c] < 0))
				__builtin_trap();
	return 0;
}
