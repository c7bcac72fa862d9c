/*
 * Replays that were asked for: carried out one after the other by a thread of their own, which is
 *nicer than the scheduler's, and kept in files:
 *
 *	DIR/rN.json             request, state, results
 *	DIR/rN/RUN.series.json  and RUN.waits.json, RUN.{jobs,schedule,nodes,power}.csv
 *
 * One that was under way when the process ended begins again when the next one starts: the same
 * request gives the same outcome. All functions may be called by any thread.
 */
#ifndef DROVER_SCHEDULER_REPLAY_RUNS_H
#define DROVER_SCHEDULER_REPLAY_RUNS_H

#include <jansson.h>

#include "common/err.h"

#define RUNS_KEPT 100 /* of those that ended; older ones are removed */

struct runs;

struct runs_config {
	const char *dir, *traces; /* created if missing; must outlive runs_free() */
	/* What listeners are told of a replay, by the worker; takes the reference. */
	void (*tell)(void *arg, json_t *replay);
	void *arg;
};

int runs_new(struct runs **out, const struct runs_config *cfg, struct err *e);
/* Ends the one under way. NULL-safe. */
void runs_free(struct runs *r);

/*
 * Queues a replay; *out is it, as GET shows it. request is what request_parse() takes.
 * -EINVAL, -ENOENT: the request or its trace; -EBUSY: too many wait.
 */
int runs_add(struct runs *r, const json_t *request, const char *user, json_t **out, struct err *e);

/* New references. All without results, newest first; one whole, or NULL. */
json_t *runs_list(struct runs *r);
json_t *runs_get(struct runs *r, const char *id);

/* Ends it if it waits or runs, removes it otherwise. -ENOENT; -EACCES: another user's (user NULL:
 * may remove all). */
int runs_remove(struct runs *r, const char *id, const char *user, struct err *e);

/* Opens DIR/ID/RUN.SUFFIX; run must be one of the replay's results. Returns the descriptor;
 * -ENOENT. */
int runs_open(struct runs *r, const char *id, const char *run, const char *suffix, struct err *e);

#endif
