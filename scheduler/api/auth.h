/*
 * Who may do what: tokens, roles, and whose jobs they are.
 *
 * Without a token on a loopback address the caller is an operator named
 * "<anonymous>", unless tokens are required.
 */
#ifndef DROVER_SCHEDULER_API_AUTH_H
#define DROVER_SCHEDULER_API_AUTH_H

#include <jansson.h>
#include "common/http_server.h"
#include "common/token.h"

struct auth {
	struct token_key key;
	bool required;    /* every request needs a token */
	bool open_energy; /* everybody may see the energy of everybody's jobs */
};

/* The hook of http_server_config; ctx is the engine. */
bool auth_authorize(struct http_exchange *rq, const struct http_route *route,
		    struct http_principal *p, void *ctx);
/* Decides alone: may a role call a route of this access class? Pure. */
bool auth_role_may(unsigned int access, enum token_role role);

/* "any", "read", "user", "operator", "agent" or "bundle". */
const char *auth_access_name(unsigned int access);

/* May the caller change a job of that user? If not, 403 was replied. */
bool auth_may_change(struct http_exchange *rq, const char *user);
/* Sets whose a job is that the caller submits: the caller's own for role user. False: 403 was
 * replied, for the request names somebody else. */
bool auth_submitter(struct http_exchange *rq, char *user, size_t size, bool named);
/* May the caller see the energy of that user's jobs? */
bool auth_sees_energy(const struct http_exchange *rq, const struct auth *a, const char *user);
/* Takes the joules out of a rendered job. */
void auth_hide_energy(json_t *job);

#endif
