/*
 * Is an uploaded file a bundle that can run? The one place where the scheduler
 * looks into one.
 */
#ifndef DROVER_SCHEDULER_API_BUNDLE_CHECK_H
#define DROVER_SCHEDULER_API_BUNDLE_CHECK_H

#include <jansson.h>
#include "scheduler/store/store.h"

/* Fills b->name and b->isas from the file. -EBADMSG and why, if it isn't one. */
int bundle_check(int fd, struct bundle_record *b, struct err *e);

/* Adds to a rendered bundle what its file says: "made_by", "build_id", "halves". */
int bundle_describe(int fd, json_t *o, struct err *e);

#endif
