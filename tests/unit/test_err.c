/* Errors: what a person reads, and that none is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/err.h"

static void the_code_comes_back_and_the_text_is_kept(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, -EINVAL, "bad %s", "thing"), -EINVAL);
	assert_string_equal(e.msg, "bad thing");
	assert_int_equal(err_hint(&e, "do %d", 3), -EINVAL);
	assert_string_equal(e.hint, "do 3");
}

static void context_goes_in_front_and_the_hint_stays(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_sys(&e, -ENOENT, "cannot open %s", "f");
	(void)err_hint(&e, "make it");
	assert_int_equal(err_wrap(&e, "job %d", 5), -ENOENT);
	assert_string_equal(e.msg, "job 5: cannot open f: No such file or directory");
	assert_string_equal(e.hint, "make it");
}

static void a_new_error_has_no_old_hint(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	(void)err_set(&e, -EINVAL, "a");
	(void)err_hint(&e, "old");
	(void)err_set(&e, -EIO, "b");
	assert_string_equal(e.hint, "");
	err_clear(&e);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.msg, "");
}

static void nobody_needs_to_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_sys(NULL, -EIO, "x"), -EIO);
	err_clear(NULL);
}

static void long_texts_are_cut_not_overrun(void **state)
{
	struct err e = ERR_INIT;
	char text[2000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_sys(&e, -EIO, "%s", text);
	(void)err_wrap(&e, "%s", text);
	(void)err_hint(&e, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_comes_back_and_the_text_is_kept),
		cmocka_unit_test(context_goes_in_front_and_the_hint_stays),
		cmocka_unit_test(a_new_error_has_no_old_hint),
		cmocka_unit_test(nobody_needs_to_listen),
		cmocka_unit_test(long_texts_are_cut_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
