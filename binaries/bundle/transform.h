/*
 * `.state_transform`: what a program saves at each migration point, as text of
 * docs/formats/migration-abi.md, parsed.  The bytes come with a bundle from
 * anywhere; the parser trusts nothing.
 */
#ifndef DROVER_TRANSFORM_H
#define DROVER_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define TRANSFORM_MAX         (128u << 20) /* bytes of text */
#define TRANSFORM_PAYLOAD_MAX (16u << 20)  /* bytes one site saves */

/* A saved value. */
struct transform_value {
	uint32_t offset, size; /* in the payload */
	const char *type;      /* i32, ptr, bytes, ... */
	const char *name;      /* of the source, or .tmp */
};

struct transform_site {
	uint32_t kind;      /* enum drover_site_kind */
	const char *callee; /* name, or - */
	uint32_t line;
	uint32_t size; /* of the payload */
	size_t first_value, nvalues;
};

struct transform_fn {
	uint64_t id;
	const char *name, *module, *source;
	uint32_t line;
	uint32_t ret;    /* enum drover_ret */
	uint64_t common; /* bytes of its variables on the common stack */
	size_t first_site, nsites;
};

/* A function that is not instrumented although it calls others. */
struct transform_blocked {
	const char *name, *module, *source;
	uint32_t line;
	bool waits; /* what it calls may reach a migration point, and waits for its return */
	const char *reason;
};

struct transform {
	char *text; /* owns the strings */
	struct transform_fn *fns;
	struct transform_site *sites;
	struct transform_value *values;
	struct transform_blocked *blocked;
	size_t nfns, nsites, nvalues, nblocked;
};

/*
 * Parses LEN bytes; sites are numbered in order, values lie within their payload.  -EINVAL names
 * the line; T is then empty.
 */
int transform_parse(struct transform *t, const char *text, size_t len, struct err *err);
void transform_free(struct transform *t);

/* The function of that identity, or NULL. */
const struct transform_fn *transform_find(const struct transform *t, uint64_t id);

/* "poll", "call", "icall" */
const char *transform_kind_name(uint32_t kind);

#endif
