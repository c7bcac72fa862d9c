/* Configuration files: settings are taken by name, and every error names its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/file.h"

static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
					{"name", required_argument, NULL, 'n'},
					{"cpus", required_argument, NULL, 'c'},
					{"stop-jobs", no_argument, NULL, 's'},
					{"help", no_argument, NULL, 'h'},
					{"config", required_argument, NULL, 'C'},
					{NULL, 0, NULL, 0}};

struct taken {
	char text[512];
	char complaints[2048];
	int ncomplaints;
};

static int take(void *arg, int opt, const char *value, struct err *e)
{
	struct taken *t = arg;
	size_t n = strlen(t->text);

	if (opt == 'c' && strcmp(value, "4") != 0)
		return err_set(e, -EINVAL, "cpus: '%s' is not 4", value);
	(void)snprintf(t->text + n, sizeof(t->text) - n, "%c[%s]", opt, value ? value : "");
	return 0;
}

static void complain(void *arg, const struct err *e)
{
	struct taken *t = arg;
	size_t n = strlen(t->complaints);

	t->ncomplaints++;
	(void)snprintf(t->complaints + n, sizeof(t->complaints) - n, "%s|%s\n", e->msg, e->hint);
}

static int parse(const char *text, struct taken *t, struct err *e)
{
	const struct config_reader r = {options, take, complain, t};
	struct config c = {NULL, 0};
	int rc;

	memset(t, 0, sizeof(*t));
	rc = config_parse(text, strlen(text), "f.conf", &r, &c, e);
	config_free(&c);
	return rc;
}

static void names_values_quotes_and_comments_are_read(void **state)
{
	struct taken t;

	(void)state;
	assert_int_equal(parse("# first\n\n listen = 127.0.0.1:7700  # where\n"
			       "name=\"a \\\"b\\\" # c\"\r\ncpus\t=\t4\nstop-jobs = yes\n",
			       &t, NULL),
			 0);
	assert_string_equal(t.text, "l[127.0.0.1:7700]n[a \"b\" # c]c[4]s[]");
}

static void a_sign_within_a_word_is_no_comment(void **state)
{
	struct taken t;

	(void)state;
	assert_int_equal(parse("name = a#b", &t, NULL), 0);
	assert_string_equal(t.text, "n[a#b]");
}

static void a_switch_that_is_off_is_not_taken(void **state)
{
	struct taken t;

	(void)state;
	assert_int_equal(parse("stop-jobs = no\n", &t, NULL), 0);
	assert_string_equal(t.text, "");
}

static void every_error_names_its_line_and_says_what_to_do(void **state)
{
	static const char *const want[] = {
		"f.conf:1: 'nonsense here' is not a line 'name = value'",
		"f.conf:2: there is no setting 'listem'|did you mean 'listen'?",
		"f.conf:3: cpus: 'many' is not 4",
		"f.conf:5: listen is set already in line 4",
		"f.conf:6: stop-jobs: 'perhaps' is neither yes nor no",
		"f.conf:7: name has no value|write name = VALUE",
		"f.conf:8: there is no setting 'help'",
		"f.conf:9: name: the quoted value does not end",
	};
	struct err e = ERR_INIT;
	struct taken t;

	(void)state;
	assert_int_equal(parse("nonsense here\nlistem = x\ncpus = many\nlisten = a\nlisten = b\n"
			       "stop-jobs = perhaps\nname =\nhelp = yes\nname = \"open\n",
			       &t, &e),
			 -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		if (!strstr(t.complaints, want[i]))
			fail_msg("'%s' is not said in:\n%s", want[i], t.complaints);
	assert_int_equal(t.ncomplaints, ARRAY_SIZE(want));
	/* What is right is taken all the same, and the first error is returned. */
	assert_string_equal(t.text, "l[a]");
	assert_non_null(strstr(e.msg, "f.conf:1:"));
}

static void a_file_that_is_named_must_be_there_and_the_standard_one_need_not(void **state)
{
	const struct config_reader r = {options, take, NULL, &(struct taken){.ncomplaints = 0}};
	char dir[256], named[300];
	char *plain[] = {"prog", NULL}, *with[] = {"prog", "--config", named, NULL};
	char *none[] = {"prog", "--config=none", NULL}, *behind[] = {"prog", "--", "--config", "x"};
	struct config c = {NULL, 0};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_temp_dir("drover-config", dir, sizeof(dir), NULL), 0);
	(void)snprintf(named, sizeof(named), "%s/mine.conf", dir);
	assert_int_equal(setenv("DROVER_CONFIG_DIR", dir, 1), 0);
	assert_int_equal(config_load(1, plain, "prog", &r, &c, &e), 0);
	assert_int_equal(config_load(3, with, "prog", &r, &c, &e), -ENOENT);
	assert_non_null(strstr(e.msg, named));
	assert_int_equal(file_write_atomic(named, "name = x\n", 9, 0600, NULL), 0);
	assert_int_equal(config_load(3, with, "prog", &r, &c, &e), 0);
	assert_int_equal(c.n, 1);
	config_free(&c);
	(void)snprintf(named, sizeof(named), "%s/prog.conf", dir);
	assert_int_equal(file_write_atomic(named, "bad\n", 4, 0600, NULL), 0);
	assert_int_equal(config_load(1, plain, "prog", &r, &c, &e), -EINVAL);
	assert_int_equal(config_load(2, none, "prog", &r, &c, &e), 0);
	assert_int_equal(config_load(4, behind, "prog", &r, &c, &e), -EINVAL);
	config_free(&c);
	assert_int_equal(file_remove_tree(dir, NULL), 0);
	assert_int_equal(unsetenv("DROVER_CONFIG_DIR"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_values_quotes_and_comments_are_read),
		cmocka_unit_test(a_sign_within_a_word_is_no_comment),
		cmocka_unit_test(a_switch_that_is_off_is_not_taken),
		cmocka_unit_test(every_error_names_its_line_and_says_what_to_do),
		cmocka_unit_test(a_file_that_is_named_must_be_there_and_the_standard_one_need_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
