/*
 * The thread that downloads bundles: by hash, checked, kept in the state
 * directory under the hash as name. A file there is complete and right, because
 * it is checked before it gets that name.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/node.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/file.h"
#include "common/log.h"

#define BUNDLE_MAX (256u << 20)

struct sink {
	int fd;
	struct digest *digest;
};

static int on_data(void *arg, const char *data, size_t len)
{
	struct sink *s = arg;

	if (digest_update(s->digest, data, len))
		return -EIO;
	return file_write_all(s->fd, data, len);
}

static int download(struct http_client *c, const char *sha, const char *tmp, struct err *e)
{
	_cleanup_answer_ struct http_answer a = {0};
	_cleanup_close_ int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct sink s = {.fd = fd, .digest = digest_new()};
	char path[96], hex[DIGEST_HEX_SIZE] = "";
	uint8_t sum[DIGEST_SIZE];
	struct http_request r = {.method = "GET",
				 .path = path,
				 .stall_ms = 30000,
				 .max_answer = BUNDLE_MAX,
				 .sink = on_data,
				 .sink_arg = &s};
	int rc;

	if (fd < 0 || !s.digest) {
		rc = err_sys(e, fd < 0 ? -errno : -ENOMEM, "cannot make %s", tmp);
		digest_free(s.digest);
		return rc;
	}
	snprintf(path, sizeof(path), "/v1/bundles/%s", sha);
	rc = http_do(c, &r, &a, e);
	if (!rc)
		rc = http_check(&a, e);
	if (!rc && (rc = digest_final(s.digest, sum)))
		err_set(e, rc, "cannot take the hash of bundle %s", sha);
	digest_free(s.digest);
	if (rc)
		return rc;
	digest_hex(sum, hex);
	if (strcmp(hex, sha) != 0)
		return err_set(e, -EBADMSG, "bundle %s arrived with hash %s", sha, hex);
	if (fchmod(fd, 0700) || fsync(fd))
		return err_sys(e, -errno, "cannot write %s", tmp);
	return 0;
}

static int fetch_bundle(struct node *n, struct http_client *c, const char *sha, struct err *e)
{
	char tmp[320], path[320];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", n->bundles_dir, sha);
	snprintf(tmp, sizeof(tmp), "%s/.%s.part", n->bundles_dir, sha);
	if (!access(path, R_OK))
		return 0;
	rc = download(c, sha, tmp, e);
	if (!rc && rename(tmp, path))
		rc = err_sys(e, -errno, "cannot rename %s", tmp);
	if (rc)
		unlink(tmp);
	return rc;
}

/* Jobs that wait for a bundle that will never come can't start. Main notices the state. */
static void give_up(struct node *n, const char *sha, const struct err *e)
{
	char why[REASON_MAX];

	snprintf(why, sizeof(why), "bundle: %.200s", e->msg);
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->nentries; i++) {
		struct entry *en = n->entries[i];

		if (en && en->job.state == JOB_NEW && !strcmp(en->job.bundle, sha)) {
			entry_over(en, JOB_FAILED, why);
			node_changed(n);
		}
	}
	pthread_mutex_unlock(&n->lock);
}

static void done(struct node *n, const char *sha)
{
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < n->nfetch; i++)
		if (!strcmp(n->fetch[i], sha)) {
			memmove(n->fetch[i], n->fetch[i + 1], (n->nfetch - i - 1) * SHA256_HEX);
			n->nfetch--;
			break;
		}
	pthread_mutex_unlock(&n->lock);
	node_wake(n);
}

/* Worth trying again: the scheduler could not be asked, as opposed to having said no. */
static bool passing(int rc)
{
	return rc == -ECONNREFUSED || rc == -ETIMEDOUT || rc == -EPIPE || rc == -EAGAIN ||
	       rc == -EIO;
}

void *fetch_thread(void *arg)
{
	struct node *n = arg;
	struct err e = ERR_INIT;
	struct http_client *c = http_client_new(n->opt.server, &e);
	unsigned int failures = 0;

	if (!c) {
		log_err(LOG_LEVEL_ERROR, "fetch", &e);
		return NULL;
	}
	http_client_stop_on(c, &n->stop);
	while (!atomic_load(&n->stop)) {
		char sha[SHA256_HEX] = "";
		int rc;

		pthread_mutex_lock(&n->lock);
		if (!n->nfetch)
			node_wait(n, 1000);
		if (n->nfetch)
			memcpy(sha, n->fetch[0], SHA256_HEX);
		pthread_mutex_unlock(&n->lock);
		if (!sha[0])
			continue;
		err_clear(&e);
		rc = fetch_bundle(n, c, sha, &e);
		if (rc == -ECANCELED)
			break;
		if (rc && passing(rc) && failures < 20) {
			failures++;
			node_pause(n, http_backoff_ms(failures, failures * 2654435761u));
			continue;
		}
		failures = 0;
		if (rc) {
			log_err(LOG_LEVEL_ERROR, "bundle.not-fetched", &e);
			give_up(n, sha, &e);
		} else {
			log_info("bundle.fetched sha256=%s", sha);
		}
		done(n, sha);
	}
	http_client_free(c);
	return NULL;
}
