/*
 * Tokens: JSON Web Tokens (RFC 7519), signed by HMAC-SHA256 and by nothing else.
 *
 * Claims: sub (who), role, iat, exp (seconds since 1970), and "energy":"all" for
 * a user who may see the energy of everybody's jobs.
 */
#ifndef DROVER_COMMON_TOKEN_H
#define DROVER_COMMON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/err.h"

#define TOKEN_MAX      4096 /* bytes of one, with its NUL */
#define TOKEN_KEY_MAX  1024
#define TOKEN_NAME_MAX 64

enum token_role { ROLE_VIEWER = 1, ROLE_USER = 2, ROLE_OPERATOR = 4, ROLE_AGENT = 8 };

struct token_claims {
	char name[TOKEN_NAME_MAX]; /* of the user; of the node for an agent ("*": any node) */
	enum token_role role;
	uint64_t issued_s, expires_s;
	bool energy_of_all;
};

/* A key that signs and checks; wiped by token_key_clear(). */
struct token_key {
	unsigned char bytes[TOKEN_KEY_MAX];
	size_t len; /* 0: none */
};

/* NULL if there is no such role. */
const char *token_role_name(enum token_role role);
/* 0 if text is none of the names. */
enum token_role token_role_parse(const char *text);

/* Reads a key's file. -EACCES: others than its owner can read it; -EINVAL: shorter than 32 bytes.
 */
int token_key_load(struct token_key *key, const char *path, struct err *e);
/* The same; if there is no file, makes one with a random key (mode 0600). */
int token_key_load_or_make(struct token_key *key, const char *path, struct err *e);
void token_key_clear(struct token_key *key);

/* Signs claims; out receives the text. */
int token_make(const struct token_key *key, const struct token_claims *claims, char out[TOKEN_MAX],
	       struct err *e);

/* Checks text and fills claims. -EACCES: it isn't ours, or it has expired by now_s. Says no more
 * of why than its owner needs. */
int token_check(const struct token_key *key, const char *text, uint64_t now_s,
		struct token_claims *claims, struct err *e);

#endif
