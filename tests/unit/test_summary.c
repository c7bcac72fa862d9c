#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
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

static const char *merged(const char *x86, const char *arm, struct buf *out, struct buf *never,
			  int want, struct err *e)
{
	buf_reset(out);
	buf_reset(never);
	assert_int_equal(summary_merge(x86, strlen(x86), arm, strlen(arm), out, never, e), want);
	return buf_cstr(out);
}

static void what_differs_between_the_isas_never_migrates(void **state)
{
	static const char a[] = "V 1\nD main G 1 p\nC f\nD f L 2 pa\nC g\nI 1(0)\nT f 1(0)\n"
				"G main T 0\nG g U 0\nS f.x 4\nS both 8\n";
	static const char b[] = "V 1\nD main G 1 p\nC f\nD f L 2 -\nC h\nC g\nD arm L 5 -\nC i\n"
				"G main T 0\nG h U 0\nG g U 0\nS both 8\nS arm.y 1\n";
	struct buf out = {.max = 4096}, never = {.max = 4096};
	struct err e = ERR_INIT;

	(void)state;
	assert_string_equal(merged(a, a, &out, &never, 0, &e), a);
	assert_int_equal(never.len, 0);
	assert_string_equal(
		merged(a, b, &out, &never, 0, &e),
		"V 1\nD main G 1 p\nC f\nD f L 2 an:its_code_differs_between_the_ISAs\nC g\nI "
		"1(0)\n"
		"C h\nD arm L 5 n:only_one_ISA_has_it\nC i\nT f 1(0)\nG main T 0\nG g U 0\n"
		"O f.x\nG h U 0\nO arm.y\n");
	assert_string_equal(buf_cstr(&never), "2 f its_code_differs_between_the_ISAs\n"
					      "5 arm only_one_ISA_has_it\n");
	buf_free(&out);
	buf_free(&never);
}

static void a_reason_of_one_isa_holds_for_both(void **state)
{
	static const char a[] = "V 1\nD f G 2 n:inline_assembly\n", b[] = "V 1\nD f G 2 p\nC g\n";
	struct buf out = {.max = 4096}, never = {.max = 4096};
	struct err e = ERR_INIT;

	(void)state;
	assert_string_equal(merged(a, b, &out, &never, 0, &e),
			    "V 1\nD f G 2 n:inline_assembly\nC g\n");
	assert_string_equal(merged(b, a, &out, &never, 0, &e),
			    "V 1\nD f G 2 n:inline_assembly\nC g\n");
	assert_int_equal(never.len, 0);
	buf_free(&out);
	buf_free(&never);
}

static void data_of_two_sizes_is_refused_with_both_lines(void **state)
{
	static const char a[] = "V 1\nG table D 8\n", b[] = "V 1\nG table D 16\n";
	struct buf out = {.max = 4096}, never = {.max = 4096};
	struct err e = ERR_INIT;

	(void)state;
	merged(a, b, &out, &never, -EILSEQ, &e);
	assert_non_null(strstr(e.msg, "G table D 8"));
	assert_non_null(strstr(e.msg, "G table D 16"));
	merged("V 1\nC f\n", a, &out, &never, -EINVAL, &e);
	buf_free(&out);
	buf_free(&never);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_calls_and_symbols_are_read),
		cmocka_unit_test(a_malformed_line_is_named),
		cmocka_unit_test(a_nul_in_the_text_is_refused),
		cmocka_unit_test(what_differs_between_the_isas_never_migrates),
		cmocka_unit_test(a_reason_of_one_isa_holds_for_both),
		cmocka_unit_test(data_of_two_sizes_is_refused_with_both_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
