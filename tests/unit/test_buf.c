/* Buffers: growth, the maximum, and what stays after a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/buf.h"

static void contents_are_always_a_string(void **state)
{
	_cleanup_buf_ struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_str(&b, "ab"), 0);
	assert_int_equal(buf_printf(&b, "-%d-%s", 7, "x"), 0);
	assert_string_equal(buf_cstr(&b), "ab-7-x");
	assert_int_equal(b.len, 6);
}

static void what_would_pass_the_maximum_is_refused_whole(void **state)
{
	_cleanup_buf_ struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_append(&b, "12345", 5), 0);
	assert_int_equal(buf_append(&b, "6", 1), -ENOBUFS);
	assert_int_equal(buf_printf(&b, "%s", "7"), -ENOBUFS);
	assert_int_equal(buf_append(&b, "", 0), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, NULL), -ENOBUFS);
	assert_string_equal(buf_cstr(&b), "12345");
}

static void a_consumed_front_is_gone(void **state)
{
	_cleanup_buf_ struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_str(&b, "hello world"), 0);
	buf_consume(&b, 6);
	assert_string_equal(buf_cstr(&b), "world");
	buf_consume(&b, 600);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(b.len, 0);
}

static void a_large_buffer_grows_to_its_maximum_exactly(void **state)
{
	_cleanup_buf_ struct buf b;
	char chunk[1000];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	buf_init(&b, 100000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_append(&b, chunk, sizeof(chunk)), 0);
	assert_int_equal(buf_append(&b, chunk, 1), -ENOBUFS);
	assert_int_equal(strlen(b.data), 100000);
}

static void a_taken_string_leaves_an_empty_buffer(void **state)
{
	_cleanup_free_ char *s = NULL;
	_cleanup_buf_ struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_str(&b, "abc"), 0);
	s = buf_take(&b);
	assert_string_equal(s, "abc");
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_cstr(&b), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents_are_always_a_string),
		cmocka_unit_test(what_would_pass_the_maximum_is_refused_whole),
		cmocka_unit_test(a_consumed_front_is_gone),
		cmocka_unit_test(a_large_buffer_grows_to_its_maximum_exactly),
		cmocka_unit_test(a_taken_string_leaves_an_empty_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
