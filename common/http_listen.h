/*
 * A listening socket, on a loopback address unless it is asked for otherwise. Separate from the
 * server, so that an address can be checked without serving it.
 */
#ifndef DROVER_COMMON_HTTP_LISTEN_H
#define DROVER_COMMON_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include "common/err.h"

/* Binds "HOST:PORT" (port 0: any), stores the port. Returns the descriptor, or -EINVAL, -EACCES
 * (not loopback), -EADDRINUSE, ... */
int http_listen(const char *text, bool anywhere, uint16_t *port, struct err *e);

/* Does "HOST:PORT" name a loopback address? -EINVAL if it is none at all. */
int http_listen_is_local(const char *text, bool *local, struct err *e);

#endif
