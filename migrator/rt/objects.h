/*
 * Kernel objects behind descriptors that no path leads to: what of them is in the image, and how
 * they are made again. docs/formats/image.md, section 4. Used by files.c.
 */
#ifndef DROVER_RT_OBJECTS_H
#define DROVER_RT_OBJECTS_H

#include "migrator/rt/rt.h"

/* What the kernel says of a descriptor in /proc/self/fdinfo, a line at a time. */
struct fdinfo {
	long fd; /* of the file being read; negative: it could not be opened */
	size_t at, n;
	char buf[1024], line[200];
};
void fdinfo_open(struct fdinfo *i, long fd);
/* The next line, without its end; NULL at the end. */
const char *fdinfo_next(struct fdinfo *i);
void fdinfo_close(struct fdinfo *i);
/* The number behind `key` in a line that has it. */
bool fdinfo_number(const char *line, const char *key, unsigned base, uint64_t *out);
/* What is held through a regular file's descriptor: the description's locks (flock, F_OFD_SETLK),
 * the process's (F_SETLK), a lease. */
enum fdinfo_locks { FDINFO_LOCKED = 1, FDINFO_LOCKED_PROCESS = 2, FDINFO_LEASED = 4 };
enum fdinfo_locks fdinfo_locks(long fd);

/* How the program made what it cannot be asked for later. */
struct object_origin {
	uint32_t kind; /* PAIR, EVENT, SIGNAL, TIMER or SOCKET; 0: the kernel knows it all */
	uint64_t made; /* PAIR: SOCK_STREAM, ...; EVENT: a semaphore; SIGNAL: the set; TIMER: the
			  clock; SOCKET: SOCKET_MADE of sockets.h */
	/* SOCKET: what it was asked for since. */
	uint32_t backlog;
	bool connected;   /* it was, or was about to be */
	uint32_t options; /* a bit for each place in socket_options that was set */
	uint32_t foreign; /* an option set that is not there: level << 16 | name, or 0 */
};

/* Describes what `name`, the target of the descriptor's link in /proc/self/fd, stands for: fills in
 * kind, values and size of *d, whose fd and flags are set. With a text if it cannot be carried, or
 * not now. Changes nothing. */
enum capture_verdict object_describe(long fd, const char *name, const struct object_origin *o,
				     struct drover_image_file *d, struct text *why);

/* Writes the bytes that belong to it at `offset` of the image; s of a SOCKET. 0 or a negative
 * errno. */
int object_write(struct drover_image_file *d, const struct drover_image_socket *s, uint64_t offset);

/* Makes the object again as d->fd, and with it the other end of a pipe or pair (NULL: closed);
 * contents come from `image_in`. `above` is a number above all descriptors of the program. Negative
 * errno. */
long object_make(const struct drover_image_file *d, const struct drover_image_file *peer,
		 int image_in, long above);

/* Fills an epoll set, once all descriptors are there; 0 or a negative errno. */
long object_watch(const struct drover_image_file *d, int image_in);

#endif
