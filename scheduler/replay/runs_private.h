/* The queue of replays: what its parts share. runs.c answers the API, runs_work.c carries replays
 * out, runs_files.c keeps them on disk. */
#ifndef DROVER_REPLAY_RUNS_PRIVATE_H
#define DROVER_REPLAY_RUNS_PRIVATE_H

#include "scheduler/replay/runs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A request may be that long, and a result. */
#define RUNS_FILE_MAX (16u << 20)

struct run {
	uint64_t number;
	json_t *doc; /* as GET shows it */
	bool ended;
	struct run *next; /* newer first */
};

struct runs {
	struct runs_config cfg;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_t thread;
	bool started;
	atomic_bool stop, cancel; /* cancel: the one under way */
	struct run *all;
	struct run *current;
	uint64_t next;
};

/* ---- runs.c ------------------------------------------------------------- */

/* A text of the document; "" if there is none. */
const char *runs_text(const json_t *doc, const char *key);
/* Sets a member; takes the value. */
void runs_put(json_t *doc, const char *key, json_t *value);
/* A copy for others to see, with or without results; NULL: no memory. */
json_t *runs_shown(const json_t *doc, bool whole);
/* Hands the document, which it takes, to whoever follows; not under the lock. */
void runs_tell(struct runs *r, json_t *doc);

/* ---- runs_files.c ------------------------------------------------------- */

/* The name of a run's file (rest: ".json") or folder (""); -ENAMETOOLONG. */
int runs_path(const struct runs *r, char *out, size_t size, uint64_t number, const char *rest);
int runs_write_json(const char *path, const json_t *doc, struct err *e);
int runs_save(const struct runs *r, const struct run *k, struct err *e);
void runs_delete_files(const struct runs *r, uint64_t number);
/* Into the list, by number. */
void runs_insert(struct runs *r, struct run *k);
/* What earlier processes left; files that can't be read are told and left alone. */
int runs_load(struct runs *r, struct err *e);

/* ---- runs_work.c -------------------------------------------------------- */

/* The worker's thread, of a struct runs, until it is stopped. */
void *runs_work(void *runs);

#endif
