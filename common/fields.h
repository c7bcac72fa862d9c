/*
 * Reading records of text: one a line, fields separated by one blank. Lines are cut into strings in
 * place; nothing is copied. For texts of our own programs that come back from outside.
 */
#ifndef DROVER_FIELDS_H
#define DROVER_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* The next field of the line *P, which moves on; NULL at its end or if the field is empty. */
char *fields_next(char **p);

/* What is left of the line *P, blanks and all; NULL if nothing is. */
char *fields_rest(char **p);

/* A decimal number of digits alone, at most MAX. -EINVAL, also for S NULL. */
int fields_u64(const char *s, uint64_t max, uint64_t *out);
int fields_u32(const char *s, uint32_t max, uint32_t *out);

/* Exactly 16 lower-case hex digits. -EINVAL, also for S NULL. */
int fields_hex64(const char *s, uint64_t *out);

/* How many lines of TEXT begin with each character: what room its records need. */
void fields_count(const char *text, size_t count[256]);

#endif
