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

struct energy_ring {
	char path[512];
	int fd;
	size_t lines; /* in the file, acknowledged ones included */
	json_t *v[ENERGY_RING_MAX];
	size_t head, count;
	uint64_t dropped; /* in all, since the agent started */
	uint64_t removed; /* ever taken off the front */
};

static void push(struct energy_ring *r, json_t *interval)
{
	if (r->count == ENERGY_RING_MAX) {
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
	if (!rc && b.len)
		load(r, b.data);
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
	if (++r->lines > 2 * ENERGY_RING_MAX)
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

uint64_t energy_ring_removed(const struct energy_ring *r)
{
	return r->removed;
}

uint64_t energy_ring_dropped(const struct energy_ring *r)
{
	return r->dropped;
}
