/*
 * Machine profiles: what a kind of machine draws, from a named JSON file.
 *
 * A profile gives the power of a whole machine when idle and what one busy core
 * adds, so that a node without a meter has a model. Every value says where it
 * is from and whether it was published or is an assumption; see
 * docs/formats/profile.md.
 */
#ifndef DROVER_AGENT_METER_PROFILE_H
#define DROVER_AGENT_METER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/isa.h"

#define PROFILE_NAME_MAX 48

struct profile_value {
	double value;
	bool published; /* false: assumed */
	char source[256];
};

struct profile {
	char name[PROFILE_NAME_MAX];
	char title[96];
	enum isa isa;
	unsigned int cores;
	unsigned int process_nm;
	double ghz;
	struct profile_value idle_w; /* whole machine, nothing running */
	struct profile_value core_w; /* added by one busy core */
	struct profile_value peak_w; /* whole machine, all cores busy */
};

/*
 * Reads a profile: a path if name holds a '/', otherwise NAME.json from
 * $DROVER_PROFILES, else from profiles/ below the library directory (common/paths.h).
 * -ENOENT, -EINVAL with the field's path.
 */
int profile_load(const char *name, struct profile *p, struct err *e);

/* The same from text. */
int profile_parse(const char *text, size_t len, struct profile *p, struct err *e);

/* The profile used for an ISA when none is named. */
const char *profile_default(enum isa isa);

#endif
