/* See job.h. */
#include "cli/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/id.h"
#include "common/json.h"
#include "common/paths.h"

#define AWAY_MAX_S 60

static int find_bundle(const char *name, char *out, size_t size, struct err *e)
{
	char lib[512];

	if (!access(name, R_OK)) {
		(void)snprintf(out, size, "%s", name);
		return 0;
	}
	if (!strchr(name, '/') && !paths_libdir(lib, sizeof(lib)) &&
	    (size_t)snprintf(out, size, "%s/workloads/%s", lib, name) < size && !access(out, R_OK))
		return 0;
	err_sys(e, -ENOENT, "cannot read bundle %s", name);
	err_hint(e, "give the path of a program built by drover-cc, or the name of a "
		    "workload (drover-ep, drover-is)");
	return -ENOENT;
}

static int upload(struct cli *c, const struct cli_bundle *b, struct err *e)
{
	_cleanup_close_ int fd = open(b->path, O_RDONLY | O_CLOEXEC);
	_cleanup_answer_ struct http_answer a = {0};
	struct stat st;
	char path[128];
	struct http_request r = {.method = "PUT",
				 .path = path,
				 .body_fd = fd,
				 .content_type = "application/octet-stream",
				 .stall_ms = 30000};
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return err_sys(e, -errno, "cannot read bundle %s", b->path);
	r.body_len = (size_t)st.st_size;
	(void)snprintf(path, sizeof(path), "/v1/bundles/%s", b->sha256);
	rc = http_do(c->http, &r, &a, e);
	if (!rc)
		rc = http_check(&a, e);
	return rc ? err_wrap(e, "uploading %s", b->path) : 0;
}

static int name_bundle(const char *name, struct cli_bundle *b, struct err *e)
{
	uint8_t sum[DIGEST_SIZE];
	int rc = find_bundle(name, b->path, sizeof(b->path), e);

	if (rc)
		return rc;
	rc = digest_file(b->path, sum);
	if (rc)
		return err_sys(e, rc, "cannot take the hash of %s", b->path);
	digest_hex(sum, b->sha256);
	return 0;
}

int cli_bundle_hash(const char *name, char sha256[65], struct err *e)
{
	struct cli_bundle b;
	int rc = name_bundle(name, &b, e);

	if (!rc)
		memcpy(sha256, b.sha256, sizeof(b.sha256));
	return rc;
}

int cli_bundle_ensure(struct cli *c, const char *name, struct cli_bundle *b, struct err *e)
{
	char path[128];
	int rc = name_bundle(name, b, e);

	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "/v1/bundles/%s/info", b->sha256);
	rc = cli_json(c, "GET", path, NULL, NULL, e);
	if (rc != -ENOENT)
		return rc;
	err_clear(e);
	return upload(c, b, e);
}

int cli_job_submit(struct cli *c, const json_t *body, json_t **out, struct err *e)
{
	_cleanup_free_ char *text = json_dumps(body, JSON_COMPACT);
	char key[33], header[64];
	struct http_request r = {.method = "POST", .path = "/v1/jobs", .body = text};
	int rc;

	if (!text || id_random(key, sizeof(key), 16))
		return err_set(e, -ENOMEM, "no room for the submission");
	r.body_len = strlen(text);
	(void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
	r.headers[0] = header;
	for (int attempt = 1;; attempt++) {
		_cleanup_answer_ struct http_answer a = {0};
		struct timespec ts = {.tv_sec = 0};

		err_clear(e);
		rc = http_do(c->http, &r, &a, e);
		if (!rc)
			rc = http_check(&a, e);
		if (!rc)
			return json_parse(a.body.data, a.body.len, a.body.max, "the new job", out,
					  e);
		/* The key makes it safe to ask again when the answer got lost. */
		if ((rc != -ECONNREFUSED && rc != -EPIPE && rc != -ETIMEDOUT) || attempt == 6)
			return rc;
		ts.tv_nsec = (long)http_backoff_ms((unsigned int)attempt, 0) * 1000000L;
		if (ts.tv_nsec >= 1000000000L)
			ts.tv_nsec = 999999999L;
		(void)nanosleep(&ts, NULL);
	}
}

bool cli_job_ended(const json_t *job)
{
	const char *s = json_string_value(json_object_get(job, "state"));

	return s && strcmp(s, "PENDING") != 0 && strcmp(s, "RUNNING") != 0 &&
	       strcmp(s, "MIGRATING") != 0;
}

int cli_job_wait(struct cli *c, const char *id, json_t **out, struct err *e)
{
	const struct timespec step = {.tv_sec = 0, .tv_nsec = 100000000};
	time_t away = 0;
	char path[96];

	(void)snprintf(path, sizeof(path), "/v1/jobs/%.60s", id);
	for (;;) {
		_cleanup_json_ json_t *j = NULL;
		int rc;

		err_clear(e);
		rc = cli_json(c, "GET", path, NULL, &j, e);
		if (!rc && cli_job_ended(j)) {
			*out = json_incref(j);
			return 0;
		}
		if (!rc)
			away = 0;
		else if (rc != -ECONNREFUSED && rc != -EPIPE && rc != -ETIMEDOUT)
			return rc;
		else if (!away)
			away = time(NULL);
		else if (time(NULL) - away > AWAY_MAX_S)
			return rc;
		(void)nanosleep(&step, NULL);
	}
}
