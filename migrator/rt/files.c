/*
 * Descriptors of the program. The table says which numbers are the program's, and which share one
 * open file description; what they refer to is asked of the kernel when a capture is made, before
 * anything is taken apart.
 */
#include "migrator/rt/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static struct {
	uint32_t description; /* 0: not open */
	uint32_t mate;        /* PAIR: the description of the other end */
	bool inherited;       /* as it came with the process */
	uint32_t shut;        /* PAIR: DROVER_SOCKET_SHUT_* */
	struct object_origin origin;
} table[RT_FDS];
static uint32_t last_description;
static bool beyond; /* a number the table has no place for was opened */

void files_opened(long fd)
{
	if (fd >= RT_FDS && !control_hidden(fd))
		beyond = true;
	if (fd < 0 || fd >= RT_FDS)
		return;
	memset(&table[fd], 0, sizeof table[fd]);
	table[fd].description = ++last_description;
}

void files_made(long fd, uint32_t kind, uint64_t made)
{
	if (fd < 0 || fd >= RT_FDS)
		return;
	for (long i = 0; i < RT_FDS; i++)
		if (table[i].description == table[fd].description)
			table[i].origin = (struct object_origin){kind, made};
}

int files_timer_clock(long fd)
{
	return fd >= 0 && fd < RT_FDS && table[fd].origin.kind == DROVER_FILE_TIMER
		       ? (int)table[fd].origin.made
		       : CLOCK_REALTIME;
}

void files_paired(long a, long b)
{
	if (a < 0 || a >= RT_FDS || b < 0 || b >= RT_FDS)
		return;
	table[a].mate = table[b].description;
	table[b].mate = table[a].description;
}

void files_shut(long fd, long how)
{
	if (fd < 0 || fd >= RT_FDS)
		return;
	for (long i = 0; i < RT_FDS; i++)
		if (table[i].description == table[fd].description)
			table[i].shut |= (how != SHUT_WR ? DROVER_SOCKET_SHUT_RD : 0u) |
					 (how != SHUT_RD ? DROVER_SOCKET_SHUT_WR : 0u);
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
static bool by_path(long fd, const char *path, long n, const struct stat *open_file,
		    struct drover_image_file *d, struct files_image *f, struct text *why)
{
	long at;

	if (fdinfo_locked(fd))
		return refuse(why, fd, " holds a lock", path);
	d->kind = DROVER_FILE_PATH;
	d->mode = open_file->st_mode;
	d->path = files_string(f, path, (size_t)n);
	if (!d->path.length)
		return refuse(why, fd, ": no room for the path", path);
	at = kernel(SYS_lseek, fd, 0, SEEK_CUR);
	d->position = at > 0 ? (uint64_t)at : 0;
	return true;
}

static bool describe(long fd, struct drover_image_file *d, struct files_image *f, struct text *why)
{
	char link[48], path[DROVER_IMAGE_MAX_PATH];
	struct stat open_file, named;
	long n;

	proc_name(link, fd);
	n = kernel(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
	if (n <= 0 || kernel(SYS_fstat, fd, &open_file) < 0)
		return refuse(why, fd, " cannot be examined", NULL);
	path[n] = '\0';
	if (path[0] == '/' &&
	    (S_ISREG(open_file.st_mode) || S_ISDIR(open_file.st_mode) ||
	     (S_ISCHR(open_file.st_mode) && stateless_device(path))) &&
	    !kernel(SYS_newfstatat, AT_FDCWD, path, &named, 0) &&
	    named.st_dev == open_file.st_dev && named.st_ino == open_file.st_ino)
		return by_path(fd, path, n, &open_file, d, f, why);
	d->options = table[fd].shut;
	return object_describe(fd, path, &table[fd].origin, d, why);
}

/* What a descriptor has to do with those before it: an end finds the other, a file without a path
 * its first description. */
static bool relate(struct files_image *f, struct drover_image_file *d, struct text *why)
{
	d->peer = DROVER_FILE_NONE;
	for (uint32_t i = 0; i < f->n; i++) {
		struct drover_image_file *o = &f->v[i];

		if (o->kind != d->kind)
			continue;
		if (d->kind == DROVER_FILE_CONTENTS && o->value[1] == d->value[1] &&
		    o->value[2] == d->value[2]) {
			d->kind = DROVER_FILE_REOPENED;
			d->like = o->fd;
			d->size = 0;
			return true;
		}
		if (d->kind == DROVER_FILE_PIPE
			    ? o->value[1] != d->value[1]
			    : d->kind != DROVER_FILE_PAIR ||
				      table[o->fd].description != table[d->fd].mate)
			continue;
		if (o->peer != DROVER_FILE_NONE ||
		    (d->kind == DROVER_FILE_PIPE && ((o->flags ^ d->flags) & O_ACCMODE) == 0))
			return refuse(why, d->fd, " is an end of a pipe opened twice", NULL);
		o->peer = d->fd;
		d->peer = o->fd;
	}
	return true;
}

/* A set can watch what has no number any more, which no other process can have. */
static bool check_watches(const struct files_image *f, struct text *why)
{
	for (uint32_t i = 0; i < f->n; i++) {
		struct fdinfo info;
		const char *l;
		long bad = -1;

		if (f->v[i].kind != DROVER_FILE_EPOLL)
			continue;
		fdinfo_open(&info, f->v[i].fd);
		while ((l = fdinfo_next(&info))) {
			uint64_t fd;

			if (!fdinfo_number(l, "tfd:", 10, &fd))
				continue;
			if (fd >= RT_FDS || !table[fd].description)
				bad = (long)fd;
		}
		fdinfo_close(&info);
		if (bad >= 0)
			return refuse(why, f->v[i].fd,
				      " is an epoll set that watches a closed descriptor", NULL);
	}
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
		d.peer = DROVER_FILE_NONE;
		if (!d.kind && (!describe(fd, &d, f, why) || !relate(f, &d, why)))
			return false;
		f->v[f->n++] = d;
	}
	return check_watches(f, why);
}

int files_write(struct files_image *f, int to, uint64_t *offset)
{
	int r = 0;

	for (uint32_t i = 0; i < f->n && !r; i++) {
		r = object_write(&f->v[i], to, *offset);
		*offset += (f->v[i].size + 15) & ~15ull;
	}
	return r;
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

static const struct drover_image_file *record_of(const struct files_image *f, uint32_t fd)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].fd == fd)
			return &f->v[i];
	return NULL;
}

/* What the table knew of an object the program made. */
static void remember(const struct files_image *f, const struct drover_image_file *d)
{
	files_opened(d->fd);
	if (d->kind == DROVER_FILE_PAIR) {
		files_made(d->fd, d->kind, d->value[0]);
		table[d->fd].shut = d->options;
		if (d->peer < d->fd && record_of(f, d->peer))
			files_paired(d->peer, d->fd);
	} else if (d->kind == DROVER_FILE_TIMER) {
		files_made(d->fd, d->kind, d->value[0]);
	} else if (d->kind == DROVER_FILE_EVENT || d->kind == DROVER_FILE_SIGNAL) {
		files_made(d->fd, d->kind, d->value[1]);
	}
}

static bool make(const struct files_image *f, const struct drover_image_file *d, struct text *why)
{
	long above = (long)f->v[f->n - 1].fd + 1;
	long r = object_make(d, d->peer == DROVER_FILE_NONE ? NULL : record_of(f, d->peer),
			     rt.image_in, above);

	if (r >= 0) {
		remember(f, d);
		return true;
	}
	refuse(why, d->fd, " cannot be made again, error ", NULL);
	text_num(why, (uint64_t)-r);
	return false;
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
		case DROVER_FILE_PATH:
			if (!open_again(d, f->strings + d->path.offset, why))
				return false;
			files_opened(d->fd);
			break;
		case DROVER_FILE_REOPENED: {
			char link[48];

			proc_name(link, d->like);
			if (!open_again(d, link, why))
				return false;
			files_opened(d->fd);
			break;
		}
		default:
			if (!make(f, d, why))
				return false;
		}
	}
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].kind == DROVER_FILE_EPOLL && object_watch(&f->v[i], rt.image_in) < 0)
			return refuse(why, f->v[i].fd,
				      " is an epoll set that cannot be filled again", NULL);
	return true;
}
