/*
 * Is an uploaded file a bundle that can run? The one place where the scheduler
 * looks into one.
 */
#ifndef DROVER_SCHEDULER_API_BUNDLE_CHECK_H
#define DROVER_SCHEDULER_API_BUNDLE_CHECK_H

#include "scheduler/store/store.h"

/* Fills b->name and b->isas from the file. -EBADMSG and why, if it isn't one. */
int bundle_check(int fd, struct bundle_record *b, struct err *e);

#endif
