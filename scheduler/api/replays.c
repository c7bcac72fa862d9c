/*
 * Replays and their traces over REST; scheduler/replay/runs.h carries them out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/token.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/parse.h"
#include "scheduler/api/replays.h"
#include "scheduler/replay/request.h"
#include "scheduler/replay/runs.h"

#define SERIES_POINTS 500
#define SERIES_MAX    5000
#define FILE_MAX      (16u << 20)
#define TRACE_JSON    4096

struct replays {
	struct runs *runs;
	char dir[PATH_MAX], traces[PATH_MAX];
};

static void publish(void *arg, json_t *replay)
{
	struct engine *en = arg;
	struct err e = ERR_INIT;

	if (engine_lock(en, &e)) {
		json_decref(replay);
		return;
	}
	events_add(en, "replay", replay);
	if (en->http)
		http_server_wake(en->http, CHANNEL_EVENTS);
	engine_unlock(en);
}

int replays_new(struct replays **out, struct engine *en, const char *state_dir, struct err *e)
{
	struct replays *r = calloc(1, sizeof(*r));
	struct runs_config cfg;
	int rc;

	*out = NULL;
	if (!r)
		return err_set(e, -ENOMEM, "no memory for the replays");
	if (file_join(r->dir, sizeof(r->dir), state_dir, "replays") ||
	    file_join(r->traces, sizeof(r->traces), state_dir, "traces")) {
		free(r);
		return err_set(e, -ENAMETOOLONG, "the state directory's name is too long");
	}
	cfg = (struct runs_config){r->dir, r->traces, publish, en};
	rc = runs_new(&r->runs, &cfg, e);
	if (rc)
		free(r);
	else
		*out = r;
	return rc;
}

void replays_free(struct replays *r)
{
	if (!r)
		return;
	runs_free(r->runs);
	free(r);
}

/* ---- replays ------------------------------------------------------------ */

void handle_add_replay(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err_fields fields = {0};
	struct err e = ERR_INIT;
	_cleanup_json_ json_t *doc = NULL;
	json_t *replay = NULL;
	char where[96];
	size_t len;
	const void *body = http_body(rq, &len);
	int r;

	e.fields = &fields;
	r = json_parse(body, len, PARSE_BODY_MAX, "the replay", &doc, &e);
	if (!r)
		r = runs_add(en->replays->runs, doc, http_principal(rq)->name, &replay, &e);
	if (r) {
		if (r == -ENOENT)
			e.code = -EBADMSG; /* of what the request names, not of its own path */
		http_reply_err(rq, &e);
		return;
	}
	(void)snprintf(where, sizeof(where), "/v1/replays/%.40s",
		       json_string_value(json_object_get(replay, "id")));
	http_add_header(rq, "Location", where);
	http_reply_json(rq, 202, replay);
}

void handle_replays(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;

	http_reply_json(rq, 200, json_pack("{s:o}", "replays", runs_list(en->replays->runs)));
}

void handle_replay(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	json_t *doc = runs_get(en->replays->runs, http_param(rq, "id"));

	if (doc)
		http_reply_json(rq, 200, doc);
	else
		http_reply_problem(rq, 404, "there is no such replay", NULL);
}

void handle_remove_replay(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	const struct http_principal *p = http_principal(rq);
	struct err e = ERR_INIT;

	if (runs_remove(en->replays->runs, http_param(rq, "id"),
			p->role == ROLE_USER ? p->name : NULL, &e))
		http_reply_err(rq, &e);
	else
		http_reply_empty(rq, 204);
}

/* A file of one policy's results; -1: an error was replied. */
static int open_result(struct http_exchange *rq, struct engine *en, const char *suffix)
{
	const char *policy = http_query(rq, "policy");
	struct err e = ERR_INIT;
	int fd;

	if (!policy) {
		http_reply_problem(rq, 400, "policy= is missing: which of the replay's results?",
				   NULL);
		return -1;
	}
	fd = runs_open(en->replays->runs, http_param(rq, "id"), policy, suffix, &e);
	if (fd < 0)
		http_reply_err(rq, &e);
	return fd;
}

static void reply_file(struct http_exchange *rq, struct engine *en, const char *suffix,
		       const char *type)
{
	int fd = open_result(rq, en, suffix);
	struct stat sb;

	if (fd < 0)
		return;
	if (fstat(fd, &sb)) {
		(void)close(fd);
		http_reply_problem(rq, 500, "the result cannot be read", NULL);
		return;
	}
	http_reply_fd(rq, 200, type, fd, 0, (uint64_t)sb.st_size);
}

/* Groups of points become one, their mean; the last group may be shorter. */
static json_t *thin(const json_t *points, size_t max)
{
	size_t n = json_array_size(points), group = (n + max - 1) / max;
	json_t *out = json_array();

	for (size_t i = 0; out && i < n; i += group) {
		double sum[4] = {0}, count = 0;

		for (size_t k = i; k < n && k < i + group; k++, count++)
			for (size_t c = 0; c < 4; c++)
				sum[c] += json_number_value(
					json_array_get(json_array_get(points, k), c));
		(void)json_array_append_new(
			out, json_pack("[O, f, f, f]", json_array_get(json_array_get(points, i), 0),
				       sum[1] / count, sum[2] / count, sum[3] / count));
	}
	return out;
}

void handle_replay_series(struct http_exchange *rq, void *ctx)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_close_ int fd = -1;
	_cleanup_json_ json_t *doc = NULL;
	struct err e = ERR_INIT;
	uint64_t points;

	if (http_query_u64(rq, "points", SERIES_POINTS, SERIES_MAX, &points, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	fd = open_result(rq, ctx, "series.json");
	if (fd < 0)
		return;
	buf_init(&b, FILE_MAX);
	if (file_read_fd(fd, "the series", &b, &e) ||
	    json_parse(buf_cstr(&b), b.len, FILE_MAX, "the series", &doc, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	if (points && json_array_size(json_object_get(doc, "points")) > points)
		(void)json_object_set_new(doc, "points",
					  thin(json_object_get(doc, "points"), points));
	http_reply_json(rq, 200, json_incref(doc));
}

void handle_replay_waits(struct http_exchange *rq, void *ctx)
{
	reply_file(rq, ctx, "waits.json", "application/json");
}

void handle_replay_csv(struct http_exchange *rq, void *ctx)
{
	const char *table = http_query(rq, "table");
	char suffix[32];

	for (int t = 0; t < REPLAY_TABLES; t++)
		if (table && !strcmp(table, replay_table_names[t])) {
			(void)snprintf(suffix, sizeof(suffix), "%s.csv", table);
			reply_file(rq, ctx, suffix, "text/csv; charset=utf-8");
			return;
		}
	http_reply_problem(rq, 400, "table= is jobs, schedule, nodes or power", NULL);
}

/* ---- traces ------------------------------------------------------------- */

static int describe(const char *path, const char *sha, json_t **out, struct err *e)
{
	struct trace t;
	struct stat sb;
	int r = trace_load(path, TRACE_AUTO, &t, e);

	if (r)
		return r;
	if (stat(path, &sb))
		r = err_sys(e, -errno, "cannot read the trace");
	else
		*out = json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", sha, "sha256", sha, "format",
				 trace_form_names[t.form], "jobs", (json_int_t)t.njobs, "bytes",
				 (json_int_t)sb.st_size);
	trace_free(&t);
	return r ? r : *out ? 0 : err_set(e, -ENOMEM, "no memory");
}

static int keep_trace(const struct replays *r, int fd, uint64_t size, const char *sha, json_t **out,
		      struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX + 80], tmp[PATH_MAX + 84], meta[PATH_MAX + 88];
	int to, rc;

	(void)snprintf(path, sizeof(path), "%s/%s", r->traces, sha);
	(void)snprintf(tmp, sizeof(tmp), "%s.new", path);
	(void)snprintf(meta, sizeof(meta), "%s.json", path);
	to = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return err_sys(e, -errno, "cannot keep the trace");
	rc = lseek(fd, 0, SEEK_SET) < 0 ? -errno : file_copy(fd, to, size);
	if (!rc && fsync(to))
		rc = -errno;
	(void)close(to);
	if (rc)
		err_sys(e, rc, "cannot keep the trace");
	else
		rc = describe(tmp, sha, out, e);
	if (!rc && !(text = json_dumps(*out, JSON_COMPACT)))
		rc = err_set(e, -ENOMEM, "no memory");
	if (!rc)
		rc = file_write_atomic(meta, text, strlen(text), 0600, e);
	if (!rc && rename(tmp, path))
		rc = err_sys(e, -errno, "cannot keep the trace");
	if (rc) {
		(void)unlink(tmp);
		json_decref(*out);
		*out = NULL;
	}
	return rc;
}

void handle_put_trace(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	uint8_t raw[DIGEST_SIZE], got[DIGEST_SIZE];
	char sha[DIGEST_HEX_SIZE];
	struct err e = ERR_INIT;
	json_t *out = NULL;
	uint64_t size;
	int fd, r;

	if (digest_parse(http_param(rq, "sha"), raw)) {
		http_reply_problem(rq, 400, "a trace is named by its SHA-256 in 64 hex digits",
				   NULL);
		return;
	}
	digest_hex(raw, sha);
	fd = http_body_fd(rq, &size);
	r = fd < 0 ? err_sys(&e, fd, "can't read the upload") : digest_fd(fd, got);
	if (!r && memcmp(raw, got, sizeof(raw)) != 0)
		r = err_set(&e, -EBADMSG, "the upload's SHA-256 is another one");
	if (!r)
		r = keep_trace(en->replays, fd, size, sha, &out, &e);
	if (r == -EINVAL || r == -EIO)
		e.code = -EBADMSG; /* its content is wrong: 422 */
	if (r)
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, 201, out);
}

static void add_uploaded(json_t *list, const char *dir, const char *name)
{
	_cleanup_buf_ struct buf b = {0};
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	json_t *doc;

	buf_init(&b, TRACE_JSON);
	if (strlen(name) == DIGEST_HEX_SIZE - 1 + 5 && !file_join(path, sizeof(path), dir, name) &&
	    !file_read(path, &b, &e) &&
	    !json_parse(buf_cstr(&b), b.len, TRACE_JSON, name, &doc, &e))
		(void)json_array_append_new(list, doc);
}

void handle_traces(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	json_t *list = json_array();
	DIR *dir = opendir(en->replays->traces);
	struct dirent *d;

	for (int i = 0; list && request_made_traces[i]; i++)
		(void)json_array_append_new(list, json_pack("{s:s, s:n, s:s, s:n, s:n}", "name",
							    request_made_traces[i], "sha256",
							    "format", "waves", "jobs", "bytes"));
	while (list && dir && (d = readdir(dir)))
		if (strstr(d->d_name, ".json"))
			add_uploaded(list, en->replays->traces, d->d_name);
	if (dir)
		(void)closedir(dir);
	http_reply_json(rq, 200, json_pack("{s:o}", "traces", list));
}
