/*
 * Changes that share commits: many requests, one transaction, one fsync.
 *
 * A handler parses its request into a change and gives it to engine_change(),
 * which parks the request; the engine's thread takes all that wait, runs them in
 * their order in one transaction, commits, and wakes the requests. Nobody sees a
 * change before it is on the disk, for the engine's lock is held meanwhile. If a
 * commit fails the cluster is loaded anew and each change of it is tried by
 * itself, so that one that can't be kept does not take the others with it.
 */
#ifndef DROVER_SCHEDULER_API_CHANGE_H
#define DROVER_SCHEDULER_API_CHANGE_H

#include "scheduler/api/engine.h"

struct change {
	/* Under the engine's lock and inside the transaction: changes the cluster, lists effects,
	 * writes what goes along. Called again if a commit fails, so it must keep its input.
	 * Non-zero, with c->e: refused; nothing was changed. */
	int (*run)(struct engine *en, struct change *c, struct effects *fx);
	/* Under the lock, after the commit: builds the answer. Not called when c->e is set. */
	void (*done)(struct engine *en, struct change *c);
	void (*free)(struct change *c);
	struct err e;        /* refused, or why it could not be kept */
	json_t *answer;      /* owned */
	unsigned int status; /* of the answer */
	/* the engine's own */
	uint64_t channel;
	bool finished, abandoned;
	struct change *next;
};

/*
 * For a handler that is called again until its change is over: true when it is,
 * and then c->e or c->answer says how it went. False: the request is parked, or
 * was answered (503). c is freed with the request; the first call takes it.
 */
bool engine_change(struct engine *en, struct http_exchange *rq, struct change *c);
/* The change that this request has queued, or NULL: then it comes for the first time. */
struct change *engine_changing(const struct http_exchange *rq);
/* Replies as c says; takes its answer. */
void change_reply(struct http_exchange *rq, struct change *c);

/* ---- engine.c and writer.c ----------------------------------------------- */

struct change_queue {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct change *first, **last;
	unsigned int n;
	uint64_t next_channel;
	bool nudged; /* placement is wanted */
	bool stopping;
};

struct change_queue *change_queue_new(void);
void change_queue_free(struct change_queue *q);
/* Wakes the engine's thread: jobs may be placed. */
void change_queue_nudge(struct change_queue *q);
void *engine_writer(void *engine);
void engine_reload(struct engine *en);
/* Writes effects into the open transaction and ends it; rolls back if that fails. */
int engine_save(struct engine *en, const struct effects *fx, struct err *e);
/* Tells everybody of what was saved; frees fx. */
void engine_announce(struct engine *en, struct effects *fx);

#endif
