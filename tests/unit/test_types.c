#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/object/types.h"

static int compare(const char *x, const char *y, struct err *e)
{
	*e = (struct err)ERR_INIT;
	return types_compare(x, strlen(x), y, strlen(y), e);
}

static void equal_layouts_pass(void **state)
{
	struct err e;
	const char *text =
		"a.c:1\tstruct s\t8 bytes with 1 members\na.c:1\tstruct s.x\t8 bytes at byte 0\n";

	(void)state;
	assert_int_equal(compare(text, text, &e), 0);
	assert_int_equal(compare("", "", &e), 0);
}

static void a_member_elsewhere_is_named_with_its_place(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(compare("a.c:1\tstruct s\t8 bytes\na.c:1\tstruct s.x\t4 bytes at byte 0\n",
				 "a.c:1\tstruct s\t8 bytes\na.c:1\tstruct s.x\t4 bytes at byte 4\n",
				 &e),
			 -EILSEQ);
	assert_non_null(strstr(e.msg, "a.c:1"));
	assert_non_null(strstr(e.msg, "'struct s.x'"));
	assert_non_null(strstr(e.msg, "at byte 0 on x86-64"));
	assert_non_null(strstr(e.msg, "at byte 4 on AArch64"));
}

static void what_one_side_alone_knows_is_not_compared(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(compare("a.c:1\tstruct a\t8\nb.c:1\tstruct b\t8\nd.c:1\tstruct d\t8\n",
				 "b.c:1\tstruct b\t8\nc.c:1\tstruct c\t9\nd.c:1\tstruct d\t8\n",
				 &e),
			 0);
	assert_int_equal(compare("a.c:1\tstruct a\t8\nd.c:1\tstruct d\t8\n",
				 "c.c:1\tstruct c\t9\nd.c:1\tstruct d\t16\n", &e),
			 -EILSEQ);
}

static void a_broken_list_is_not_taken_for_an_empty_one(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(compare("a.c:1\tstruct a\t8", "a.c:1\tstruct a\t8", &e), -EBADMSG);
	assert_int_equal(compare("a.c:1 struct a\n", "a.c:1\tstruct a\t8\n", &e), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_layouts_pass),
		cmocka_unit_test(a_member_elsewhere_is_named_with_its_place),
		cmocka_unit_test(what_one_side_alone_knows_is_not_compared),
		cmocka_unit_test(a_broken_list_is_not_taken_for_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
