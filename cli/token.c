/* drover token, drover cert: what a scheduler that is reached from elsewhere needs. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "common/cert.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/paths.h"
#include "common/token.h"

#define DAY_S 86400u

/* clang-format off */
#define LOCAL_OPTIONS                                          \
	{ "json", no_argument, NULL, CLI_OPT_JSON },           \
	{ "config", required_argument, NULL, CLI_OPT_CONFIG }, \
	{ "help", no_argument, NULL, CLI_OPT_HELP }
/* clang-format on */

enum {
	OPT_USER = CLI_OPT_OWN,
	OPT_ROLE,
	OPT_DAYS,
	OPT_KEY,
	OPT_OUT,
	OPT_ENERGY,
	OPT_DIR,
	OPT_NAME,
};

static int parse_days(const char *text, unsigned int *days, struct err *e)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v < 1 || v > 36500)
		return err_set(e, -EINVAL, "--days: \"%.40s\" is not a number from 1 to 36500",
			       text);
	*days = (unsigned int)v;
	return 0;
}

/* ---- token -------------------------------------------------------------- */

struct token_args {
	const char *user, *key, *out;
	enum token_role role;
	unsigned int days;
	bool energy_of_all;
};

static const struct option token_options[] = {
	{"user", required_argument, NULL, OPT_USER},
	{"role", required_argument, NULL, OPT_ROLE},
	{"days", required_argument, NULL, OPT_DAYS},
	{"energy-of-all", no_argument, NULL, OPT_ENERGY},
	{"key", required_argument, NULL, OPT_KEY},
	{"out", required_argument, NULL, OPT_OUT},
	LOCAL_OPTIONS,
	{NULL, 0, NULL, 0},
};

static int take_token(void *arg, int opt, const char *value, struct err *e)
{
	struct token_args *a = arg;

	switch (opt) {
	case OPT_USER:
		a->user = value;
		return 0;
	case OPT_ROLE:
		a->role = token_role_parse(value);
		if (!a->role)
			return err_set(e, -EINVAL,
				       "--role: \"%.40s\" is not viewer, user, operator or agent",
				       value);
		return 0;
	case OPT_DAYS:
		return parse_days(value, &a->days, e);
	case OPT_ENERGY:
		a->energy_of_all = true;
		return 0;
	case OPT_KEY:
		a->key = value;
		return 0;
	default:
		a->out = value;
		return 0;
	}
}

static int write_token(const char *text, const char *out, struct err *e)
{
	char line[TOKEN_MAX + 1];
	int n = snprintf(line, sizeof(line), "%s\n", text);

	if (out)
		return file_write_atomic(out, line, (size_t)n, 0600, e);
	(void)fputs(line, stdout);
	return 0;
}

static int make_token(const struct cli *c, const struct token_args *a, struct err *e)
{
	uint64_t now = clock_realtime_ns() / NS_PER_S;
	struct token_claims claims = {.role = a->role,
				      .issued_s = now,
				      .expires_s = now + (uint64_t)a->days * DAY_S,
				      .energy_of_all = a->energy_of_all};
	char base[2048], path[2176], text[TOKEN_MAX];
	struct token_key key = {.len = 0};
	_cleanup_json_ json_t *o = NULL;
	int r = a->key ? 0 : paths_state_dir(base, sizeof(base));

	if (r)
		return err_sys(e, r, "can't tell where droverd keeps its state");
	if (!a->key)
		(void)snprintf(path, sizeof(path), "%s/scheduler/token.key", base);
	(void)snprintf(claims.name, sizeof(claims.name), "%s", a->user);
	r = token_key_load(&key, a->key ? a->key : path, e);
	if (r == -ENOENT)
		(void)err_hint(e, "droverd makes it when it starts; name another by --key");
	if (!r)
		r = token_make(&key, &claims, text, e);
	token_key_clear(&key);
	if (!r && c->json) {
		o = json_pack("{s:s, s:s, s:s, s:I}", "token", text, "user", claims.name, "role",
			      token_role_name(claims.role), "expires_s",
			      (json_int_t)claims.expires_s);
		if (a->out)
			r = write_token(text, a->out, e);
		else
			cli_print_json(o);
	} else if (!r) {
		r = write_token(text, a->out, e);
	}
	explicit_bzero(text, sizeof(text));
	return r;
}

static int cmd_token(int argc, char **argv)
{
	struct token_args a = {.days = 30, .role = ROLE_USER};
	struct cli c = {.command = &command_token};
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, take_token, &a, 0, 0);

	if (rc)
		return rc;
	if (!a.user)
		a.user = a.role == ROLE_AGENT ? "*" : getenv("USER");
	if (!a.user || !*a.user || strlen(a.user) >= TOKEN_NAME_MAX)
		return cli_usage(&c, "--user is needed: a name of 1 to 63 bytes");
	return make_token(&c, &a, &e) ? cli_fail(&e) : 0;
}

const struct command command_token = {
	"token",
	"[OPTION]...",
	"make a token for a user or an agent",
	cmd_token,
	token_options,
	"usage: drover token [OPTION]...\n"
	"Makes a token with the key of the scheduler of this machine. Keep it in a file that only "
	"its\n"
	"owner can read, and name that file by --token-file or $DROVER_TOKEN_FILE.\n"
	"\n"
	"      --user NAME      whose it is [you]; for an agent its node's name [*: any node]\n"
	"      --role ROLE      viewer, user [default], operator or agent\n"
	"      --days N         how long it is valid [30]\n"
	"      --energy-of-all  may see the energy of everybody's jobs\n"
	"      --key FILE       the scheduler's token key [token.key in its state directory]\n"
	"      --out FILE       write it there, mode 0600, instead of printing it\n"
	"      --json, --config FILE, --help\n"};

/* ---- cert --------------------------------------------------------------- */

struct cert_args {
	const char *dir, *name;
	unsigned int days;
};

static const struct option cert_options[] = {
	{"dir", required_argument, NULL, OPT_DIR},
	{"name", required_argument, NULL, OPT_NAME},
	{"days", required_argument, NULL, OPT_DAYS},
	LOCAL_OPTIONS,
	{NULL, 0, NULL, 0},
};

static int take_cert(void *arg, int opt, const char *value, struct err *e)
{
	struct cert_args *a = arg;

	if (opt == OPT_DAYS)
		return parse_days(value, &a->days, e);
	*(opt == OPT_DIR ? &a->dir : &a->name) = value;
	return 0;
}

static int make_certs(const struct cli *c, const struct cert_args *a, struct err *e)
{
	static const char *const local[] = {"localhost", "127.0.0.1", "::1"};
	static const char *const files[] = {"ca.key", "ca.crt", ".key", ".crt"};
	const char *names[68];
	char paths[4][4096], file[128];
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(files); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", i < 2 ? "" : a->name, files[i]);
		r = file_join(paths[i], sizeof(paths[i]), a->dir, file);
	}
	if (r)
		return err_set(e, r, "--dir: the name is too long");
	for (int i = 0; i < c->nargs; i++)
		names[n++] = c->args[i];
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		names[n++] = local[i];
	r = file_mkdir_p(a->dir, 0700, e);
	/* An authority that is there signs further servers. */
	if (!r && access(paths[0], F_OK))
		r = cert_make_authority(paths[0], paths[1], "Drover cluster", 3650, e);
	if (!r)
		r = cert_make_server(paths[2], paths[3], paths[0], paths[1], names, n, a->days, e);
	if (!r)
		(void)printf("authority    %s (its key %s: keep it away from the cluster)\n"
			     "certificate  %s\nkey          %s\n\n"
			     "droverd --tls-cert %s --tls-key %s\n"
			     "DROVER_CA=%s drover --server https://%s:PORT ...\n",
			     paths[1], paths[0], paths[3], paths[2], paths[3], paths[2], paths[1],
			     names[0]);
	return r;
}

static int cmd_cert(int argc, char **argv)
{
	struct cert_args a = {".", "server", 825};
	struct cli c = {.command = &command_cert};
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, take_cert, &a, 0, 64);

	if (rc)
		return rc;
	if (!*a.name || strchr(a.name, '/') || strlen(a.name) > 64 || !strcmp(a.name, "ca"))
		return cli_usage(&c, "--name must be a file's name without its suffix");
	return make_certs(&c, &a, &e) ? cli_fail(&e) : 0;
}

const struct command command_cert = {
	"cert",
	"[OPTION]... [HOST|ADDRESS]...",
	"make certificates for a scheduler",
	cmd_cert,
	cert_options,
	"usage: drover cert [OPTION]... [HOST|ADDRESS]...\n"
	"Makes an authority (ca.key, ca.crt), or uses the one that is there, and with it a key and "
	"a\n"
	"certificate (server.key, server.crt) for a scheduler that is reached under these names, "
	"and\n"
	"on its own machine. Keys have mode 0600. ca.crt is what agents and users need.\n"
	"\n"
	"      --dir DIR      where the files are [.]\n"
	"      --name NAME    names of the files: NAME.key, NAME.crt [server]\n"
	"      --days N       how long the certificate is valid [825]\n"
	"      --json, --config FILE, --help\n"};
