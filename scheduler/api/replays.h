/* The replays of a running scheduler; see scheduler/replay/runs.h. */
#ifndef DROVER_SCHEDULER_API_REPLAYS_H
#define DROVER_SCHEDULER_API_REPLAYS_H

#include "scheduler/api/engine.h"

struct replays;

/* Keeps them below the state directory, and goes on with those that were under way. */
int replays_new(struct replays **out, struct engine *en, const char *state_dir, struct err *e);
/* Before the engine is freed. NULL-safe. */
void replays_free(struct replays *r);

#endif
