/*
 * The imperative shell around the core: one lock, one cluster, one store.
 *
 * Every change goes: engine_lock, core_* with effects, engine_commit (makes
 * them durable, then tells everyone), engine_unlock. If the commit fails the
 * cluster is loaded anew from the store, as after a restart, and pointers into
 * the old one are gone; the caller gives the error to its client.
 *
 * A thread of its own lets time pass, places jobs, and commits what many requests
 * change in common (change.h).
 */
#ifndef DROVER_SCHEDULER_API_ENGINE_H
#define DROVER_SCHEDULER_API_ENGINE_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include "common/http_server.h"
#include "scheduler/api/auth.h"
#include "scheduler/core/core.h"
#include "scheduler/policy/policy.h"
#include "scheduler/store/store.h"

#define EVENT_RING 1024

struct change_queue;
struct power;
struct replays;
struct savings;
struct energy_latest;

struct event {
	uint64_t id;
	char type[16];
	char *data; /* JSON */
	/* Of a job, where tokens are asked for: whose it is, and the JSON for those who may not see
	 * its energy. */
	char owner[CORE_NAME_MAX];
	char *closed;
};

struct engine {
	pthread_mutex_t lock;
	pthread_t thread;
	bool running;
	bool broken; /* the store can't be loaded; nothing is decided until it can */
	struct core_options opt;
	struct cluster *cluster;
	struct store *store;
	struct energy_latest *latest; /* newest reading of each meter: energy.h */
	struct change_queue *queue;   /* what the thread carries out next: change.h */
	struct http_server *http;     /* NULL until it serves */
	struct power *power;          /* sleep and wake programs; NULL: none */
	struct replays *replays;      /* replays.h */
	struct savings *savings;      /* savings.h */
	struct auth auth;
	/* until when the energy of all nodes' sleeps is written, when the last round of that began,
	 * and which of cluster.nodes is next in it: energy.h */
	uint64_t sleeps_settled_ms, sleeps_at_ms;
	uint32_t sleeps_next;
	uint64_t keep_energy_ms; /* readings older than this are removed; 0: never */
	const char *dashboard;   /* directory, or NULL; borrowed */
	struct event ring[EVENT_RING];
	uint64_t next_event; /* id of the next one */
	uint64_t reports;
	atomic_uint_fast64_t ticked_ns; /* when the thread was seen at work, CLOCK_MONOTONIC */
	atomic_uint_fast64_t report_errors;
};

/* What commits together with the effects; inside the transaction. */
struct engine_extra {
	int (*write)(struct store *s, void *arg, struct err *e);
	void *arg;
};

int engine_new(struct engine **out, struct store *store, const struct core_options *opt,
	       const char *default_policy, struct err *e);
int engine_start(struct engine *en, struct http_server *http, struct err *e);
/* Stops the thread; http must be stopped before engine_free. */
void engine_stop(struct engine *en);
void engine_free(struct engine *en);

/* -EAGAIN while the store is broken; unlocked then. */
int engine_lock(struct engine *en, struct err *e);
/* For handlers: false when the request was answered why not. */
bool engine_lock_or_reply(struct engine *en, struct http_exchange *rq);
void engine_unlock(struct engine *en);
/* Frees fx. */
int engine_commit(struct engine *en, struct effects *fx, const struct engine_extra *extra,
		  struct err *e);

/* Makes a policy current and durable; under the lock. */
int engine_set_policy(struct engine *en, const struct policy *p, const struct policy_options *o,
		      struct err *e);

uint64_t engine_now_ms(void);

/* Channels of http_park(). */
#define CHANNEL_EVENTS  1
#define CHANNEL_SAVINGS 2
uint64_t channel_of_node(const char *node);
uint64_t channel_of_log(uint64_t job);

/* Does a later one of the effects tell the same of the same object? All of them tell of it as it is
 * after the step. */
bool effect_told_later(const struct effects *fx, size_t i);

/* events.c: the ring; under the lock. */
void events_add(struct engine *en, const char *type, json_t *data);
void events_publish(struct engine *en, const struct effects *fx);
void events_free(struct engine *en);

#endif
