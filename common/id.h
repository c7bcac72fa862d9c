/*
 * Random identifiers and secrets.
 */
#ifndef DROVER_COMMON_ID_H
#define DROVER_COMMON_ID_H

#include <stddef.h>

/* Fills out with nbytes random bytes as 2*nbytes hex digits and a NUL. 0 or -errno. */
int id_random(char *out, size_t size, size_t nbytes);

#endif
