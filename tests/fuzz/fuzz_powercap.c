/* The powercap number parser takes any bytes; what it accepts is that number. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/meter/powercap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t v, again, delta;
	char text[32];

	if (powercap_parse_u64((const char *)data, size, &v))
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", v);
	if (powercap_parse_u64(text, strlen(text), &again) || again != v)
		__builtin_trap();
	if (!powercap_advance(v, v / 2, v, 1, &delta) && delta > v)
		__builtin_trap();
	return 0;
}
