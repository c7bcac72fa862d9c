#include "scheduler/api/auth.h"

#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "scheduler/api/handlers.h"

#define FLAG_ENERGY_OF_ALL 1u

bool auth_role_may(unsigned int access, enum token_role role)
{
	static const unsigned int may[] = {
		[ACCESS_ANY] = ROLE_VIEWER | ROLE_USER | ROLE_OPERATOR | ROLE_AGENT,
		[ACCESS_READ] = ROLE_VIEWER | ROLE_USER | ROLE_OPERATOR,
		[ACCESS_USER] = ROLE_USER | ROLE_OPERATOR,
		[ACCESS_OPERATOR] = ROLE_OPERATOR,
		[ACCESS_AGENT] = ROLE_AGENT | ROLE_OPERATOR,
		[ACCESS_BUNDLE] = ROLE_VIEWER | ROLE_USER | ROLE_OPERATOR | ROLE_AGENT,
	};

	return access < ARRAY_SIZE(may) && (may[access] & role) != 0;
}

const char *auth_access_name(unsigned int access)
{
	static const char *const names[] = {"any", "read", "user", "operator", "agent", "bundle"};

	return access < ARRAY_SIZE(names) ? names[access] : "?";
}

static void refuse(struct http_exchange *rq, const char *detail, const char *hint)
{
	http_add_header(rq, "WWW-Authenticate", "Bearer");
	http_reply_problem(rq, 401, detail, hint);
}

/* An agent speaks for its own node only. */
static bool is_own_node(const struct http_exchange *rq, const struct http_principal *p)
{
	const char *node = http_param(rq, "node");

	return p->role != ROLE_AGENT || !node || !strcmp(p->name, "*") || !strcmp(p->name, node);
}

static bool check_token(struct http_exchange *rq, const struct auth *a, const char *header,
			struct http_principal *p)
{
	struct token_claims c;
	struct err e = ERR_INIT;

	if (strncasecmp(header, "Bearer ", 7) != 0) {
		refuse(rq, "only bearer tokens are known here",
		       "send \"Authorization: Bearer TOKEN\"");
		return false;
	}
	if (token_check(&a->key, header + 7, clock_realtime_ns() / NS_PER_S, &c, &e)) {
		refuse(rq, e.msg, e.hint);
		return false;
	}
	memcpy(p->name, c.name, sizeof(p->name));
	p->role = c.role;
	p->flags = c.energy_of_all ? FLAG_ENERGY_OF_ALL : 0;
	p->expires_s = c.expires_s;
	p->authenticated = true;
	return true;
}

/* Does "HOST[:PORT]" name this machine, as loopback addresses are written? */
static bool is_local_host(const char *host)
{
	size_t n = strcspn(host, ":");

	return !strncmp(host, "127.", 4) || !strncmp(host, "[::1]", 5) ||
	       (n == 9 && !strncasecmp(host, "localhost", 9));
}

/*
 * Without a token anybody on this machine is an operator, and so would be any page
 * that a browser on it shows. So what a browser sends for a page from elsewhere is
 * refused: by its Origin, and, against names that are made to resolve to this
 * machine, by its Host.
 */
static bool is_from_elsewhere(const struct http_exchange *rq)
{
	const char *host = http_header(rq, "Host"), *origin = http_header(rq, "Origin");
	const char *at = origin ? strstr(origin, "://") : NULL;

	if (host && !is_local_host(host))
		return true;
	return origin && (!at || !host || strcasecmp(at + 3, host) != 0);
}

bool auth_authorize(struct http_exchange *rq, const struct http_route *route,
		    struct http_principal *p, void *ctx)
{
	const struct engine *en = ctx;
	const char *header = http_header(rq, "Authorization");

	if (route->access == ACCESS_ANY)
		return true;
	if (header) {
		if (!check_token(rq, &en->auth, header, p))
			return false;
	} else if (en->auth.required) {
		refuse(rq, "this needs a token",
		       "make one with drover token on the scheduler's machine");
		return false;
	} else if (is_from_elsewhere(rq)) {
		http_reply_problem(rq, 403, "without a token only pages of this server may ask",
				   "send a token, or connect to localhost");
		return false;
	} else {
		*p = (struct http_principal){.name = "<anonymous>", .role = ROLE_OPERATOR};
	}
	if (auth_role_may(route->access, (enum token_role)p->role) && is_own_node(rq, p))
		return true;
	http_reply_problem(rq, 403, "the token's role does not allow this",
			   p->role == ROLE_AGENT ? "an agent may only speak for its own node"
						 : NULL);
	return false;
}

bool auth_may_change(struct http_exchange *rq, const char *user)
{
	const struct http_principal *p = http_principal(rq);

	if (p->role == ROLE_OPERATOR || (p->role == ROLE_USER && !strcmp(p->name, user)))
		return true;
	http_reply_problem(rq, 403, "this is somebody else's job", "an operator may do this");
	return false;
}

bool auth_submitter(struct http_exchange *rq, char *user, size_t size, bool named)
{
	const struct http_principal *p = http_principal(rq);

	if (!p->authenticated)
		return true;
	if (named && p->role != ROLE_OPERATOR && strcmp(p->name, user) != 0) {
		http_reply_problem(rq, 403, "a job can't be submitted for somebody else",
				   "leave \"user\" out; an operator may name another user");
		return false;
	}
	if (!named)
		(void)snprintf(user, size, "%s", p->name);
	return true;
}

bool auth_sees_energy(const struct http_exchange *rq, const struct auth *a, const char *user)
{
	const struct http_principal *p = http_principal(rq);

	return p->role == ROLE_OPERATOR || a->open_energy || (p->flags & FLAG_ENERGY_OF_ALL) ||
	       (p->role == ROLE_USER && !strcmp(p->name, user));
}

void auth_hide_energy(json_t *job)
{
	static const char *const fields[] = {"energy_uj", "energy_kind", "predicted_j", "actual_j"};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (json_object_get(job, fields[i]))
			(void)json_object_set_new(job, fields[i], json_null());
}

void handle_whoami(struct http_exchange *rq, void *ctx)
{
	const struct http_principal *p = http_principal(rq);
	const struct engine *en = ctx;
	bool all =
		p->role == ROLE_OPERATOR || en->auth.open_energy || (p->flags & FLAG_ENERGY_OF_ALL);

	http_add_header(rq, "Cache-Control", "no-store");
	http_reply_json(rq, 200,
			json_pack("{s:s, s:s, s:b, s:b, s:s, s:I}", "user", p->name, "role",
				  token_role_name((enum token_role)p->role), "authenticated",
				  p->authenticated, "energy_of_all", all, "version",
				  PACKAGE_VERSION, "server_time_ms", (json_int_t)engine_now_ms()));
}
