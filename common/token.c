/* See token.h. The bytes of a token are libjwt's business. */
#include "common/token.h"

#include <errno.h>
#include <fcntl.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#define KEY_MIN 32 /* bytes: RFC 7518, 3.2, for HS256 */

static const struct {
	enum token_role role;
	const char *name;
} roles[] = {
	{ROLE_VIEWER, "viewer"},
	{ROLE_USER, "user"},
	{ROLE_OPERATOR, "operator"},
	{ROLE_AGENT, "agent"},
};

const char *token_role_name(enum token_role role)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (roles[i].role == role)
			return roles[i].name;
	return NULL;
}

enum token_role token_role_parse(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(roles[i].name, text))
			return roles[i].role;
	return (enum token_role)0;
}

/* ---- keys --------------------------------------------------------------- */

void token_key_clear(struct token_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

int token_key_load(struct token_key *key, const char *path, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat sb;
	ssize_t n;

	key->len = 0;
	if (fd < 0 || fstat(fd, &sb))
		return err_sys(e, -errno, "can't open the token key %s", path);
	if (sb.st_mode & 077) {
		err_set(e, -EACCES, "the token key %s can be read by others than its owner", path);
		return err_hint(e, "chmod 600 it, or make a new one if others may have it");
	}
	n = read(fd, key->bytes, sizeof(key->bytes));
	if (n < 0)
		return err_sys(e, -errno, "can't read the token key %s", path);
	while (n && (key->bytes[n - 1] == '\n' || key->bytes[n - 1] == '\r'))
		n--;
	if (n < KEY_MIN) {
		err_set(e, -EINVAL, "the token key %s is shorter than %d bytes", path, KEY_MIN);
		return err_hint(e, "remove it: droverd makes a new one; tokens must then be made "
				   "anew");
	}
	key->len = (size_t)n;
	return 0;
}

static int make_key(const char *path, struct err *e)
{
	unsigned char raw[KEY_MIN];
	char text[2 * KEY_MIN + 2];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return err_sys(e, -errno, "no random bytes for a token key");
	for (size_t i = 0; i < sizeof(raw); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", raw[i]);
	text[2 * KEY_MIN] = '\n';
	return file_write_atomic(path, text, 2 * KEY_MIN + 1, 0600, e);
}

int token_key_load_or_make(struct token_key *key, const char *path, struct err *e)
{
	int r = 0;

	if (access(path, F_OK) && errno == ENOENT)
		r = make_key(path, e);
	return r ? r : token_key_load(key, path, e);
}

/* ---- tokens ------------------------------------------------------------- */

int token_make(const struct token_key *key, const struct token_claims *c, char out[TOKEN_MAX],
	       struct err *e)
{
	jwt_t *jwt = NULL;
	char *text = NULL;
	int r = jwt_new(&jwt);

	if (!r)
		r = jwt_set_alg(jwt, JWT_ALG_HS256, key->bytes, (int)key->len);
	if (!r)
		r = jwt_add_grant(jwt, "sub", c->name);
	if (!r)
		r = jwt_add_grant(jwt, "role", token_role_name(c->role));
	if (!r)
		r = jwt_add_grant_int(jwt, "iat", (long)c->issued_s);
	if (!r)
		r = jwt_add_grant_int(jwt, "exp", (long)c->expires_s);
	if (!r && c->energy_of_all)
		r = jwt_add_grant(jwt, "energy", "all");
	if (!r)
		text = jwt_encode_str(jwt);
	if (text && strlen(text) < TOKEN_MAX)
		strcpy(out, text);
	else
		r = err_set(e, -EIO, "can't make the token");
	if (text) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
	jwt_free(jwt);
	return r;
}

static int read_claims(jwt_t *jwt, uint64_t now_s, struct token_claims *c, struct err *e)
{
	const char *sub = jwt_get_grant(jwt, "sub"), *role = jwt_get_grant(jwt, "role");
	const char *energy = jwt_get_grant(jwt, "energy");
	long iat = jwt_get_grant_int(jwt, "iat"), exp = jwt_get_grant_int(jwt, "exp"),
	     nbf = jwt_get_grant_int(jwt, "nbf");

	if (!sub || !*sub || strlen(sub) >= sizeof(c->name) || !role || !token_role_parse(role))
		return err_set(e, -EACCES, "the token names no user, or a role that doesn't exist");
	if (exp <= 0)
		return err_set(e, -EACCES, "the token has no end");
	if ((uint64_t)exp <= now_s) {
		err_set(e, -EACCES, "the token has expired");
		return err_hint(e, "make a new one with drover token");
	}
	if (nbf > 0 && (uint64_t)nbf > now_s)
		return err_set(e, -EACCES, "the token is not valid yet");
	strcpy(c->name, sub);
	c->role = token_role_parse(role);
	c->issued_s = iat > 0 ? (uint64_t)iat : 0;
	c->expires_s = (uint64_t)exp;
	c->energy_of_all = energy && !strcmp(energy, "all");
	return 0;
}

int token_check(const struct token_key *key, const char *text, uint64_t now_s,
		struct token_claims *claims, struct err *e)
{
	jwt_t *jwt = NULL;
	int r;

	memset(claims, 0, sizeof(*claims));
	if (!key->len)
		return err_set(e, -EACCES, "this server has no token key");
	/* libjwt takes the algorithm from the token, so it is looked at afterwards: a key that was
	 * checked by another algorithm than ours proves nothing. */
	if (strlen(text) >= TOKEN_MAX || jwt_decode(&jwt, text, key->bytes, (int)key->len))
		return err_set(e, -EACCES, "the token was not made by this cluster's key");
	r = jwt_get_alg(jwt) == JWT_ALG_HS256
		    ? read_claims(jwt, now_s, claims, e)
		    : err_set(e, -EACCES, "the token is not signed by HS256");
	jwt_free(jwt);
	if (r)
		memset(claims, 0, sizeof(*claims));
	return r;
}
