/*
 * A growing list of owned strings, NULL-terminated so that it serves as argv.
 *
 * Additions never report an error one by one: a failed allocation is kept in
 * the list and strv_failed() tells of it once, before the list is used.
 */
#ifndef DROVER_STRV_H
#define DROVER_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **v; /* v[n] is NULL once anything was added */
	size_t n, cap;
	bool failed;
};

/* Adds a copy of S. */
void strv_add(struct strv *l, const char *s);
/* Adds a formatted string. */
void strv_addf(struct strv *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds copies of all strings of FROM. */
void strv_cat(struct strv *l, const struct strv *from);
/* Adds the N strings of V. */
void strv_addn(struct strv *l, const char *const *v, size_t n);
/* Whether the list holds S. */
bool strv_has(const struct strv *l, const char *s);
/* Whether an addition failed for want of memory. */
bool strv_failed(const struct strv *l);
void strv_free(struct strv *l);

#endif
