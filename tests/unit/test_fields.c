#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/fields.h"

static void fields_are_cut_at_single_blanks(void **state)
{
	char line[] = "one two rest of it";
	char *p = line;

	(void)state;
	assert_string_equal(fields_next(&p), "one");
	assert_string_equal(fields_next(&p), "two");
	assert_string_equal(fields_rest(&p), "rest of it");
	assert_null(fields_next(&p));
	assert_null(fields_rest(&p));
}

static void an_empty_field_is_none(void **state)
{
	char line[] = "one  two";
	char *p = line;

	(void)state;
	assert_string_equal(fields_next(&p), "one");
	assert_null(fields_next(&p));
}

static void numbers_are_digits_within_their_limit(void **state)
{
	uint64_t v = 0;
	uint32_t w = 0;

	(void)state;
	assert_int_equal(fields_u64("18446744073709551615", UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_not_equal(fields_u64("18446744073709551616", UINT64_MAX, &v), 0);
	assert_int_equal(fields_u32("8", 8, &w), 0);
	assert_int_equal(w, 8);
	assert_int_not_equal(fields_u32("9", 8, &w), 0);
	assert_int_not_equal(fields_u32("10", 8, &w), 0);
	assert_int_not_equal(fields_u32("5", 3, &w), 0);
	assert_int_not_equal(fields_u32("", 8, &w), 0);
	assert_int_not_equal(fields_u32("-1", 8, &w), 0);
	assert_int_not_equal(fields_u32(NULL, 8, &w), 0);
}

static void an_identity_is_sixteen_hex_digits(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(fields_hex64("00000000000000ff", &v), 0);
	assert_true(v == 255);
	assert_int_not_equal(fields_hex64("0000000000000ff", &v), 0);
	assert_int_not_equal(fields_hex64("000000000000000ff", &v), 0);
	assert_int_not_equal(fields_hex64("00000000000000FF", &v), 0);
	assert_int_not_equal(fields_hex64(NULL, &v), 0);
}

static void records_are_counted_by_their_first_letter(void **state)
{
	size_t n[256];

	(void)state;
	fields_count("V 1\nF a\nF b\nS", n);
	assert_int_equal(n['V'], 1);
	assert_int_equal(n['F'], 2);
	assert_int_equal(n['S'], 1);
	assert_int_equal(n['L'], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_cut_at_single_blanks),
		cmocka_unit_test(an_empty_field_is_none),
		cmocka_unit_test(numbers_are_digits_within_their_limit),
		cmocka_unit_test(an_identity_is_sixteen_hex_digits),
		cmocka_unit_test(records_are_counted_by_their_first_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
