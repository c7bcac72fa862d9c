#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/object/summary.h"

static int parse(struct summary *s, const char *text, struct err *e)
{
	return summary_parse(s, text, strlen(text), e);
}

static void functions_calls_and_symbols_are_read(void **state)
{
	struct err e = ERR_INIT;
	struct summary s;

	(void)state;
	assert_int_equal(parse(&s,
			       "V 1\nD main G 7 p\nC work\nI void(ptr)\nD work L 12 an:inline-asm\n"
			       "T work void(ptr)\nG main T 40\nG puts U 0\n",
			       &e),
			 0);
	assert_int_equal(s.nfns, 2);
	assert_string_equal(s.fns[0].name, "main");
	assert_true(s.fns[0].polls && !s.fns[0].local && !s.fns[0].never);
	assert_int_equal(s.fns[0].line, 7);
	assert_int_equal(s.fns[0].ncalls, 2);
	assert_string_equal(s.calls[0].callee, "work");
	assert_null(s.calls[1].callee);
	assert_string_equal(s.calls[1].type, "void(ptr)");
	assert_true(s.fns[1].local && s.fns[1].address_taken);
	assert_string_equal(s.fns[1].never, "inline-asm");
	assert_int_equal(s.ntaken, 1);
	assert_int_equal(s.nsymbols, 2);
	assert_int_equal(s.symbols[0].size, 40);
	assert_int_equal(s.symbols[1].kind, 'U');
	summary_free(&s);
}

static void a_malformed_line_is_named(void **state)
{
	static const struct {
		const char *text, *line;
	} bad[] = {
		{"", "empty"},
		{"V 2\n", "line 1"},
		{"V 1\nD main G\n", "line 2"},
		{"V 1\nD main X 1 p\n", "line 2"},
		{"V 1\nD main G 1 q\n", "line 2"},
		{"V 1\nC work\n", "line 2"},
		{"V 1\nG a T 1\nG b Z 1\n", "line 3"},
		{"V 1\nG a T 99999999999999999999\n", "line 2"},
		{"V 1\nT only\n", "line 2"},
		{"V 1\nnonsense\n", "line 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct summary s;

		assert_true(parse(&s, bad[i].text, &e) < 0);
		assert_non_null(strstr(e.msg, bad[i].line));
		assert_null(s.fns);
	}
}

static void a_nul_in_the_text_is_refused(void **state)
{
	struct err e = ERR_INIT;
	struct summary s;

	(void)state;
	assert_true(summary_parse(&s, "V 1\n\0\n", 6, &e) < 0);
}

static void a_difference_between_the_isas_shows_both_lines(void **state)
{
	static const char a[] = "V 1\nD main G 1 -\nD x86_only L 2 -\n";
	static const char b[] = "V 1\nD main G 1 -\nD arm_only L 2 -\n";
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(summary_same(a, strlen(a), a, strlen(a), &e), 0);
	assert_true(summary_same(a, strlen(a), b, strlen(b), &e) < 0);
	assert_non_null(strstr(e.msg, "D x86_only L 2"));
	assert_non_null(strstr(e.msg, "D arm_only L 2"));
	assert_non_null(strstr(e.msg, "line 3"));
	assert_true(summary_same(a, strlen(a), a, 10, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_calls_and_symbols_are_read),
		cmocka_unit_test(a_malformed_line_is_named),
		cmocka_unit_test(a_nul_in_the_text_is_refused),
		cmocka_unit_test(a_difference_between_the_isas_shows_both_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
