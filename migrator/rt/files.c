/*
 * Descriptors of the program. The table says which numbers are the program's, and which share one
 * open file description; what they refer to is asked of the kernel when a capture is made, before
 * anything is taken apart.
 */
#include "migrator/rt/rt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct {
	uint32_t description; /* 0: not open */
	bool inherited;       /* as it came with the process */
	bool locked;
} table[RT_FDS];
static uint32_t last_description;
static bool beyond; /* a number the table has no place for was opened */

void files_opened(long fd)
{
	if (fd >= RT_FDS && !control_hidden(fd))
		beyond = true;
	if (fd < 0 || fd >= RT_FDS)
		return;
	table[fd].description = ++last_description;
	table[fd].inherited = table[fd].locked = false;
}

void files_duplicated(long from, long to)
{
	if (to >= RT_FDS)
		beyond = true;
	if (from < 0 || from >= RT_FDS || to < 0 || to >= RT_FDS)
		return;
	table[to] = table[from];
	/* A copy of what the supervisor gave is the program's own doing. */
	table[to].inherited = false;
}

void files_closed(uint64_t first, uint64_t last)
{
	for (uint64_t fd = first; fd <= last && fd < RT_FDS; fd++)
		table[fd].description = 0;
}

void files_locked(long fd, bool locked)
{
	if (fd >= 0 && fd < RT_FDS)
		table[fd].locked = locked;
}

/* An exec leaves no close-on-exec descriptor open: one that has the flag is an emulator's. */
void files_begin(void)
{
	for (long fd = 0; fd < RT_FDS; fd++) {
		if (control_hidden(fd) || kernel(SYS_fcntl, fd, F_GETFD) != 0)
			continue;
		files_opened(fd);
		table[fd].inherited = true;
	}
}

struct drover_image_string files_string(struct files_image *f, const char *s, size_t n)
{
	struct drover_image_string place = {f->strings_n, (uint32_t)n};

	if (n + 1 > DROVER_IMAGE_MAX_STRINGS - f->strings_n)
		return (struct drover_image_string){UINT32_MAX, 0};
	memcpy(f->strings + f->strings_n, s, n);
	f->strings[f->strings_n + n] = '\0';
	f->strings_n += (uint32_t)n + 1;
	return place;
}

static void proc_name(char *out, long fd)
{
	struct text t = {0};

	text_str(&t, "/proc/self/fd/");
	text_num(&t, (uint64_t)fd);
	memcpy(out, t.b, t.n + 1);
}

static bool refuse(struct text *why, long fd, const char *what, const char *path)
{
	text_str(why, "descriptor ");
	text_num(why, (uint64_t)fd);
	text_str(why, what);
	if (path) {
		text_str(why, ": ");
		text_str(why, path);
	}
	return false;
}

/* Devices without a state of their own. */
static bool stateless_device(const char *path)
{
	static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
					    "/dev/urandom"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(path, names[i]))
			return true;
	return false;
}

/* A file that its path leads to: what the other side will open again. */
static bool by_path(long fd, struct drover_image_file *d, struct files_image *f, struct text *why)
{
	char link[48], path[DROVER_IMAGE_MAX_PATH];
	struct stat open_file, named;
	long n, at;

	proc_name(link, fd);
	n = kernel(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
	if (n <= 0 || kernel(SYS_fstat, fd, &open_file) < 0)
		return refuse(why, fd, " cannot be examined", NULL);
	path[n] = '\0';
	if (!S_ISREG(open_file.st_mode) && !S_ISDIR(open_file.st_mode) &&
	    !(S_ISCHR(open_file.st_mode) && stateless_device(path)))
		return refuse(why, fd,
			      " is neither a file nor a directory and stays with this kernel",
			      path);
	if (path[0] != '/' || kernel(SYS_newfstatat, AT_FDCWD, path, &named, 0) < 0 ||
	    named.st_dev != open_file.st_dev || named.st_ino != open_file.st_ino)
		return refuse(why, fd, " is a file no path leads to any more", path);
	if (table[fd].locked)
		return refuse(why, fd, " holds a lock", path);
	d->kind = DROVER_FILE_PATH;
	d->mode = open_file.st_mode;
	d->path = files_string(f, path, (size_t)n);
	if (!d->path.length)
		return refuse(why, fd, ": no room for the path", path);
	at = kernel(SYS_lseek, fd, 0, SEEK_CUR);
	d->position = at > 0 ? (uint64_t)at : 0;
	return true;
}

bool files_capture(struct files_image *f, struct text *why)
{
	if (beyond) {
		text_str(why, "a descriptor of 1024 or more is open");
		return false;
	}
	for (uint32_t fd = 0; fd < RT_FDS; fd++) {
		struct drover_image_file d = {.fd = fd};
		long flags;

		if (!table[fd].description)
			continue;
		flags = kernel(SYS_fcntl, fd, F_GETFL);
		if (flags < 0) {
			table[fd].description = 0; /* closed behind our back, by exec or a clone */
			continue;
		}
		d.flags = (uint32_t)flags & ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC);
		d.fd_flags = (uint32_t)kernel(SYS_fcntl, fd, F_GETFD);
		for (uint32_t i = 0; i < f->n && !d.kind; i++)
			if (table[f->v[i].fd].description == table[fd].description) {
				d.kind = DROVER_FILE_SHARED;
				d.like = f->v[i].fd;
			}
		if (!d.kind && table[fd].inherited) {
			struct stat st;

			if (fd <= 2 || kernel(SYS_fstat, fd, &st) < 0 || !S_ISREG(st.st_mode))
				d.kind = DROVER_FILE_INHERITED;
		}
		if (!d.kind && !by_path(fd, &d, f, why))
			return false;
		f->v[f->n++] = d;
	}
	return true;
}

/* ---- the other side ------------------------------------------------------- */

static bool open_again(const struct drover_image_file *d, const char *path, struct text *why)
{
	struct stat st;
	long fd = kernel(SYS_openat, AT_FDCWD, path, d->flags | O_CLOEXEC, 0);

	if (fd < 0) {
		text_str(why, "cannot open, error ");
		text_num(why, (uint64_t)-fd);
		text_str(why, ": ");
		text_str(why, path);
		return false;
	}
	if (kernel(SYS_fstat, fd, &st) < 0 || (st.st_mode & S_IFMT) != (d->mode & S_IFMT))
		return refuse(why, d->fd, " is of another type here", path);
	if (d->position && kernel(SYS_lseek, fd, d->position, SEEK_SET) < 0)
		return refuse(why, d->fd, " cannot be positioned", path);
	if (fd != d->fd) {
		if (kernel(SYS_dup3, fd, d->fd, d->fd_flags ? O_CLOEXEC : 0) < 0)
			return refuse(why, d->fd, " cannot be had", path);
		kernel(SYS_close, fd);
	} else if (!d->fd_flags) {
		kernel(SYS_fcntl, fd, F_SETFD, 0);
	}
	return true;
}

bool files_load(const struct files_image *f, struct text *why)
{
	for (uint32_t fd = 0; fd < RT_FDS; fd++)
		table[fd].description = 0;
	for (uint32_t i = 0; i < f->n; i++) {
		const struct drover_image_file *d = &f->v[i];

		switch (d->kind) {
		case DROVER_FILE_INHERITED:
			if (kernel(SYS_fcntl, d->fd, F_GETFD) < 0)
				return refuse(why, d->fd, " was not given to this process", NULL);
			files_opened(d->fd);
			table[d->fd].inherited = true;
			break;
		case DROVER_FILE_SHARED:
			if (kernel(SYS_dup3, d->like, d->fd, d->fd_flags ? O_CLOEXEC : 0) < 0)
				return refuse(why, d->fd, " cannot be duplicated", NULL);
			files_duplicated(d->like, d->fd);
			break;
		default:
			if (!open_again(d, f->strings + d->path.offset, why))
				return false;
			files_opened(d->fd);
		}
	}
	return true;
}
