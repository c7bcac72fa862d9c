/*
 * A growing byte buffer with a mandatory maximum.
 *
 * The contents are always followed by a NUL that doesn't count, so data is a
 * string whenever what was appended is text. Errors: -ENOBUFS when the maximum
 * would be passed, -ENOMEM; the contents are unchanged then.
 */
#ifndef DROVER_COMMON_BUF_H
#define DROVER_COMMON_BUF_H

#include <stddef.h>
#include "common/compiler.h"

struct buf {
	char *data; /* NULL while nothing was appended */
	size_t len;
	size_t cap;
	size_t max;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
#define _cleanup_buf_ _cleanup_(buf_free)

int buf_append(struct buf *b, const void *data, size_t len);
int buf_str(struct buf *b, const char *s);
int buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);

/* Room for len more bytes behind the contents; *room points at it. Count them with buf_added(). */
int buf_reserve(struct buf *b, size_t len, void **room);
void buf_added(struct buf *b, size_t len);

/* Drops the first len bytes. */
void buf_consume(struct buf *b, size_t len);
void buf_reset(struct buf *b);

/* The contents as a string, never NULL; borrowed. */
const char *buf_cstr(const struct buf *b);

/* The contents as an allocated string, which the caller owns; the buffer is empty afterwards. NULL:
 * no memory. */
char *buf_take(struct buf *b);

#endif
