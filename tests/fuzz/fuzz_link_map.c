/* The parser of link maps, and the layout made of one with itself: no two slots overlap. */
#include <stdint.h>
#include <stdlib.h>

#include "binaries/link/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct map maps[ISA_COUNT];
	struct home home = {0};
	struct layout l;
	struct err e = ERR_INIT;

	if (map_parse(&maps[0], (const char *)data, size, &e) < 0)
		return 0;
	if (map_parse(&maps[1], (const char *)data, size, &e) < 0)
		abort();
	if (layout_make(&l, maps, &home, &e) == 0) {
		for (size_t i = 0; i < l.n; i++)
			if (l.slots[i].addr % l.slots[i].align)
				abort();
		layout_free(&l);
	}
	map_free(&maps[0]);
	map_free(&maps[1]);
	return 0;
}
