/* The descriptors of an image made again in a process that loads it. */
#include "migrator/rt/files.h"
#include "migrator/rt/locks.h"
#include "migrator/rt/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool open_again(const struct drover_image_file *d, const char *path, uint32_t flags,
		       struct text *why)
{
	struct stat st;
	long fd = kernel(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);

	if (fd < 0) {
		text_str(why, "cannot open, error ");
		text_num(why, (uint64_t)-fd);
		text_str(why, ": ");
		text_str(why, path);
		return false;
	}
	if (kernel(SYS_fstat, fd, &st) < 0 || (st.st_mode & S_IFMT) != (d->mode & S_IFMT))
		return files_say(why, d->fd, " is of another type here", path);
	if (d->position && kernel(SYS_lseek, fd, d->position, SEEK_SET) < 0)
		return files_say(why, d->fd, " cannot be positioned", path);
	if (fd != d->fd) {
		if (kernel(SYS_dup3, fd, d->fd, d->fd_flags ? O_CLOEXEC : 0) < 0)
			return files_say(why, d->fd, " cannot be had", path);
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
		file_table[d->fd].shut = d->options;
		if (d->peer < d->fd && record_of(f, d->peer))
			files_paired(d->peer, d->fd);
	} else if (d->kind == DROVER_FILE_TIMER) {
		files_made(d->fd, d->kind, d->value[0]);
	} else if (d->kind == DROVER_FILE_EVENT || d->kind == DROVER_FILE_SIGNAL) {
		files_made(d->fd, d->kind, d->value[1]);
	}
}

static int given[RT_FDS];

/* Receives what the old process hands over, out of the way of the program's numbers. */
static bool take_given(const struct files_image *f, struct text *why)
{
	uint32_t n = files_given(f, given);
	long r = n ? control_take_given(given, n, (long)f->v[f->n - 1].fd + 1) : 0;

	if (!r)
		return true;
	text_str(why, "the descriptors that are handed over have not come, error ");
	text_num(why, (uint64_t)-r);
	return false;
}

static bool place_given(const struct files_image *f, const struct drover_image_file *d, int fd,
			struct text *why)
{
	long r;

	if ((d->value[0] & 255) == DROVER_FILE_LOCKS)
		return !locks_adopt(fd) || files_say(why, d->fd, " cannot be had", NULL);
	r = kernel(SYS_dup3, fd, d->fd, d->fd_flags ? O_CLOEXEC : 0);
	kernel(SYS_close, fd);
	if (r < 0)
		return files_say(why, d->fd, " cannot be had", NULL);
	files_opened(d->fd);
	file_table[d->fd].origin = (struct object_origin){
		.kind = (uint32_t)d->value[0] & 255,
		.connected = d->value[0] >> 8 & 1,
		.backlog = (uint32_t)(d->value[0] >> 32),
		.made = d->value[1],
		.options = (uint32_t)d->value[2],
		.foreign = (uint32_t)(d->value[2] >> 32),
	};
	file_table[d->fd].shut = d->options;
	if (d->peer < d->fd && record_of(f, d->peer))
		files_paired(d->peer, d->fd);
	return true;
}

static bool failed_to_make(const struct drover_image_file *d, long r, struct text *why)
{
	files_say(why, d->fd, " cannot be made again, error ", NULL);
	text_num(why, (uint64_t)-r);
	return false;
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
	return failed_to_make(d, r, why);
}

/* Connections within the program come before the sockets that listen: both have the same port. */
static bool make_connections(const struct files_image *f, struct text *why)
{
	long above = f->n ? (long)f->v[f->n - 1].fd + 1 : 0;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct drover_image_file *d = &f->v[i];
		const struct drover_image_file *peer =
			d->kind == DROVER_FILE_SOCKET && d->peer > d->fd ? record_of(f, d->peer)
									 : NULL;
		long r = peer ? socket_make_connection(d, peer, rt.image_in, above) : 0;

		if (r)
			return failed_to_make(d, r, why);
	}
	return true;
}

static bool make_socket(const struct files_image *f, const struct drover_image_file *d,
			struct text *why)
{
	struct drover_image_socket s;
	long r = d->peer == DROVER_FILE_NONE
			 ? socket_make(d, rt.image_in, (long)f->v[f->n - 1].fd + 1)
			 : 0;

	if (!r && kernel(SYS_pread64, rt.image_in, &s, sizeof s, d->offset) != sizeof s)
		r = -EIO;
	if (r)
		return failed_to_make(d, r, why);
	files_opened(d->fd);
	file_table[d->fd].shut = d->options;
	file_table[d->fd].origin = (struct object_origin){
		.kind = DROVER_FILE_SOCKET,
		.made = SOCKET_MADE(s.family, s.type, s.protocol),
		.backlog = s.backlog,
		.connected = s.state == DROVER_SOCKET_CONNECTED,
		.options = s.options_set,
	};
	return true;
}

/* What needs all descriptors to be there. */
static bool finish(const struct files_image *f, struct text *why)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct drover_image_file *d = &f->v[i];

		if (d->kind == DROVER_FILE_EPOLL && object_watch(d, rt.image_in) < 0)
			return files_say(why, d->fd, " is an epoll set that cannot be filled again",
					 NULL);
		if (d->kind == DROVER_FILE_SOCKET && socket_finish(d, rt.image_in))
			return files_say(why, d->fd, " cannot be connected again", NULL);
	}
	return true;
}

bool files_load(const struct files_image *f, struct text *why)
{
	uint32_t next_given = 0;

	for (uint32_t fd = 0; fd < RT_FDS; fd++)
		file_table[fd].description = 0;
	if (!take_given(f, why) || !make_connections(f, why))
		return false;
	for (uint32_t i = 0; i < f->n; i++) {
		const struct drover_image_file *d = &f->v[i];

		switch (d->kind) {
		case DROVER_FILE_INHERITED:
			if (kernel(SYS_fcntl, d->fd, F_GETFD) < 0)
				return files_say(why, d->fd, " was not given to this process",
						 NULL);
			files_opened(d->fd);
			file_table[d->fd].inherited = true;
			break;
		case DROVER_FILE_SHARED:
			if (kernel(SYS_dup3, d->like, d->fd, d->fd_flags ? O_CLOEXEC : 0) < 0)
				return files_say(why, d->fd, " cannot be duplicated", NULL);
			files_duplicated(d->like, d->fd);
			break;
		case DROVER_FILE_PATH:
			if (!open_again(d, f->strings + d->path.offset, d->flags, why))
				return false;
			files_opened(d->fd);
			break;
		case DROVER_FILE_REOPENED: {
			char link[PROC_NAME];

			files_proc_name(link, d->like);
			if (!open_again(d, link, d->flags & ~(uint32_t)O_NOFOLLOW, why))
				return false;
			files_opened(d->fd);
			break;
		}
		case DROVER_FILE_SOCKET:
			if (!make_socket(f, d, why))
				return false;
			break;
		case DROVER_FILE_GIVEN:
			if (!place_given(f, d, given[next_given++], why))
				return false;
			break;
		default:
			if (!make(f, d, why))
				return false;
		}
	}
	return finish(f, why);
}
