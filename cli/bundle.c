/* drover bundle: the programs the scheduler holds. */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/job.h"
#include "cli/table.h"

static const char usage[] =
	"usage: drover bundle [list | add FILE... | show SHA256|FILE] [OPTION]...\n"
	"Programs built by drover-cc that were submitted or uploaded: lists them, uploads some\n"
	"(submit does that by itself), or shows one.\n"
	"\n" CLI_LIST_USAGE;

static const struct option options[] = {CLI_LIST_OPTIONS, {NULL, 0, NULL, 0}};

static void join_isas(const json_t *row, const char *key, char *out, size_t size)
{
	const json_t *isas = json_object_get(row, key), *one;
	size_t i, n = 0;

	(void)snprintf(out, size, "-");
	json_array_foreach((json_t *)(uintptr_t)isas, i, one)
	{
		const char *name = json_string_value(one);

		if (n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "," : "",
					      name ? name : "?");
	}
}

static const struct cli_column columns[] = {
	{"NAME", "name", cli_any, false, false},
	{"ISAS", "isas", join_isas, false, false},
	{"SIZE", "size", cli_bytes, true, false},
	{"SINCE", "created_ms", cli_time_ms, false, false},
	{"SHA256", "sha256", cli_any, false, false},
	{NULL, NULL, NULL, false, false},
};

static int list(struct cli *c, void *arg, struct err *e)
{
	_cleanup_json_ json_t *rows = NULL;
	int rc = cli_fetch_all(c, "/v1/bundles", "bundles", &rows, e);

	(void)arg;
	if (rc)
		return rc;
	if (!c->json)
		return cli_table(&c->view, columns, rows, e);
	cli_print_json(rows);
	return 0;
}

static int add(struct cli *c, void *arg, struct err *e)
{
	(void)arg;
	for (int i = 1; i < c->nargs; i++) {
		struct cli_bundle b;
		int rc = cli_bundle_ensure(c, c->args[i], &b, e);

		if (rc)
			return rc;
		if (c->json) {
			_cleanup_json_ json_t *j =
				json_pack("{s:s, s:s}", "file", b.path, "sha256", b.sha256);

			cli_print_json(j);
		} else {
			(void)printf("%s  %s\n", b.sha256, b.path);
		}
	}
	return 0;
}

static int show(struct cli *c, void *arg, struct err *e)
{
	const char *what = c->args[1];
	_cleanup_json_ json_t *j = NULL;
	_cleanup_buf_ struct buf path = {0};
	char sha[65];
	int rc = 0;

	(void)arg;
	(void)snprintf(sha, sizeof(sha), "%s", what);
	if (strlen(what) != 64 || what[strspn(what, "0123456789abcdef")])
		rc = cli_bundle_hash(what, sha, e);
	if (!rc)
		rc = cli_path(&path, "/v1/bundles/", sha, "/info", e);
	if (!rc)
		rc = cli_get(c, path.data, &j, e);
	if (rc)
		return rc;
	if (c->json)
		cli_print_json(j);
	else
		cli_fields(j);
	return 0;
}

static int cmd_bundle(int argc, char **argv)
{
	struct cli c = {.command = &command_bundle};
	int rc = cli_parse(&c, argc, argv, NULL, NULL, 0, 1000);
	const char *what = rc || !c.nargs ? "list" : c.args[0];

	if (rc)
		return rc;
	if (!strcmp(what, "list") && c.nargs <= 1)
		return cli_watch(&c, list, NULL);
	c.view.watch_s = 0;
	if (!strcmp(what, "add") && c.nargs > 1)
		return cli_watch(&c, add, NULL);
	if (!strcmp(what, "show") && c.nargs == 2)
		return cli_watch(&c, show, NULL);
	return cli_usage(&c, "bundle takes list, add FILE..., or show SHA256|FILE");
}

const struct command command_bundle = {"bundle",
				       "[list | add FILE... | show SHA256|FILE]",
				       "programs the scheduler holds",
				       cmd_bundle,
				       options,
				       usage};
