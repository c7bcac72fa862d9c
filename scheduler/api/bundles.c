/*
 * Bundles: content-addressed, checked when they come in.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/digest.h"
#include "scheduler/api/bundle_check.h"
#include "scheduler/api/handlers.h"
#include "scheduler/api/render.h"

/* The digest a path names, in lower case; a 400 has been given if false. */
static bool get_sha(struct http_exchange *rq, char sha[DIGEST_HEX_SIZE])
{
	uint8_t raw[DIGEST_SIZE];

	if (digest_parse(http_param(rq, "sha"), raw)) {
		http_reply_problem(rq, 400, "a bundle is named by its SHA-256 in 64 hex digits",
				   NULL);
		return false;
	}
	digest_hex(raw, sha);
	return true;
}

static int check_digest(int fd, const char *sha, struct err *e)
{
	uint8_t raw[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];
	int r = digest_fd(fd, raw);

	if (r)
		return err_sys(e, r, "can't hash the upload");
	digest_hex(raw, hex);
	if (strcmp(hex, sha))
		return err_set(e, -EBADMSG, "the bundle's SHA-256 is %s, not %s", hex, sha);
	return 0;
}

void handle_put_bundle(struct http_exchange *rq, void *ctx)
{
	struct bundle_record b = {0}, old;
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	bool known;
	int fd, r;

	if (!get_sha(rq, b.sha))
		return;
	fd = http_body_fd(rq, &b.size);
	r = fd < 0 ? err_sys(&e, fd, "can't read the upload") : check_digest(fd, b.sha, &e);
	if (!r)
		r = bundle_check(fd, &b, &e);
	b.created_ms = engine_now_ms();
	if (r || engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	known = !store_bundle(en->store, b.sha, &old, NULL);
	if (known)
		b.created_ms = old.created_ms;
	/* Written again even if known: that repairs a file that was lost. */
	if (store_add_bundle(en->store, &b, fd, &e))
		http_reply_err(rq, &e);
	else
		http_reply_json(rq, known ? 200 : 201, render_bundle(&b));
	engine_unlock(en);
}

static void add_bundle(const struct bundle_record *b, void *arg)
{
	(void)json_array_append_new(arg, render_bundle(b));
}

void handle_bundles(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	json_t *list;

	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	list = json_array();
	if (store_bundles(en->store, add_bundle, list, &e)) {
		json_decref(list);
		http_reply_err(rq, &e);
	} else {
		http_reply_json(rq, 200, json_pack("{s:o}", "bundles", list));
	}
	engine_unlock(en);
}

void handle_get_bundle(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct err e = ERR_INIT;
	char sha[DIGEST_HEX_SIZE];
	struct stat sb;
	int fd;

	if (!get_sha(rq, sha))
		return;
	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	fd = store_open_bundle(en->store, sha, &e);
	engine_unlock(en);
	if (fd >= 0 && fstat(fd, &sb)) {
		err_sys(&e, -errno, "can't read the bundle");
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		http_reply_err(rq, &e);
	else
		http_reply_fd(rq, 200, "application/octet-stream", fd, 0, (uint64_t)sb.st_size);
}

void handle_bundle_info(struct http_exchange *rq, void *ctx)
{
	struct engine *en = ctx;
	struct bundle_record b;
	struct err e = ERR_INIT;
	char sha[DIGEST_HEX_SIZE];
	json_t *o;
	int fd;

	if (!get_sha(rq, sha))
		return;
	if (engine_lock(en, &e)) {
		http_reply_err(rq, &e);
		return;
	}
	fd = store_bundle(en->store, sha, &b, &e) ? -1 : store_open_bundle(en->store, sha, &e);
	engine_unlock(en);
	if (fd < 0) {
		http_reply_err(rq, &e);
		return;
	}
	o = render_bundle(&b);
	if (bundle_describe(fd, o, &e)) {
		json_decref(o);
		http_reply_err(rq, &e);
	} else {
		http_reply_json(rq, 200, o);
	}
	close(fd);
}
