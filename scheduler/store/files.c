/*
 * Bundles and logs: files below the state directory, indexed by the database
 * (bundles) or by their names (logs).
 */
#include "scheduler/store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

/* ---- bundles ------------------------------------------------------------ */

static int bundle_path(const struct sqlite_store *s, const char *sha, const char *suffix, char *out,
		       size_t size, struct err *e)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "bundles/%.64s%s", sha, suffix);
	return store_path(s, name, out, size, e);
}

/* A new file, whole and on the disk, or none. */
static int copy_in(const char *tmp, const char *path, const char *dir, int fd, uint64_t size,
		   struct err *e)
{
	_cleanup_close_ int out = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (out < 0 || dir_fd < 0)
		return err_sys(e, -errno, "can't write %s", tmp);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, -errno, "can't read the upload");
	r = file_copy(fd, out, size);
	if (!r && (fsync(out) || rename(tmp, path) || fsync(dir_fd)))
		r = -errno;
	if (r) {
		(void)unlink(tmp);
		err_sys(e, r, "can't keep the bundle as %s", path);
		if (r == -ENOSPC)
			err_hint(e, "make room on that file system");
	}
	return r;
}

int sqlite_add_bundle(struct store *base, const struct bundle_record *b, int fd, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	char path[4096], tmp[4096], dir[4096];
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = bundle_path(s, b->sha, "", path, sizeof(path), e);

	if (!r)
		r = bundle_path(s, b->sha, ".new", tmp, sizeof(tmp), e);
	if (!r)
		r = store_path(s, "bundles", dir, sizeof(dir), e);
	if (!r)
		r = copy_in(tmp, path, dir, fd, b->size, e);
	/* The file first: a row without its file would promise what isn't there. */
	if (!r)
		r = table_prepare_upsert(s->db, &table_bundles, &st, e);
	if (!r)
		r = table_write(st, &table_bundles, b, e);
	return r;
}

int sqlite_bundle(struct store *base, const char *sha, struct bundle_record *out, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_bundles, "WHERE sha = ?", &st, e), step;

	memset(out, 0, sizeof(*out));
	if (r)
		return r;
	(void)sqlite3_bind_text(st, 1, sha, -1, SQLITE_STATIC);
	step = sqlite3_step(st);
	if (step == SQLITE_DONE) {
		err_set(e, -ENOENT, "there is no bundle %.64s", sha);
		(void)err_hint(e, "upload it with PUT /v1/bundles/%.64s", sha);
		return -ENOENT;
	}
	return step == SQLITE_ROW ? table_read(st, &table_bundles, out)
				  : db_error(s->db, e, "reading a bundle's entry");
}

int sqlite_bundles(struct store *base, void (*fn)(const struct bundle_record *b, void *arg),
		   void *arg, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = table_prepare_select(s->db, &table_bundles, "ORDER BY created_ms, sha", &st, e),
	    step;

	if (r)
		return r;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct bundle_record b = {0};

		r = table_read(st, &table_bundles, &b);
		if (r)
			return r;
		fn(&b, arg);
	}
	return step == SQLITE_DONE ? 0 : db_error(s->db, e, "reading the bundles");
}

int sqlite_open_bundle(struct store *base, const char *sha, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	struct bundle_record b;
	char path[4096];
	int r = sqlite_bundle(&s->base, sha, &b, e), fd;

	if (!r)
		r = bundle_path(s, sha, "", path, sizeof(path), e);
	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, -errno, "can't open %s", path) : fd;
}

/* ---- logs --------------------------------------------------------------- */

static int log_path(const struct sqlite_store *s, uint64_t job, uint32_t attempt, bool make,
		    char *out, size_t size, struct err *e)
{
	char name[96];
	int r;

	(void)snprintf(name, sizeof(name), "logs/%" PRIu64, job / 1000);
	r = store_path(s, name, out, size, e);
	if (!r && make)
		r = file_mkdir_p(out, 0700, e);
	(void)snprintf(name, sizeof(name), "logs/%" PRIu64 "/%" PRIu64 ".%" PRIu32, job / 1000, job,
		       attempt);
	return r ? r : store_path(s, name, out, size, e);
}

uint64_t sqlite_log_size(struct store *base, uint64_t job, uint32_t attempt)
{
	struct sqlite_store *s = sqlite_of(base);
	struct stat sb;
	char path[4096];

	if (log_path(s, job, attempt, false, path, sizeof(path), NULL) || stat(path, &sb))
		return 0;
	return (uint64_t)sb.st_size;
}

int sqlite_append_log(struct store *base, uint64_t job, uint32_t attempt, uint64_t offset,
		      const void *data, size_t len, uint64_t *held, struct err *e)
{
	struct sqlite_store *s = sqlite_of(base);
	_cleanup_close_ int fd = -1;
	struct stat sb;
	char path[4096];
	uint64_t have, skip;
	int r = log_path(s, job, attempt, true, path, sizeof(path), e);

	*held = 0;
	if (r)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &sb))
		return err_sys(e, -errno, "can't open %s", path);
	have = *held = (uint64_t)sb.st_size;
	if (offset > have)
		return err_set(e, -ERANGE, "the log holds %" PRIu64 " bytes, not %" PRIu64, have,
			       offset);
	skip = have - offset;
	if (skip >= len)
		return 0;
	r = file_write_all(fd, (const char *)data + skip, len - (size_t)skip);
	if (!r && fdatasync(fd))
		r = -errno;
	if (r) {
		/* Half a piece would be taken for a whole one at the next try. */
		(void)!ftruncate(fd, (off_t)have);
		err_sys(e, r, "can't append to %s", path);
		if (r == -ENOSPC)
			err_hint(e, "make room on that file system");
		return r;
	}
	*held = offset + len;
	return 0;
}

int sqlite_open_log(struct store *base, uint64_t job, uint32_t attempt)
{
	struct sqlite_store *s = sqlite_of(base);
	char path[4096];
	int fd;

	if (log_path(s, job, attempt, false, path, sizeof(path), NULL))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
