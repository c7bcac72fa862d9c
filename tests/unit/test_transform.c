#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/bundle/transform.h"

static const char good[] = "V 1\n"
			   "M m000 a file.c\n"
			   "F 00000000000000aa main 3 1\n"
			   "A 0 96\n"
			   "S 0 call work 5 16\n"
			   "L 0 8 ptr .tmp\n"
			   "L 8 4 i32 n\n"
			   "S 1 poll - 9 0\n"
			   "V 1\n"
			   "M m001 b.c\n"
			   "F 00000000000000bb work.m001 1 0\n"
			   "S 0 icall - 2 16\n"
			   "L 0 16 <4 x f32> v\n";

static void functions_sites_and_values_are_read(void **state)
{
	const struct transform_fn *f;
	struct err e = ERR_INIT;
	struct transform t;

	(void)state;
	assert_int_equal(transform_parse(&t, good, sizeof good - 1, &e), 0);
	assert_int_equal(t.nfns, 2);
	assert_int_equal(t.nsites, 3);
	assert_int_equal(t.nvalues, 3);
	f = transform_find(&t, 0xaa);
	assert_non_null(f);
	assert_string_equal(f->source, "a file.c");
	assert_int_equal(f->common, 96);
	assert_int_equal(f->nsites, 2);
	assert_string_equal(t.sites[f->first_site].callee, "work");
	assert_int_equal(t.sites[f->first_site].nvalues, 2);
	assert_string_equal(t.values[1].name, "n");
	f = transform_find(&t, 0xbb);
	assert_non_null(f);
	assert_string_equal(f->module, "m001");
	assert_string_equal(t.values[2].type, "<4 x f32>");
	assert_null(transform_find(&t, 0xcc));
	transform_free(&t);
}

static void an_empty_table_has_no_functions(void **state)
{
	struct err e = ERR_INIT;
	struct transform t;

	(void)state;
	assert_int_equal(transform_parse(&t, "", 0, &e), 0);
	assert_int_equal(t.nfns, 0);
	transform_free(&t);
}

static void a_malformed_line_is_named(void **state)
{
#define F "V 1\nM m000 a.c\nF 00000000000000aa main 3 1\n"
	static const struct {
		const char *text, *line;
	} bad[] = {
		{"M m000 a.c\n", "line 1"},
		{"V 1\nF 00000000000000aa main 3 1\n", "line 2"},
		{"V 1\nM m000 a.c\nF 0aa main 3 1\n", "line 3"},
		{"V 1\nM m000 a.c\nF 00000000000000aa main 3 99\n", "line 3"},
		{F "S 1 poll - 1 0\n", "line 4"},
		{F "S 0 jump - 1 0\n", "line 4"},
		{F "S 0 poll - 1 99999999\n", "line 4"},
		{F "L 0 8 ptr x\n", "line 4"},
		{F "S 0 poll - 1 8\nL 4 8 ptr x\n", "line 5"},
		{F "S 0 poll - 1 8\nL 0 8 ptr\n", "line 5"},
		{F "S 0 poll - 1 8\nA 0 8\n", "line 5"},
		{F "Q\n", "line 4"},
	};
#undef F

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct transform t;

		assert_true(transform_parse(&t, bad[i].text, strlen(bad[i].text), &e) < 0);
		assert_non_null(strstr(e.msg, bad[i].line));
		assert_null(t.fns);
	}
}

static void another_version_is_told_from_damage(void **state)
{
	struct err e = ERR_INIT;
	struct transform t;

	(void)state;
	assert_true(transform_parse(&t, "V 2\n", 4, &e) < 0);
	assert_non_null(strstr(e.msg, "version"));
}

static void functions_that_never_migrate_are_read_with_their_effect(void **state)
{
	static const char text[] = "V 1\nM m000 a.c\nN holds 7 waits inline_assembly\n"
				   "N quick.m000 9 harmless own_frame\n";
	static const char bad[] = "V 1\nM m000 a.c\nN holds 7 perhaps inline_assembly\n";
	struct err e = ERR_INIT;
	struct transform t;

	(void)state;
	assert_int_equal(transform_parse(&t, text, strlen(text), &e), 0);
	assert_int_equal(t.nblocked, 2);
	assert_string_equal(t.blocked[0].name, "holds");
	assert_string_equal(t.blocked[0].reason, "inline_assembly");
	assert_string_equal(t.blocked[0].source, "a.c");
	assert_int_equal(t.blocked[0].line, 7);
	assert_true(t.blocked[0].waits);
	assert_false(t.blocked[1].waits);
	transform_free(&t);
	assert_true(transform_parse(&t, bad, strlen(bad), &e) < 0);
	assert_non_null(strstr(e.msg, "line 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_sites_and_values_are_read),
		cmocka_unit_test(an_empty_table_has_no_functions),
		cmocka_unit_test(a_malformed_line_is_named),
		cmocka_unit_test(another_version_is_told_from_damage),
		cmocka_unit_test(functions_that_never_migrate_are_read_with_their_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
