/* drover submit: a bundle becomes a job. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/job.h"
#include "common/isa.h"

static const char submit_usage[] =
	"usage: drover submit [OPTION]... BUNDLE [-- ARGUMENT...]\n"
	"Submits a program built by drover-cc, or a workload by name (drover-ep), as a job.\n"
	"\n"
	"  --name NAME        the job's name [the bundle's file name]\n"
	"  --cpus N           processors it asks for [1]\n"
	"  --isas ISA[,ISA]   where it may run [both]\n"
	"  --env NAME=VALUE   a variable of its environment; may be given several times\n"
	"  --time-limit S     seconds after which it is ended [none]\n"
	"  --max-restarts N   how often it is started anew when it is lost [3]\n"
	"  --wait             wait for its end; exit with its status\n"
	"  --json, --server URL, --help\n";

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

static int take(int opt, json_t *body, struct err *e)
{
	switch (opt) {
	case 'n':
		return json_object_set_new(body, "name", json_string(optarg));
	case 'c':
		return add_number(body, "cpus", optarg, e);
	case 't':
		return add_number(body, "time_limit_s", optarg, e);
	case 'r':
		return add_number(body, "max_restarts", optarg, e);
	case 'i':
		return add_isas(body, optarg, e);
	default:
		return add_env(json_object_get(body, "env"), optarg, e);
	}
}

int cmd_submit(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
						{"cpus", required_argument, NULL, 'c'},
						{"isas", required_argument, NULL, 'i'},
						{"env", required_argument, NULL, 'e'},
						{"time-limit", required_argument, NULL, 't'},
						{"max-restarts", required_argument, NULL, 'r'},
						{"wait", no_argument, NULL, 'w'},
						CLI_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct cli c = {.usage = submit_usage};
	_cleanup_json_ json_t *body = json_pack("{s:{}, s:[]}", "env", "args"), *job = NULL;
	const struct passwd *pw = getpwuid(getuid());
	struct cli_bundle b;
	struct err e = ERR_INIT;
	bool wait = false;
	int opt, rc = 0;

	while (!rc && (opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (cli_option(&c, opt))
			continue;
		if (opt == 'w')
			wait = true;
		else
			rc = take(opt, body, &e);
	}
	if (!rc && optind >= argc)
		return cli_usage(&c, "no bundle is named");
	if (!rc)
		rc = cli_open(&c, &e);
	if (!rc)
		rc = cli_bundle_ensure(&c, argv[optind], &b, &e);
	if (!rc) {
		const char *slash = strrchr(b.path, '/');
		int first = optind + 1;

		if (first < argc && !strcmp(argv[first], "--"))
			first++;
		for (int i = first; i < argc; i++)
			(void)json_array_append_new(json_object_get(body, "args"),
						    json_string(argv[i]));
		(void)json_object_set_new(body, "bundle", json_string(b.sha256));
		if (!json_object_get(body, "name"))
			(void)json_object_set_new(body, "name",
						  json_string(slash ? slash + 1 : b.path));
		if (pw)
			(void)json_object_set_new(body, "user", json_string(pw->pw_name));
		rc = cli_job_submit(&c, body, &job, &e);
	}
	if (!rc)
		rc = finish(&c, job, wait, &e);
	cli_close(&c);
	return rc < 0 ? cli_fail(&e) : rc;
}
