/*
 * Machine profiles: what a kind of machine draws, how it sleeps, and how long it takes for known
 * programs, from a named JSON file (docs/formats/profile.md; the files are in workloads/profiles/).
 *
 * The power of a machine when idle and what one busy core adds are the model of a node without a
 * meter. Every value says where it is from and whether it was measured, published or is an
 * assumption.
 */

#ifndef DROVER_AGENT_METER_PROFILE_H
#define DROVER_AGENT_METER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/isa.h"

#define PROFILE_NAME_MAX 48

#define PROFILE_KERNELS 5
#define PROFILE_CLASSES 5

/* The kernels and classes of struct profile_runs, by index; NULL-terminated. */
extern const char *const profile_kernels[PROFILE_KERNELS + 1]; /* "ep", "is", ... */
extern const char *const profile_classes[PROFILE_CLASSES + 1]; /* "S", "W", ... */

enum profile_kind { PROFILE_UNKNOWN, PROFILE_ASSUMED, PROFILE_PUBLISHED, PROFILE_MEASURED };

struct profile_value {
	double value;
	enum profile_kind kind; /* PROFILE_UNKNOWN: the profile does not say */
	char source[256];
};

/* What the profile says of the cluster's workloads, for each kernel and class, on one core. */
struct profile_runs {
	enum profile_kind kind;
	char source[512];
	double value[PROFILE_KERNELS][PROFILE_CLASSES]; /* negative: not said */
};

struct profile {
	char name[PROFILE_NAME_MAX];
	char title[96];
	enum isa isa;
	unsigned int cores;
	unsigned int process_nm;
	double ghz;
	bool processor;              /* the watts are the processor's, not the whole machine's */
	struct profile_value idle_w; /* nothing running */
	struct profile_value core_w; /* added by one busy core */
	struct profile_value peak_w; /* all cores busy */
	struct profile_value sleep_w, sleep_s, wake_s, wake_j;
	struct profile_value memory_mib, link_mbit;
	struct profile_runs time_s, footprint_mib, dirty_mib_s;
};

/*
 * Reads a profile: a path if name holds a '/', otherwise NAME.json from
 * $DROVER_PROFILES, else from profiles/ below the library directory (common/paths.h).
 * -ENOENT, -EINVAL with the field's path.
 */
int profile_load(const char *name, struct profile *p, struct err *e);

/* The same from text. */
int profile_parse(const char *text, size_t len, struct profile *p, struct err *e);

/*
 * Speed of one core: the geometric mean over the kernels and classes of time_s,
 * as a multiple of the Xeon E5-1650 v2's. 0: the profile says too little.
 */
double profile_speed(const struct profile *p);

/* "assumed", "published", "measured", or "unknown". */
const char *profile_kind_name(enum profile_kind kind);

/* The profile used for an ISA when none is named. */
const char *profile_default(enum isa isa);

#endif
