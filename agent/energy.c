/* See energy.h. */
#include "agent/energy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"

#define FILE_MAX     (64u << 20)
#define INTERVAL_MAX (1u << 20)
#define JOIN_WITHIN  8 /* an agent has no more meters */

struct energy_ring {
	char path[512];
	int fd;
	size_t lines; /* in the file, acknowledged ones included */
	json_t *v[ENERGY_RING_MAX];
	size_t head, count;
	uint64_t dropped; /* in all, since the agent started */
	uint64_t removed; /* ever taken off the front */
	uint64_t sent;    /* ever sent, by the same count */
	bool joined;      /* the file is to be written anew before anything joined is sent */
};

/* No joined interval is longer, so that series keep some detail. */
#define JOIN_MAX_MS (3600 * 1000)
/* The protocol's limit for the jobs of an interval. */
#define JOIN_MAX_JOBS 250

static json_int_t number(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	const json_t *va = json_object_get(a, key), *vb = json_object_get(b, key);

	return va == vb || json_equal(va, vb) != 0;
}

static void add_to(json_t *sum, const json_t *b, const char *key)
{
	(void)json_object_set_new(sum, key, json_integer(number(sum, key) + number(b, key)));
}

bool energy_join(json_t *first, const json_t *next)
{
	static const char *const labels[] = {"instance", "meter", "source",
					     "scope",    "kind",  "counted"};
	static const char *const sums[] = {"energy_uj", "idle_uj", "system_uj", "gap_ms"};
	json_t *jobs = json_object_get(first, "jobs"), *more = json_object_get(next, "jobs"), *uj;
	const char *key;

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (!same(first, next, labels[i]))
			return false;
	if (number(next, "from_ms") != number(first, "to_ms") ||
	    number(next, "to_ms") - number(first, "from_ms") > JOIN_MAX_MS ||
	    !json_is_object(jobs) || !json_is_object(more) ||
	    json_object_size(jobs) + json_object_size(more) > JOIN_MAX_JOBS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		add_to(first, next, sums[i]);
	(void)json_object_set(first, "to_ms", json_object_get(next, "to_ms"));
	json_object_foreach(more, key, uj) add_to(jobs, more, key);
	return true;
}

/* The i-th's place in the ring. */
static json_t **slot(struct energy_ring *r, size_t i)
{
	return &r->v[(r->head + i) % ENERGY_RING_MAX];
}

/*
 * Joins neighbours of what was not sent yet: each with the next of its meter, once.
 * Returns whether there is room now.
 */
static bool join(struct energy_ring *r)
{
	uint64_t kept = r->sent > r->removed ? r->sent - r->removed : 0;
	size_t first = kept < r->count ? (size_t)kept : r->count, to = first;

	/* Meters alternate: the partner is one of the next few. */
	for (size_t i = first; i < r->count; i++)
		for (size_t k = i + 1; *slot(r, i) && k < r->count && k <= i + JOIN_WITHIN; k++)
			if (*slot(r, k) && energy_join(*slot(r, i), *slot(r, k))) {
				json_decref(*slot(r, k));
				*slot(r, k) = NULL;
				break;
			}
	for (size_t i = first; i < r->count; i++) {
		json_t *one = *slot(r, i);

		*slot(r, i) = NULL;
		if (one)
			*slot(r, to++) = one;
	}
	r->joined = r->joined || to < r->count;
	r->count = to;
	return r->count < ENERGY_RING_MAX;
}

static void push(struct energy_ring *r, json_t *interval)
{
	if (r->count == ENERGY_RING_MAX && !join(r)) {
		json_decref(r->v[r->head]);
		r->head = (r->head + 1) % ENERGY_RING_MAX;
		r->count--;
		r->dropped++;
		r->removed++;
	}
	r->v[(r->head + r->count++) % ENERGY_RING_MAX] = interval;
}

static void load(struct energy_ring *r, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *j = NULL;

		r->lines++;
		if (json_parse(line, strlen(line), INTERVAL_MAX, "energy", &j, NULL) ||
		    !json_is_object(j)) {
			json_decref(j);
			r->dropped++;
			continue;
		}
		push(r, j);
	}
}

int energy_ring_open(const char *path, struct energy_ring **out, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	struct energy_ring *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(e, -ENOMEM, "%s: out of memory", path);
	snprintf(r->path, sizeof(r->path), "%s", path);
	buf_init(&b, FILE_MAX);
	rc = file_read(path, &b, e);
	if (rc && rc != -ENOENT && rc != -EFBIG) {
		free(r);
		return rc;
	}
	r->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r->fd < 0) {
		rc = err_sys(e, -errno, "cannot open %s", path);
		free(r);
		return rc;
	}
	/* What an earlier agent left may have arrived as it is: it is never joined. */
	r->sent = UINT64_MAX;
	if (!rc && b.len)
		load(r, b.data);
	r->sent = r->removed + r->count;
	*out = r;
	return 0;
}

void energy_ring_free(struct energy_ring *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		json_decref(energy_ring_get(r, i));
	close(r->fd);
	free(r);
}

/* Writes the file anew once most of it is behind us. */
static int compact(struct energy_ring *r, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	int rc = 0, fd;

	if (!r->count && !ftruncate(r->fd, 0)) {
		r->lines = 0;
		return 0;
	}
	buf_init(&b, FILE_MAX);
	for (size_t i = 0; i < r->count && !rc; i++) {
		_cleanup_free_ char *line = json_dumps(energy_ring_get(r, i), JSON_COMPACT);

		rc = line ? buf_printf(&b, "%s\n", line) : -ENOMEM;
	}
	if (rc)
		return err_sys(e, rc, "cannot rewrite %s", r->path);
	rc = file_write_atomic(r->path, buf_cstr(&b), b.len, 0600, e);
	if (rc)
		return rc;
	fd = open(r->path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "cannot open %s", r->path);
	close(r->fd);
	r->fd = fd;
	r->joined = false;
	r->lines = r->count;
	return 0;
}

int energy_ring_add(struct energy_ring *r, json_t *interval, struct err *e)
{
	_cleanup_free_ char *line = json_dumps(interval, JSON_COMPACT);
	_cleanup_buf_ struct buf b = {0};
	int rc;

	push(r, interval);
	buf_init(&b, INTERVAL_MAX + 2);
	rc = line ? buf_printf(&b, "%s\n", line) : -ENOMEM;
	if (!rc)
		rc = file_write_all(r->fd, b.data, b.len);
	if (rc)
		return err_sys(e, rc, "cannot append to %s", r->path);
	if (++r->lines > 2 * ENERGY_RING_MAX || r->joined)
		return compact(r, e);
	return 0;
}

size_t energy_ring_count(const struct energy_ring *r)
{
	return r->count;
}

json_t *energy_ring_get(const struct energy_ring *r, size_t i)
{
	return i < r->count ? r->v[(r->head + i) % ENERGY_RING_MAX] : NULL;
}

void energy_ring_ack(struct energy_ring *r, uint64_t upto)
{
	while (r->count && r->removed < upto) {
		json_decref(r->v[r->head]);
		r->head = (r->head + 1) % ENERGY_RING_MAX;
		r->count--;
		r->removed++;
	}
	if (!r->count)
		compact(r, NULL);
}

void energy_ring_sent(struct energy_ring *r, uint64_t upto)
{
	if (upto > r->sent)
		r->sent = upto;
}

uint64_t energy_ring_removed(const struct energy_ring *r)
{
	return r->removed;
}

uint64_t energy_ring_dropped(const struct energy_ring *r)
{
	return r->dropped;
}
