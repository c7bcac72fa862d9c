#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/driver/diag.h"

static void expect_new(const char *first, const char *second, const char *want)
{
	struct buf out = {.max = 1u << 16};

	assert_int_equal(diag_new(first, second, &out), 0);
	assert_string_equal(buf_cstr(&out), want);
	buf_free(&out);
}

static const char shared[] = "a.c:3:5: warning: unused variable 'x' [-Wunused-variable]\n"
			     "    3 |   int x;\n"
			     "      |       ^\n";

static void what_both_compilers_say_is_shown_once(void **state)
{
	(void)state;
	expect_new(shared, shared, "");
}

static void what_only_the_second_says_is_shown_with_its_source_lines(void **state)
{
	static const char only[] = "a.c:9:1: error: long is too short\n"
				   "    9 | int y;\n";
	char both[512];

	(void)state;
	snprintf(both, sizeof both, "%s%s1 warning and 1 error generated.\n", shared, only);
	expect_new(shared, both, only);
}

static void colours_do_not_hide_a_message(void **state)
{
	static const char coloured[] =
		"\033[1ma.c:9:1: \033[0m\033[0;1;31merror: \033[0m\033[1mtoo short\033[0m\n";

	(void)state;
	assert_true(diag_begins(coloured, strlen(coloured)));
	expect_new("", coloured, coloured);
	expect_new(coloured, coloured, "");
}

static void source_lines_are_not_messages(void **state)
{
	static const char line[] = "    3 |   puts(\"x: error: y\");";

	(void)state;
	assert_false(diag_begins(line, strlen(line)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_both_compilers_say_is_shown_once),
		cmocka_unit_test(what_only_the_second_says_is_shown_with_its_source_lines),
		cmocka_unit_test(colours_do_not_hide_a_message),
		cmocka_unit_test(source_lines_are_not_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
