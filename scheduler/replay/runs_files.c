/* The replays on disk: a document each, and a folder of results. */
#include "scheduler/replay/runs_private.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

int runs_path(const struct runs *r, char *out, size_t size, uint64_t number, const char *rest)
{
	int n = snprintf(out, size, "%s/r%" PRIu64 "%s", r->cfg.dir, number, rest);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int runs_write_json(const char *path, const json_t *doc, struct err *e)
{
	_cleanup_free_ char *text = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(12));

	return text ? file_write_atomic(path, text, strlen(text), 0600, e)
		    : err_set(e, -ENOMEM, "no memory for %s", path);
}

int runs_save(const struct runs *r, const struct run *k, struct err *e)
{
	char path[PATH_MAX];

	if (runs_path(r, path, sizeof(path), k->number, ".json"))
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	return runs_write_json(path, k->doc, e);
}

void runs_delete_files(const struct runs *r, uint64_t number)
{
	struct err e = ERR_INIT;
	char path[PATH_MAX];

	if (!runs_path(r, path, sizeof(path), number, ".json"))
		(void)unlink(path);
	if (!runs_path(r, path, sizeof(path), number, ""))
		(void)file_remove_tree(path, &e);
}

void runs_insert(struct runs *r, struct run *k)
{
	struct run **at = &r->all;

	while (*at && (*at)->number > k->number)
		at = &(*at)->next;
	k->next = *at;
	*at = k;
	if (k->number >= r->next)
		r->next = k->number + 1;
}

static void load_one(struct runs *r, const char *name)
{
	_cleanup_buf_ struct buf b = {0};
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	uint64_t number;
	int end = 0;
	struct run *k;
	json_t *doc = NULL;

	if (sscanf(name, "r%" SCNu64 ".json%n", &number, &end) != 1 || name[end] || !end)
		return;
	buf_init(&b, RUNS_FILE_MAX);
	if (runs_path(r, path, sizeof(path), number, ".json") || file_read(path, &b, &e) ||
	    json_parse(buf_cstr(&b), b.len, RUNS_FILE_MAX, path, &doc, &e)) {
		log_warn("replay.unreadable file=%s reason=\"%s\"", path, e.msg);
		return;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		json_decref(doc);
		return;
	}
	k->number = number;
	k->doc = doc;
	k->ended = strcmp(runs_text(doc, "state"), "RUNNING") != 0;
	runs_insert(r, k);
}

int runs_load(struct runs *r, struct err *e)
{
	struct dirent *d;
	DIR *dir;
	int rc = file_mkdir_p(r->cfg.dir, 0700, e);

	if (!rc)
		rc = file_mkdir_p(r->cfg.traces, 0700, e);
	if (rc)
		return rc;
	dir = opendir(r->cfg.dir);
	if (!dir)
		return err_sys(e, -errno, "cannot read %s", r->cfg.dir);
	while ((d = readdir(dir)))
		load_one(r, d->d_name);
	(void)closedir(dir);
	return 0;
}
