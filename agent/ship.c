/*
 * The thread that delivers jobs' output to the scheduler.
 *
 * Output is numbered by byte offset within the attempt; the scheduler appends
 * what it does not have and says how much it holds, so that a piece may be sent
 * any number of times. What came before a job's arrival here is its previous
 * node's to deliver: until that is there, this node waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "agent/node.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#define PIECE_MAX    (256u << 10)
#define LOOK_MS      300
#define SHIP_AT_ONCE 16

struct piece {
	struct job_key key;
	char path[320];
	uint64_t base, from, end;
	bool over;
};

/* Nothing more will be written: the ferry's last word, or the process is frozen and sent. */
static bool log_is_complete(const struct entry *en)
{
	return job_is_over(en->job.state);
}

/* The next pieces to send, and the entries that are delivered. Under the lock. */
static size_t choose(struct node *n, struct piece *out, size_t max)
{
	size_t k = 0;

	for (size_t i = 0; i < n->nentries && k < max; i++) {
		struct entry *en = n->entries[i];
		uint64_t end;

		if (!en || en->job.state == JOB_NEW || en->job.log_delivered)
			continue;
		/* A receiver doesn't know its base before the image is there. */
		if (en->job.state == JOB_WAITING && en->job.mig != MIG_LOADED)
			continue;
		end = entry_log_end(en);
		if (en->job.state == JOB_WAITING && end == en->job.log_base)
			continue;
		if (!en->ship_known)
			en->shipped = en->job.log_base;
		if (en->shipped >= end && (en->ship_known || end == 0 || end == en->job.log_base)) {
			if (log_is_complete(en)) {
				en->job.log_delivered = true;
				node_changed(n);
				node_wake(n);
			}
			continue;
		}
		out[k] = (struct piece){en->job.key, "",  en->job.log_base,
					en->shipped, end, log_is_complete(en)};
		snprintf(out[k].path, sizeof(out[k].path), "%s/log", en->dir);
		k++;
	}
	return k;
}

static int read_piece(const struct piece *p, void *data, size_t *len, struct err *e)
{
	_cleanup_close_ int fd = open(p->path, O_RDONLY | O_CLOEXEC);
	int rc;

	*len = p->end - p->from > PIECE_MAX ? PIECE_MAX : (size_t)(p->end - p->from);
	if (fd < 0)
		return err_sys(e, -errno, "cannot open %s", p->path);
	rc = file_pread_all(fd, data, *len, (off_t)(p->from - p->base));
	return rc ? err_sys(e, rc, "cannot read %s", p->path) : 0;
}

/* What the scheduler holds, out of {"bytes":N}; UINT64_MAX if it doesn't say. */
static uint64_t held_bytes(const struct http_answer *a)
{
	_cleanup_json_ json_t *j = NULL;
	const json_t *v;

	if (!a->body.len || json_parse(a->body.data, a->body.len, a->body.max, "log", &j, NULL))
		return UINT64_MAX;
	v = json_object_get(j, "bytes");
	return json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v)
								: UINT64_MAX;
}

/* 0: *held is what the scheduler has now. -ENOENT: it doesn't know the job any more. */
static int send_piece(struct node *n, struct http_client *c, const struct piece *p,
		      const void *data, size_t len, uint64_t *held, struct err *e)
{
	_cleanup_answer_ struct http_answer a = {0};
	_cleanup_buf_ struct buf path = {0};
	struct http_request r = {.method = "POST",
				 .body = data,
				 .body_len = len,
				 .content_type = "application/octet-stream"};
	int rc;

	buf_init(&path, 1024);
	rc = buf_str(&path, "/v1/agents/");
	if (!rc)
		rc = http_escape(&path, n->opt.name);
	if (!rc)
		rc = buf_printf(&path, "/jobs/%s/log?attempt=%" PRIu32 "&offset=%" PRIu64,
				p->key.id, p->key.attempt, p->from);
	if (rc)
		return err_set(e, rc, "no room for the address");
	r.path = path.data;
	rc = http_do(c, &r, &a, e);
	if (rc)
		return rc;
	*held = held_bytes(&a);
	if (a.status == 409 && *held != UINT64_MAX)
		return 0;
	rc = http_check(&a, e);
	if (!rc && *held == UINT64_MAX)
		return err_set(e, -EPROTO, "the answer to a log piece has no \"bytes\"");
	return rc;
}

static void settle(struct node *n, const struct piece *p, int rc, uint64_t held)
{
	struct entry *en;

	pthread_mutex_lock(&n->lock);
	en = node_find(n, &p->key);
	if (en && rc == -ENOENT) {
		/* Nobody wants it any more. */
		en->job.log_delivered = p->over;
		en->ship_known = true;
		en->shipped = p->end;
	} else if (en && !rc && held >= en->job.log_base) {
		en->ship_known = true;
		en->shipped = held;
	}
	pthread_mutex_unlock(&n->lock);
	if (rc == -ENOENT)
		node_wake(n);
}

/* Sends one round of pieces; true if any got on. */
static bool ship_round(struct node *n, struct http_client *c, char *data)
{
	struct piece pieces[SHIP_AT_ONCE];
	bool progress = false;
	size_t k;

	pthread_mutex_lock(&n->lock);
	k = choose(n, pieces, ARRAY_SIZE(pieces));
	pthread_mutex_unlock(&n->lock);
	for (size_t i = 0; i < k && !atomic_load(&n->stop); i++) {
		struct err e = ERR_INIT;
		uint64_t held = 0;
		size_t len = 0;
		int rc = read_piece(&pieces[i], data, &len, &e);

		if (!rc)
			rc = send_piece(n, c, &pieces[i], data, len, &held, &e);
		if (rc && rc != -ENOENT) {
			log_err(LOG_LEVEL_DEBUG, "log.not-sent", &e);
			return false;
		}
		settle(n, &pieces[i], rc, held);
		progress = progress || rc == -ENOENT || held > pieces[i].from;
	}
	return progress;
}

void *ship_thread(void *arg)
{
	struct node *n = arg;
	struct err e = ERR_INIT;
	struct http_client *c = http_client_new(n->opt.server, &e);
	char *data = malloc(PIECE_MAX);

	if (!c || !data) {
		log_err(LOG_LEVEL_ERROR, "ship", &e);
	} else {
		http_client_stop_on(c, &n->stop);
		while (!atomic_load(&n->stop)) {
			if (atomic_load(&n->introduced_ns) && ship_round(n, c, data))
				continue;
			pthread_mutex_lock(&n->lock);
			node_wait(n, LOOK_MS);
			pthread_mutex_unlock(&n->lock);
		}
	}
	free(data);
	http_client_free(c);
	return NULL;
}
