/*
 * SHA-256 (FIPS 180-4) and comparison in constant time.
 */
#ifndef DROVER_COMMON_DIGEST_H
#define DROVER_COMMON_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/compiler.h"

#define DIGEST_SIZE     32
#define DIGEST_HEX_SIZE 65 /* with the NUL */

/* In pieces: digest_new, digest_update..., digest_final; digest_free in any case (NULL-safe). */
struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *d);
int digest_update(struct digest *d, const void *data, size_t len);
int digest_final(struct digest *d, uint8_t out[DIGEST_SIZE]);

/* Of a buffer. */
int digest_buf(const void *data, size_t len, uint8_t out[DIGEST_SIZE]);

/* Of what can be read from fd from its current offset to its end. */
int digest_fd(int fd, uint8_t out[DIGEST_SIZE]);
int digest_file(const char *path, uint8_t out[DIGEST_SIZE]);

/* Lower-case hex and back; -EINVAL unless s is exactly 64 hex digits. */
void digest_hex(const uint8_t d[DIGEST_SIZE], char out[DIGEST_HEX_SIZE]);
int digest_parse(const char *s, uint8_t out[DIGEST_SIZE]);

/* Equal, in time that doesn't depend on the contents. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif
