/* The program's descriptors described for an image; changes nothing. */
#include "migrator/rt/files.h"
#include "migrator/rt/locks.h"
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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

/* What one descriptor stands for while the image is made. */
struct subject {
	long fd;
	char path[DROVER_IMAGE_MAX_PATH]; /* the target of its link in /proc */
	long length;
	struct stat st;
};

/* The locks that are held through a descriptor let it go along only by being handed over. Those of
 * the process are with locks.c; a file without a path loses them if it is made again. */
static enum capture_verdict check_locks(const struct subject *s, struct text *why)
{
	enum fdinfo_locks held = fdinfo_locks(s->fd);

	if (!held && (!locks_on(&s->st) || (rt.here && s->st.st_nlink)))
		return CAPTURE_OK;
	if (held & FDINFO_LEASED)
		files_say(why, s->fd, " holds a lease", s->path);
	else if (held & FDINFO_LOCKED_PROCESS)
		files_say(why, s->fd, " has a record locked by this process", s->path);
	else
		files_say(why, s->fd, " holds a lock", s->path);
	return CAPTURE_DEFER;
}

/* A file that its path leads to: what the other side will open again. */
static enum capture_verdict by_path(long fd, const char *path, long n, const struct stat *open_file,
				    struct drover_image_file *d, struct files_image *f,
				    struct text *why)
{
	long at = kernel(SYS_lseek, fd, 0, SEEK_CUR);

	d->kind = DROVER_FILE_PATH;
	d->mode = open_file->st_mode;
	d->position = at > 0 ? (uint64_t)at : 0;
	d->path = files_string(f, path, (size_t)n);
	if (d->path.length)
		return CAPTURE_OK;
	files_say(why, fd, ": no room for the path", path);
	return CAPTURE_REFUSE;
}

/* Inode and device by the place in files_image: descriptions of one object move in one way. */
static struct {
	uint64_t ino, dev;
} objects[DROVER_IMAGE_MAX_FILES];

static bool examine(struct subject *s, struct text *why)
{
	char link[PROC_NAME];

	files_proc_name(link, s->fd);
	s->length = kernel(SYS_readlinkat, AT_FDCWD, link, s->path, sizeof s->path - 1);
	if (s->length <= 0 || kernel(SYS_fstat, s->fd, &s->st) < 0)
		return files_say(why, s->fd, " cannot be examined", NULL);
	s->path[s->length] = '\0';
	return true;
}

static bool path_leads_to(const struct subject *s)
{
	struct stat named;

	return s->path[0] == '/' &&
	       (S_ISREG(s->st.st_mode) || S_ISDIR(s->st.st_mode) ||
		(S_ISCHR(s->st.st_mode) && stateless_device(s->path))) &&
	       !kernel(SYS_newfstatat, AT_FDCWD, s->path, &named, 0) &&
	       named.st_dev == s->st.st_dev && named.st_ino == s->st.st_ino;
}

/* By the place in files_image: what of a SOCKET is not in its record. */
static struct drover_image_socket sockets[DROVER_IMAGE_MAX_FILES];

/* As something that any kernel can make again. */
static enum capture_verdict describe(const struct subject *s, struct drover_image_file *d,
				     struct files_image *f, struct text *why)
{
	enum capture_verdict v = CAPTURE_OK;

	if (S_ISREG(s->st.st_mode))
		v = check_locks(s, why);
	if (v != CAPTURE_OK)
		return v;
	if (path_leads_to(s))
		return by_path(s->fd, s->path, s->length, &s->st, d, f, why);
	d->options = file_table[s->fd].shut;
	if (file_table[s->fd].origin.kind == DROVER_FILE_SOCKET)
		return socket_describe(s->fd, &file_table[s->fd].origin, d, &sockets[f->n], why);
	return object_describe(s->fd, s->path, &file_table[s->fd].origin, d, why);
}

/* Whether the very description does its work in another process of this kernel: not what belongs
 * to a process or its memory. */
static bool can_be_given(const struct subject *s)
{
	char unused[64];

	switch (s->st.st_mode & S_IFMT) {
	case S_IFSOCK:
	case S_IFIFO:
	case S_IFDIR:
	case S_IFBLK:
		return true;
	case S_IFREG:
		return !(fdinfo_locks(s->fd) & (FDINFO_LEASED | FDINFO_LOCKED_PROCESS));
	case S_IFCHR: /* a terminal */
		return !kernel(SYS_ioctl, s->fd, TCGETS, unused);
	default:
		return !strcmp(s->path, "anon_inode:inotify") ||
		       !strcmp(s->path, "anon_inode:[eventfd]") ||
		       !strcmp(s->path, "anon_inode:[fanotify]");
	}
}

static void give(struct drover_image_file *d)
{
	const struct object_origin *o = &file_table[d->fd].origin;

	d->kind = DROVER_FILE_GIVEN;
	d->value[0] = o->kind | (uint64_t)o->connected << 8 | (uint64_t)o->backlog << 32;
	d->value[1] = o->made;
	d->value[2] = o->options | (uint64_t)o->foreign << 32;
	d->options = file_table[d->fd].shut;
	d->position = d->size = 0;
	d->like = 0;
	d->peer = DROVER_FILE_NONE;
	d->path = (struct drover_image_string){0, 0};
}

/* Whether the record at `i` is the other end of what d is an end of. */
static bool other_end(const struct files_image *f, uint32_t i, const struct drover_image_file *d)
{
	const struct drover_image_file *o = &f->v[i];

	switch (d->kind) {
	case DROVER_FILE_PIPE:
		return o->value[1] == d->value[1];
	case DROVER_FILE_PAIR:
		return file_table[o->fd].description == file_table[d->fd].mate;
	case DROVER_FILE_SOCKET:
		return socket_ends(&sockets[i], &sockets[f->n]);
	default:
		return false;
	}
}

/* What a descriptor has to do with those before it: an end finds the other, a file without a path
 * its first description. */
static enum capture_verdict relate(struct files_image *f, struct drover_image_file *d,
				   struct text *why)
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
			return CAPTURE_OK;
		}
		if (!other_end(f, i, d))
			continue;
		if (o->peer != DROVER_FILE_NONE ||
		    (d->kind == DROVER_FILE_PIPE && ((o->flags ^ d->flags) & O_ACCMODE) == 0)) {
			files_say(why, d->fd, " is an end of a pipe opened twice", NULL);
			return CAPTURE_REFUSE;
		}
		o->peer = d->fd;
		d->peer = o->fd;
	}
	return CAPTURE_OK;
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
			if (fd >= RT_FDS || !file_table[fd].description)
				bad = (long)fd;
		}
		fdinfo_close(&info);
		if (bad >= 0)
			return files_say(why, f->v[i].fd,
					 " is an epoll set that watches a closed descriptor", NULL);
	}
	return true;
}

/* The other descriptions of an object whose one is handed over go with it. */
static void give_mates(struct files_image *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct drover_image_file *g = &f->v[i];

		if (g->kind != DROVER_FILE_GIVEN)
			continue;
		for (uint32_t k = 0; k < f->n; k++) {
			struct drover_image_file *o = &f->v[k];
			bool same = objects[k].ino == objects[i].ino &&
				    objects[k].dev == objects[i].dev;

			if (o->kind == DROVER_FILE_PIPE || o->kind == DROVER_FILE_CONTENTS ||
					    o->kind == DROVER_FILE_REOPENED
				    ? same
				    : o->kind == DROVER_FILE_PAIR &&
					      file_table[o->fd].description ==
						      file_table[g->fd].mate)
				give(o);
		}
	}
	for (uint32_t i = 0; i < f->n; i++)
		for (uint32_t k = 0; k < f->n; k++)
			if (f->v[i].kind == DROVER_FILE_GIVEN &&
			    f->v[k].kind == DROVER_FILE_GIVEN && file_table[f->v[i].fd].mate &&
			    file_table[f->v[i].fd].mate == file_table[f->v[k].fd].description)
				f->v[i].peer = f->v[k].fd;
}

/* A description of its own: made again elsewhere, or handed over where that cannot be. */
static enum capture_verdict capture_one(struct files_image *f, struct drover_image_file *d,
					struct text *why)
{
	static struct subject s;
	enum capture_verdict v;

	s.fd = d->fd;
	if (!examine(&s, why))
		return CAPTURE_REFUSE;
	if (d->flags & O_ASYNC) {
		files_say(why, d->fd, " signals this process when it is ready (O_ASYNC)", NULL);
		return CAPTURE_REFUSE;
	}
	objects[f->n].ino = s.st.st_ino;
	objects[f->n].dev = s.st.st_dev;
	/* To make it again would need its address, which the old one still has. */
	if (rt.here && file_table[d->fd].origin.kind == DROVER_FILE_SOCKET && can_be_given(&s)) {
		give(d);
		return CAPTURE_OK;
	}
	v = describe(&s, d, f, why);
	if (v == CAPTURE_OK)
		v = relate(f, d, why);
	if (v == CAPTURE_OK || !rt.here || !can_be_given(&s))
		return v;
	why->n = 0;
	why->b[0] = '\0';
	give(d);
	return CAPTURE_OK;
}

/* Fills in what every record has; false: the number is not open any more. */
static bool begin_record(const struct files_image *f, struct drover_image_file *d)
{
	struct file_entry *e = &file_table[d->fd];
	long flags = kernel(SYS_fcntl, d->fd, F_GETFL);

	if (flags < 0) {
		e->description = 0; /* closed behind our back, by exec or a clone */
		return false;
	}
	/* O_LARGEFILE is said by some kernels and meant by all. */
	d->flags = (uint32_t)flags & ~(uint32_t)(O_CREAT | O_EXCL | O_TRUNC | O_LARGEFILE);
	d->fd_flags = (uint32_t)kernel(SYS_fcntl, d->fd, F_GETFD);
	d->peer = DROVER_FILE_NONE;
	for (uint32_t i = 0; i < f->n && !d->kind; i++)
		if (file_table[f->v[i].fd].description == e->description) {
			d->kind = DROVER_FILE_SHARED;
			d->like = f->v[i].fd;
		}
	if (!d->kind && e->inherited) {
		struct stat st;

		if (d->fd <= 2 || kernel(SYS_fstat, d->fd, &st) < 0 || !S_ISREG(st.st_mode))
			d->kind = DROVER_FILE_INHERITED;
	}
	return true;
}

/* The runtime's own descriptors, which have the numbers behind the program's in the image. */
static bool give_locks(struct files_image *f)
{
	for (uint32_t i = 0; rt.here && locks_holder(i) >= 0; i++) {
		uint32_t number = f->n ? f->v[f->n - 1].fd + 1 : 0;

		if (number >= DROVER_IMAGE_MAX_FILES)
			return false;
		f->v[f->n++] = (struct drover_image_file){.fd = number,
							  .kind = DROVER_FILE_GIVEN,
							  .fd_flags = FD_CLOEXEC,
							  .peer = DROVER_FILE_NONE,
							  .value = {DROVER_FILE_LOCKS}};
	}
	return true;
}

enum capture_verdict files_capture(struct files_image *f, struct text *why)
{
	if (files_beyond()) {
		text_str(why, "a descriptor of 1024 or more is open");
		return CAPTURE_REFUSE;
	}
	for (uint32_t fd = 0; fd < RT_FDS && !rt.here; fd++)
		if (file_table[fd].description && file_table[fd].origin.connected)
			socket_settle(fd);
	for (uint32_t fd = 0; fd < RT_FDS; fd++) {
		struct drover_image_file d = {.fd = fd};
		enum capture_verdict v;

		if (!file_table[fd].description || !begin_record(f, &d))
			continue;
		v = d.kind ? CAPTURE_OK : capture_one(f, &d, why);
		if (v != CAPTURE_OK)
			return v;
		f->v[f->n++] = d;
	}
	give_mates(f);
	if (!give_locks(f)) {
		text_str(why, "no number is left for the locks of files");
		return CAPTURE_REFUSE;
	}
	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].kind == DROVER_FILE_SOCKET && f->v[i].peer == DROVER_FILE_NONE &&
		    sockets[i].state == DROVER_SOCKET_CONNECTED)
			return socket_alone(f->v[i].fd, &sockets[i], why);
	return check_watches(f, why) ? CAPTURE_OK : CAPTURE_REFUSE;
}

uint32_t files_given(const struct files_image *f, int *out)
{
	uint32_t n = 0, holders = 0;

	for (uint32_t i = 0; i < f->n; i++)
		if (f->v[i].kind == DROVER_FILE_GIVEN)
			out[n++] = (f->v[i].value[0] & 255) == DROVER_FILE_LOCKS
					   ? locks_holder(holders++)
					   : (int)f->v[i].fd;
	return n;
}

int files_write(struct files_image *f, uint64_t *offset)
{
	int r = 0;

	for (uint32_t i = 0; i < f->n && !r; i++) {
		r = object_write(&f->v[i], &sockets[i], *offset);
		*offset += (f->v[i].size + 15) & ~15ull;
	}
	return r;
}
