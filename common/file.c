#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int file_read_fd(int fd, const char *name, struct buf *b, struct err *e)
{
	for (;;) {
		size_t want = 65536;
		void *room;
		ssize_t n;
		int r;

		if (b->len >= b->max) {
			char c;

			/* Full: fine if, and only if, the file ends here. */
			n = read(fd, &c, 1);
			if (n == 0)
				return 0;
			if (n > 0)
				return err_set(e, -EFBIG, "%s is larger than %zu bytes", name,
					       b->max);
			if (errno == EINTR)
				continue;
			return err_sys(e, -errno, "cannot read %s", name);
		}
		if (want > b->max - b->len)
			want = b->max - b->len;
		r = buf_reserve(b, want, &room);
		if (r < 0)
			return err_sys(e, r, "cannot read %s", name);
		n = read(fd, room, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, -errno, "cannot read %s", name);
		buf_added(b, (size_t)n);
		if (n == 0)
			return 0;
	}
}

int file_read(const char *path, struct buf *b, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, -errno, "cannot open %s", path);
	return file_read_fd(fd, path, b, e);
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_read_all(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_pread_all(int fd, void *data, size_t len, off_t offset)
{
	char *p = data;

	while (len) {
		ssize_t n = pread(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_copy(int in, int out, uint64_t len)
{
	char chunk[65536];

	while (len) {
		size_t n = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);
		int r = file_read_all(in, chunk, n);

		if (r == 0)
			r = file_write_all(out, chunk, n);
		if (r < 0)
			return r;
		len -= n;
	}
	return 0;
}

/* A rename is durable once its directory is on disk. */
static int fsync_parent(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	_cleanup_close_ int fd = -1;
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash == dir)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	char tmp[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= (int)sizeof(tmp))
		return err_sys(e, -ENAMETOOLONG, "cannot write %s", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "cannot create %s", tmp);
	r = file_write_all(fd, data, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0))
		r = -errno;
	if (r < 0) {
		(void)unlink(tmp);
		return err_sys(e, r, "cannot write %s", path);
	}
	r = fsync_parent(path);
	return r < 0 ? err_sys(e, r, "cannot make %s durable", path) : 0;
}

int file_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int r = fd < 0 ? -errno : file_write_all(fd, data, len);

	return r < 0 ? err_sys(e, r, "cannot write %s", path) : 0;
}

int file_mkdir_p(const char *path, mode_t mode, struct err *e)
{
	char p[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;

	if (len == 0 || len >= sizeof(p))
		return err_sys(e, -ENAMETOOLONG, "cannot create directory %s", path);
	memcpy(p, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (p[i] != '/' && p[i] != '\0')
			continue;
		p[i] = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return err_sys(e, -errno, "cannot create directory %s", p);
		if (i < len)
			p[i] = '/';
	}
	if (stat(path, &st) < 0)
		return err_sys(e, -errno, "cannot create directory %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_sys(e, -ENOTDIR, "cannot create directory %s", path);
	return 0;
}

static int remove_at(int at, const char *name, unsigned int depth)
{
	_cleanup_close_ int fd = -1;
	struct dirent *d;
	int r = 0;
	DIR *dir;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(&fd);
	while (r == 0 && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			r = remove_at(dirfd(dir), d->d_name, depth - 1);
	(void)closedir(dir);
	if (r == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

int file_remove_tree(const char *path, struct err *e)
{
	int r = remove_at(AT_FDCWD, path, 64);

	return r < 0 ? err_sys(e, r, "cannot remove %s", path) : 0;
}

int file_temp_dir(const char *prefix, char *path, size_t size, struct err *e)
{
	const char *tmp = getenv("TMPDIR");

	if (snprintf(path, size, "%s/%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", prefix) >= (int)size)
		return err_sys(e, -ENAMETOOLONG, "cannot create a temporary directory");
	if (!mkdtemp(path))
		return err_sys(e, -errno, "cannot create the directory %s", path);
	return 0;
}

int file_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int file_unnamed(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int fd, n;

	if (!dir)
		return file_memfd(name);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	/* A file system without O_TMPFILE. */
	n = snprintf(path, sizeof(path), "%s/%s.XXXXXX", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)unlink(path);
	return fd;
}

int file_join(char *out, size_t size, const char *dir, const char *name)
{
	int n = snprintf(out, size, "%s/%s", dir, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int file_set_cloexec(int fd, int on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

int file_set_nonblock(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}
