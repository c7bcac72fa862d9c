/*
 * Jobs' output as agents deliver it, numbered by byte offset within the attempt:
 * docs/formats/agent-protocol.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"

/* The owner, and those that owned this attempt before: their part of the output may come late. */
static bool may_write_log(struct engine *en, const struct job *j, const char *node)
{
	return !strcmp(j->last_node, node) ||
	       store_has_handed_on(en->store, j->id, j->attempt, node);
}

/* Appending waits for the disk, so it happens outside the engine's lock; one piece of a job at a
 * time. */
static int append_log(struct engine *en, uint64_t id, uint32_t attempt, uint64_t offset,
		      const void *data, size_t len, uint64_t *held, struct err *e)
{
	static pthread_mutex_t locks[16] = {
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
		PTHREAD_MUTEX_INITIALIZER,
	};
	pthread_mutex_t *lock = &locks[id % ARRAY_SIZE(locks)];
	int r;

	pthread_mutex_lock(lock);
	r = store_append_log(en->store, id, attempt, offset, data, len, held, e);
	pthread_mutex_unlock(lock);
	return r;
}

/* May this node write this attempt's output? Else it is told why not. */
static bool check_log_writer(struct engine *en, struct http_exchange *rq, uint64_t id,
			     uint64_t attempt)
{
	struct err e = ERR_INIT;
	const struct job *j;

	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return false;
	}
	j = id ? cluster_job(en->cluster, id) : NULL;
	if (!j || j->attempt != attempt)
		err_set(&e, -ENOENT, "this attempt is not under way; forget it");
	else if (!may_write_log(en, j, http_param(rq, "node")))
		err_set(&e, -EPERM, "this node has not run this attempt");
	engine_unlock(en);
	if (e.code)
		http_reply_err(rq, &e);
	return !e.code;
}

/* ---- output that was lost --------------------------------------------------- */

/*
 * Has what is missing before the owner's output had its time to come? Earlier nodes
 * deliver theirs after a hand-over, also when their agent is started again; one
 * that is gone never will, and must not keep back what comes after.
 */
static bool is_lost(struct engine *en, uint64_t id, uint32_t attempt, const char *node)
{
	uint64_t now = engine_now_ms(), wait_ms;
	bool lost = false;
	struct job *j;

	if (engine_lock(en, NULL))
		return false;
	j = cluster_job(en->cluster, id);
	if (j && j->attempt == attempt && !strcmp(j->last_node, node) && !j->migration) {
		if (!j->hole_ms)
			j->hole_ms = now;
		/* Sooner than the job's end is told without it. */
		wait_ms = j->exited_ms ? en->opt.log_ms / 2 : en->opt.log_ms;
		lost = now >= j->hole_ms + wait_ms;
	}
	engine_unlock(en);
	return lost;
}

#define NOTE_PIECE 4096

/* Puts a note of exactly that length in the place of what is missing. */
static int fill_log(struct engine *en, uint64_t id, uint32_t attempt, uint64_t from, uint64_t to,
		    struct err *e)
{
	char note[NOTE_PIECE];
	uint64_t held = from;
	int r = 0;

	while (!r && held < to) {
		size_t len = to - held < sizeof(note) ? (size_t)(to - held) : sizeof(note);

		memset(note, '.', sizeof(note));
		if (held == from)
			(void)snprintf(note, sizeof(note),
				       "\n[%" PRIu64 " bytes of output were lost with the node "
				       "that the job left]",
				       to - from);
		note[strlen(note)] = '.';
		note[len - 1] = '\n';
		r = append_log(en, id, attempt, held, note, len, &held, e);
	}
	if (!r)
		log_warn("log.lost job=%" PRIu64 " attempt=%" PRIu32 " bytes=%" PRIu64, id, attempt,
			 to - from);
	return r;
}

void handle_agent_log(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	uint64_t id = parse_id(http_param(rq, "id"), 0), attempt, offset, held = 0;
	size_t len;
	const void *body = http_body(rq, &len);
	int r;

	if (http_query_u64(rq, "attempt", 0, UINT32_MAX, &attempt, &e) ||
	    http_query_u64(rq, "offset", 0, INT64_MAX, &offset, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (!check_log_writer(en, rq, id, attempt))
		return;
	r = append_log(en, id, (uint32_t)attempt, offset, body, len, &held, &e);
	if (r == -ERANGE && is_lost(en, id, (uint32_t)attempt, http_param(rq, "node"))) {
		err_clear(&e);
		r = fill_log(en, id, (uint32_t)attempt, held, offset, &e);
		if (!r)
			r = append_log(en, id, (uint32_t)attempt, offset, body, len, &held, &e);
	}
	if (r && r != -ERANGE)
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, r ? 409 : 200, json_pack("{s:I}", "bytes", (json_int_t)held));
	if (!r)
		http_server_wake(en->http, channel_of_log(id));
}
