/*
 * Errors that a person will read.
 *
 * Functions return 0 or a negative errno and, where a person will read it,
 * fill a struct err: what was being done, to what, why it failed (msg), and
 * what to do (hint, may be empty). Every function here accepts e == NULL.
 */
#ifndef DROVER_COMMON_ERR_H
#define DROVER_COMMON_ERR_H

#include "common/compiler.h"

/* Fields of a request that are wrong, each with what is wrong with it. */
#define ERR_FIELDS_MAX 32
struct err_fields {
	unsigned int n;
	struct {
		char field[96];
		char detail[160];
	} v[ERR_FIELDS_MAX];
};

struct err {
	int code; /* 0 or a negative errno */
	char msg[768];
	char hint[256];
	struct err_fields *fields; /* NULL: the caller wants the first wrong field only; borrowed */
};

#define ERR_INIT {0, "", "", NULL}

/* Sets code and message, empties the hint; returns code. */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* As err_set, with ": <text of the errno>" behind the message. */
int err_sys(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts "<context>: " before the message; keeps code and hint; returns code. */
int err_wrap(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Sets the hint (what to do); returns code. */
int err_hint(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* Back to "no error". */
void err_clear(struct err *e);

/* Prints "<prog>: <msg>" and, if there is one, "<prog>: hint: <hint>" to stderr. For programs only.
 */
void err_print(const char *prog, const struct err *e);

#endif
