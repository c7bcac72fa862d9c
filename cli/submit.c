/* drover submit: a bundle becomes a job. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/job.h"
#include "common/isa.h"

static const char usage[] =
	"usage: drover submit [OPTION]... BUNDLE [-- ARGUMENT...]\n"
	"Submits a program built by drover-cc, or a workload by name (drover-ep), as a job, and\n"
	"prints its number (of an array: the array's).\n"
	"\n"
	"  -n, --name NAME        the job's name [the bundle's file name]\n"
	"  -c, --cpus N           processors it asks for [1]\n"
	"  -m, --memory SIZE      memory it asks for: bytes, or with K, M, G [not counted]\n"
	"  -i, --isas ISA[,ISA]   where it may run [both]\n"
	"  -e, --env NAME=VALUE   a variable of its environment; may be given several times\n"
	"  -t, --time-limit S     seconds after which it is ended [none]\n"
	"  -p, --priority N       -1000 to 1000; higher starts first [0]\n"
	"  -H, --hold             wait until it is released\n"
	"  -b, --begin TIME       not before: +90s, +15m, +2h, 14:30, 2026-05-01T14:30\n"
	"  -a, --array LIST       one job for each index: 0-9, 0-9:2, 1,3,5, 0-99%4 (4 at once); "
	"an\n"
	"                         element finds its own in DROVER_ARRAY_INDEX\n"
	"  -d, --dependency D     afterok:JOB or afterany:JOB; several separated by commas;\n"
	"                         an array's id means all its elements\n"
	"  -R, --no-requeue       it may not be started from its beginning by requeue\n"
	"  -r, --max-restarts N   how often it is started anew when it is lost [3]\n"
	"  -w, --wait             wait for its end; exit with its status\n" CLI_USAGE;

static const struct option options[] = {{"name", required_argument, NULL, 'n'},
					{"cpus", required_argument, NULL, 'c'},
					{"memory", required_argument, NULL, 'm'},
					{"isas", required_argument, NULL, 'i'},
					{"env", required_argument, NULL, 'e'},
					{"time-limit", required_argument, NULL, 't'},
					{"priority", required_argument, NULL, 'p'},
					{"hold", no_argument, NULL, 'H'},
					{"begin", required_argument, NULL, 'b'},
					{"array", required_argument, NULL, 'a'},
					{"dependency", required_argument, NULL, 'd'},
					{"no-requeue", no_argument, NULL, 'R'},
					{"max-restarts", required_argument, NULL, 'r'},
					{"wait", no_argument, NULL, 'w'},
					CLI_OPTIONS,
					{NULL, 0, NULL, 0}};

static int add_isas(json_t *body, const char *text, struct err *e)
{
	json_t *arr = json_array();

	(void)json_object_set_new(body, "isas", arr);
	while (*text) {
		size_t len = strcspn(text, ",");
		char name[16];
		int isa;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, text);
		isa = len < sizeof(name) ? isa_parse(name) : -EINVAL;
		if (isa < 0)
			return err_set(e, -EINVAL, "--isas: '%.*s' is neither x86_64 nor aarch64",
				       (int)len, text);
		(void)json_array_append_new(arr, json_string(isa_name((enum isa)isa)));
		text += len + (text[len] == ',');
	}
	return json_array_size(arr) ? 0 : err_set(e, -EINVAL, "--isas: none is named");
}

static int add_number(json_t *body, const char *key, const char *text, struct err *e)
{
	if (!*text || strlen(text) > 9 || text[strspn(text, "0123456789")])
		return err_set(e, -EINVAL, "%s: '%s' is not a whole number", key, text);
	(void)json_object_set_new(body, key, json_integer(strtol(text, NULL, 10)));
	return 0;
}

static int add_env(json_t *env, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	char name[256];

	if (!eq || eq == text || (size_t)(eq - text) >= sizeof(name))
		return err_set(e, -EINVAL, "--env: '%s' is not NAME=VALUE", text);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(eq - text), text);
	(void)json_object_set_new(env, name, json_string(eq + 1));
	return 0;
}

static int finish(struct cli *c, const json_t *job, bool wait, struct err *e)
{
	_cleanup_json_ json_t *last = NULL;
	const char *id = json_string_value(json_object_get(job, "id"));
	const char *state, *reason;
	int rc;

	if (!id)
		return err_set(e, -EPROTO, "the scheduler's answer has no job id");
	if (!wait) {
		if (c->json)
			cli_print_json(job);
		else
			(void)printf("%s\n", id);
		return 0;
	}
	rc = cli_job_wait(c, id, &last, e);
	if (rc)
		return rc;
	state = json_string_value(json_object_get(last, "state"));
	reason = json_string_value(json_object_get(last, "reason"));
	if (c->json)
		cli_print_json(last);
	else
		(void)printf("%s %s%s%s\n", id, state, reason && *reason ? ": " : "",
			     reason ? reason : "");
	if (!strcmp(state, "COMPLETED"))
		return 0;
	rc = (int)json_integer_value(json_object_get(last, "exit_code"));
	return rc > 0 && rc < 256 ? rc : 1;
}

static int add_memory(json_t *body, const char *text, struct err *e)
{
	static const char units[] = "KMGT";
	char *end;
	const char *unit;
	unsigned long long n = strtoull(text, &end, 10);

	unit = *end ? strchr(units, *end) : NULL;
	if (end == text || *text == '-' || n > 1ull << 40 || (*end && (!unit || end[1])))
		return err_set(e, -EINVAL, "--memory: '%.40s' is not a size (4G, 512M, bytes)",
			       text);
	n <<= unit ? 10 * (unit - units + 1) : 0;
	(void)json_object_set_new(body, "memory_bytes", json_integer((json_int_t)n));
	return 0;
}

static int add_priority(json_t *body, const char *text, struct err *e)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < -1000 || n > 1000)
		return err_set(e, -EINVAL, "--priority: '%.40s' is not from -1000 to 1000", text);
	(void)json_object_set_new(body, "priority", json_integer(n));
	return 0;
}

static int add_begin(json_t *body, const char *text, struct err *e)
{
	char ago[48];
	int64_t ms, now;
	int rc;

	/* "+2h" is as far ahead as "-2h" is behind. */
	(void)snprintf(ago, sizeof(ago), "-%.40s", text + 1);
	if (*text == '+' && !cli_parse_time("now", &now, e) && !cli_parse_time(ago, &ms, NULL))
		ms = 2 * now - ms;
	else if ((rc = cli_parse_time(text, &ms, e)))
		return rc;
	(void)json_object_set_new(body, "begin_ms", json_integer(ms));
	return 0;
}

/* afterok:12,afterany:13 */
static int add_dependencies(json_t *body, const char *text, struct err *e)
{
	json_t *arr = json_array();

	(void)json_object_set_new(body, "dependencies", arr);
	while (*text) {
		size_t len = strcspn(text, ","), type = strcspn(text, ":");
		char kind[16], job[32];

		if (type >= len || type >= sizeof(kind) || len - type > sizeof(job) ||
		    type + 1 == len)
			return err_set(e, -EINVAL,
				       "--dependency: '%.*s' is not afterok:JOB or afterany:JOB",
				       (int)len, text);
		(void)snprintf(kind, sizeof(kind), "%.*s", (int)type, text);
		(void)snprintf(job, sizeof(job), "%.*s", (int)(len - type - 1), text + type + 1);
		if (strcmp(kind, "afterok") != 0 && strcmp(kind, "afterany") != 0)
			return err_set(e, -EINVAL,
				       "--dependency: '%s' is neither afterok nor afterany", kind);
		(void)json_array_append_new(arr, json_pack("{s:s, s:s}", "type", kind, "job", job));
		text += len + (text[len] == ',');
	}
	return json_array_size(arr) ? 0 : err_set(e, -EINVAL, "--dependency: none is named");
}

struct submission {
	json_t *body;
	bool wait;
};

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct submission *s = arg;

	switch (opt) {
	case 'n':
		return json_object_set_new(s->body, "name", json_string(value));
	case 'a':
		return json_object_set_new(s->body, "array", json_string(value));
	case 'H':
		return json_object_set_new(s->body, "hold", json_true());
	case 'R':
		return json_object_set_new(s->body, "requeue", json_false());
	case 'c':
		return add_number(s->body, "cpus", value, e);
	case 'm':
		return add_memory(s->body, value, e);
	case 't':
		return add_number(s->body, "time_limit_s", value, e);
	case 'r':
		return add_number(s->body, "max_restarts", value, e);
	case 'p':
		return add_priority(s->body, value, e);
	case 'b':
		return add_begin(s->body, value, e);
	case 'd':
		return add_dependencies(s->body, value, e);
	case 'i':
		return add_isas(s->body, value, e);
	case 'w':
		s->wait = true;
		return 0;
	default:
		return add_env(json_object_get(s->body, "env"), value, e);
	}
}

/* Waits for every element; the status of the first that did not complete. */
static int finish_array(struct cli *c, const json_t *answer, bool wait, struct err *e)
{
	const char *id = json_string_value(json_object_get(answer, "array"));
	const json_t *jobs = json_object_get(answer, "jobs"), *one;
	int status = 0;
	size_t i;

	if (c->json)
		cli_print_json(answer);
	else if (!wait)
		(void)printf("%s\n", id ? id : "?");
	if (!wait)
		return 0;
	json_array_foreach((json_t *)(uintptr_t)jobs, i, one)
	{
		_cleanup_json_ json_t *job = json_pack("{s:O}", "id", one);
		int rc = finish(c, job, true, e);

		if (rc < 0)
			return rc;
		status = status ? status : rc;
	}
	return status;
}

static void complete_body(struct submission *s, const struct cli *c, const struct cli_bundle *b)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *slash = strrchr(b->path, '/');
	int first = c->nargs > 1 && !strcmp(c->args[1], "--") ? 2 : 1;

	for (int i = first; i < c->nargs; i++)
		(void)json_array_append_new(json_object_get(s->body, "args"),
					    json_string(c->args[i]));
	(void)json_object_set_new(s->body, "bundle", json_string(b->sha256));
	if (!json_object_get(s->body, "name"))
		(void)json_object_set_new(s->body, "name",
					  json_string(slash ? slash + 1 : b->path));
	if (pw)
		(void)json_object_set_new(s->body, "user", json_string(pw->pw_name));
}

static int cmd_submit(int argc, char **argv)
{
	struct cli c = {.command = &command_submit};
	_cleanup_json_ json_t *body = json_pack("{s:{}, s:[]}", "env", "args"), *job = NULL;
	struct submission s = {.body = body};
	struct cli_bundle b;
	struct err e = ERR_INIT;
	int rc = cli_parse(&c, argc, argv, take, &s, 1, 100000);

	if (rc)
		return rc;
	rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_bundle_ensure(&c, c.args[0], &b, &e);
	if (!rc) {
		complete_body(&s, &c, &b);
		rc = cli_job_submit(&c, body, &job, &e);
	}
	/* An array answers with its number and its elements', one job with itself. */
	if (!rc)
		rc = json_is_string(json_object_get(job, "array"))
			     ? finish_array(&c, job, s.wait, &e)
			     : finish(&c, job, s.wait, &e);
	cli_close(&c);
	return rc < 0 ? cli_fail(&e) : rc;
}

const struct command command_submit = {
	"submit", "BUNDLE [-- ARGUMENT...]", "run a bundle as a job", cmd_submit, options, usage};
