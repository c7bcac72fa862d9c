/* The contract between the runtime and its supervisor; see docs/formats/control.md. */
#ifndef DROVER_CONTROL_H
#define DROVER_CONTROL_H

#include <stdint.h>

#define DROVER_CONTROL_MAGIC   0x43565244u /* "DRVC" */
#define DROVER_CONTROL_VERSION 1u
#define DROVER_CONTROL_SIGNAL  16 /* SIGSTKFLT: unused by Linux, present on both ISAs */

#define DROVER_ENV_CTL       "DROVER_CTL"
#define DROVER_ENV_IMAGE_OUT "DROVER_IMAGE_OUT"
#define DROVER_ENV_IMAGE_IN  "DROVER_IMAGE_IN"
#define DROVER_ENV_IN_PLACE  "DROVER_IMAGE_IN_PLACE"
#define DROVER_ENV_PLAN      "DROVER_PLAN"
#define DROVER_ENV_HERE      "DROVER_HERE"

#define DROVER_MIGRATE_HERE    1   /* MIGRATE, a[0]: to a process of the same kernel and network */
#define DROVER_CONTROL_FDS_MAX 200 /* descriptors that come with one record, at most */

enum drover_control_type {
	DROVER_MSG_HELLO = 1,
	DROVER_MSG_CAPTURED = 2,
	DROVER_MSG_DEFERRED = 3,
	DROVER_MSG_REFUSED = 4,
	DROVER_MSG_LOADED = 5,
	DROVER_MSG_RESUMED = 6,
	DROVER_MSG_POINTS = 7,
	DROVER_MSG_LATE = 8,
	DROVER_MSG_GIVES = 9, /* descriptors come with it */
	DROVER_MSG_MIGRATE = 32,
	DROVER_MSG_COMMIT = 33,
	DROVER_MSG_ABORT = 34,
	DROVER_MSG_GO = 35,
	DROVER_MSG_TAKE = 36, /* descriptors come with it */
	DROVER_MSG_SIGNAL = 37
};

struct drover_control {
	uint32_t magic;
	uint32_t type;
	uint32_t version;
	int32_t status;
	uint64_t a[8];
	char text[168];
};

_Static_assert(sizeof(struct drover_control) == 248, "control record");

#endif
