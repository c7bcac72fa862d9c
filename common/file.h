/*
 * Files, directories and descriptors.
 *
 * All functions return 0 (or a count) or a negative errno; those with a struct
 * err name the path in its message.
 */
#ifndef DROVER_COMMON_FILE_H
#define DROVER_COMMON_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "common/buf.h"
#include "common/err.h"

/* Appends the whole file to b; -EFBIG if it does not fit b's maximum. */
int file_read(const char *path, struct buf *b, struct err *e);
int file_read_fd(int fd, const char *name, struct buf *b, struct err *e);

/* Replaces path by data: temporary file beside it, fsync, rename, fsync of the directory. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* Creates or replaces a file that nobody else reads: neither whole at once nor on the disk on
 * return. */
int file_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* Writes all of data, going on after short writes and EINTR. */
int file_write_all(int fd, const void *data, size_t len);

/* Reads exactly len bytes; -ENODATA if the end comes earlier. */
int file_read_all(int fd, void *data, size_t len);
int file_pread_all(int fd, void *data, size_t len, off_t offset);

/* Copies len bytes from one descriptor to another from their current offsets. */
int file_copy(int in, int out, uint64_t len);

/* Creates path and its missing parents. An existing directory is fine. */
int file_mkdir_p(const char *path, mode_t mode, struct err *e);

/* Removes a file or a directory with all that is in it; doesn't follow links. Missing is fine. */
int file_remove_tree(const char *path, struct err *e);

/* A new private directory "<TMPDIR or /tmp>/<prefix>-XXXXXX"; path of size bytes receives its name.
 */
int file_temp_dir(const char *prefix, char *path, size_t size, struct err *e);

/* A close-on-exec memory file. Returns the descriptor. */
int file_memfd(const char *name);

/* A close-on-exec file without a name on the file system of dir: the kernel may write it out when
 * memory is short, which it cannot do with a memory file. dir NULL: a memory file. Returns the
 * descriptor. */
int file_unnamed(const char *dir, const char *name);

/* Joins with '/' into out; -ENAMETOOLONG if it doesn't fit. */
int file_join(char *out, size_t size, const char *dir, const char *name);

int file_set_cloexec(int fd, int on);
int file_set_nonblock(int fd, int on);

#endif
