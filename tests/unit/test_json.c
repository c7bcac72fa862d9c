/* Typed fields of JSON objects: what is taken, what is refused, and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/json.h"

static struct err e;

static json_t *parsed(const char *text)
{
	json_t *v = NULL;

	assert_int_equal(json_parse(text, strlen(text), 4096, "text", &v, &e), 0);
	return v;
}

static void fields_of_every_type_are_read(void **state)
{
	_cleanup_json_ json_t *v = parsed("{\"s\":\"x\",\"n\":7,\"i\":-3,\"d\":2.5,\"b\":true,"
					  "\"o\":{},\"a\":[1],\"e\":\"two\",\"z\":null}");
	static const char *const names[] = {"one", "two", NULL};
	const json_t *o = NULL, *a = NULL;
	char s[8] = "", z[8] = "kept";
	struct json_fields f;
	uint64_t n = 0;
	int64_t i = 0;
	double d = 0;
	bool b = false;
	int en = -1;

	(void)state;
	json_fields_init(&f, v, "job", &e);
	json_get_str(&f, "s", JSON_REQUIRED, s, sizeof(s));
	json_get_u64(&f, "n", JSON_REQUIRED, 0, 10, &n);
	json_get_i64(&f, "i", JSON_REQUIRED, -5, 5, &i);
	json_get_f64(&f, "d", JSON_REQUIRED, 0, 3, &d);
	json_get_bool(&f, "b", JSON_REQUIRED, &b);
	json_get_obj(&f, "o", JSON_REQUIRED, &o);
	json_get_arr(&f, "a", JSON_REQUIRED, 1, &a);
	json_get_enum(&f, "e", JSON_REQUIRED, names, &en);
	json_get_str(&f, "z", JSON_OPTIONAL, z, sizeof(z));
	assert_int_equal(json_fields_end(&f), 0);
	assert_string_equal(s, "x");
	assert_int_equal(n, 7);
	assert_int_equal(i, -3);
	assert_true(d > 2.4 && d < 2.6);
	assert_true(b && o && a);
	assert_int_equal(en, 1);
	assert_string_equal(z, "kept");
}

/* What the error says when field k of text is read as a number from 1 to 5. */
static const char *number_error(const char *text)
{
	_cleanup_json_ json_t *v = parsed(text);
	struct json_fields f;
	uint64_t n = 99;

	err_clear(&e);
	json_fields_init(&f, v, "job", &e);
	json_get_u64(&f, "k", JSON_REQUIRED, 1, 5, &n);
	assert_int_equal(json_fields_end(&f), -EINVAL);
	return e.msg;
}

static void refusals_name_the_field_and_the_rule(void **state)
{
	(void)state;
	assert_string_equal(number_error("{}"), "job.k: is required");
	assert_string_equal(number_error("{\"k\":6}"), "job.k: must be a whole number from 1 to 5");
	assert_string_equal(number_error("{\"k\":-1}"),
			    "job.k: must be a whole number from 1 to 5");
	assert_string_equal(number_error("{\"k\":1.5}"),
			    "job.k: must be a whole number from 1 to 5");
	assert_string_equal(number_error("{\"k\":\"1\"}"),
			    "job.k: must be a whole number from 1 to 5");
	assert_string_equal(number_error("{\"k\":1,\"q\":2}"), "job: unknown field \"q\"");
	assert_string_equal(number_error("[1]"), "job: must be an object");
}

static void the_first_error_stands(void **state)
{
	_cleanup_json_ json_t *v = parsed("{\"a\":1,\"b\":2}");
	struct json_fields f;
	bool b = false;
	char s[4];

	(void)state;
	json_fields_init(&f, v, "x", &e);
	json_get_bool(&f, "a", JSON_REQUIRED, &b);
	json_get_str(&f, "b", JSON_REQUIRED, s, sizeof(s));
	assert_int_equal(json_fields_end(&f), -EINVAL);
	assert_string_equal(e.msg, "x.a: must be true or false");
}

static void strings_are_bounded_and_printable(void **state)
{
	_cleanup_json_ json_t *v = parsed("{\"l\":\"12345\",\"c\":\"a\\u0001b\"}");
	struct json_fields f;
	char s[5];

	(void)state;
	json_fields_init(&f, v, "x", &e);
	json_get_str(&f, "l", JSON_REQUIRED, s, sizeof(s));
	assert_int_equal(json_fields_end_lax(&f), -EINVAL);
	json_fields_init(&f, v, "x", &e);
	json_get_str(&f, "c", JSON_REQUIRED, s, sizeof(s));
	assert_int_equal(json_fields_end_lax(&f), -EINVAL);
	assert_string_equal(e.msg, "x.c: must not contain control characters");
}

static void text_that_is_no_json_is_refused_with_its_place(void **state)
{
	json_t *v = NULL;

	(void)state;
	assert_int_equal(json_parse("{\"a\":}", 6, 100, "body", &v, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "body is not valid JSON: line 1, column 6"));
	assert_int_equal(json_parse("{\"a\":1,\"a\":2}", 13, 100, "body", &v, &e), -EINVAL);
	assert_int_equal(json_parse("[1,2,3]", 7, 6, "body", &v, &e), -EFBIG);
	assert_int_equal(json_parse("", 0, 6, "body", &v, &e), -EINVAL);
	assert_null(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_every_type_are_read),
		cmocka_unit_test(refusals_name_the_field_and_the_rule),
		cmocka_unit_test(the_first_error_stands),
		cmocka_unit_test(strings_are_bounded_and_printable),
		cmocka_unit_test(text_that_is_no_json_is_refused_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
