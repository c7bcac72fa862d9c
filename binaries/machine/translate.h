/* What the translations of both ISAs share. */
#ifndef DROVER_MACHINE_TRANSLATE_H
#define DROVER_MACHINE_TRANSLATE_H

#include <string.h>

#include "binaries/machine/micro.h"

static inline bool has_group(const cs_insn *i, uint8_t group)
{
	for (uint8_t k = 0; k < i->detail->groups_count; k++)
		if (i->detail->groups[k] == group)
			return true;
	return false;
}

/* Every place that is written becomes something of all that are read. ACCESS as CS_AC_*; 0 is
 * taken as: the first is written, all are read. At most MICRO_MAX / 2 steps. */
static inline size_t translate_mix(const struct place *p, const uint8_t *access, size_t n,
				   struct micro *out)
{
	size_t made = 0;

	for (size_t w = 0; w < n; w++) {
		struct micro m = {.kind = MICRO_MIX, .dst = p[w]};

		if (!(access[w] ? access[w] & CS_AC_WRITE : w == 0) ||
		    (p[w].type != PLACE_REG && p[w].type != PLACE_MEM))
			continue;
		for (size_t r = 0; r < n; r++) {
			if ((access[r] && !(access[r] & CS_AC_READ)) || p[r].type == PLACE_IMM)
				continue;
			if (m.a.type && m.b.type && made < MICRO_MAX / 2) {
				out[made++] = m;
				m.a = m.dst;
				m.b = (struct place){PLACE_NONE};
			}
			*(m.a.type ? &m.b : &m.a) = p[r];
		}
		if (made < MICRO_MAX / 2)
			out[made++] = m;
	}
	return made;
}

#endif
