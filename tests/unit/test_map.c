#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/link/map.h"

static const char good[] =
	"             VMA              LMA     Size Align Out     In      Symbol\n"
	"          401000           401000       54    16 .text\n"
	"          401000           401000       42    16         a.o:(.text._start)\n"
	"          401000           401000       42     1                 _start\n"
	"          401008           401008        0     1                 $x\n"
	"          401050           401050        4    16         /lib/libc.a(b.lo):(.text.f)\n"
	"          401050           401050        4     1                 f\n"
	"          401060           401060       10     1         . = 0x401070\n"
	"          500000           500000       14     1         a.o:(.eh_frame+0x2c)\n";

static void sections_members_and_symbols_are_read(void **state)
{
	struct err e = ERR_INIT;
	struct map m;

	(void)state;
	assert_int_equal(map_parse(&m, good, sizeof good - 1, &e), 0);
	assert_int_equal(m.nsections, 3);
	assert_string_equal(m.sections[0].out, ".text");
	assert_string_equal(m.sections[0].file, "a.o");
	assert_null(m.sections[0].member);
	assert_string_equal(m.sections[0].name, ".text._start");
	assert_int_equal(m.sections[0].addr, 0x401000);
	assert_int_equal(m.sections[0].size, 0x42);
	assert_int_equal(m.sections[0].align, 16);
	assert_int_equal(m.sections[0].nsymbols, 2);
	assert_int_equal(m.symbols[1].offset, 8);
	assert_string_equal(m.sections[1].name, ".text.f");
	assert_string_equal(m.sections[2].name, ".eh_frame");
	assert_int_equal(m.symbols[2].section, 1);
	map_free(&m);
}

static void an_archive_member_is_told_from_its_archive(void **state)
{
	static const char text[] =
		"             VMA              LMA     Size Align Out     In      Symbol\n"
		"          401050           401050        4    16         "
		"/lib/libc.a(b.lo):(.text.f)\n";
	struct err e = ERR_INIT;
	struct map m;

	(void)state;
	assert_int_equal(map_parse(&m, text, sizeof text - 1, &e), 0);
	assert_string_equal(m.sections[0].file, "/lib/libc.a");
	assert_string_equal(m.sections[0].member, "b.lo");
	map_free(&m);
}

static void a_line_that_makes_no_sense_is_named(void **state)
{
	static const char *const bad[] = {
		"no header\n",
		"VMA\nzz 1 1 1 .text\n",
		"VMA\n1 1 1\n",
		"VMA\n  1 1 1 3         a.o:(.text)\n",
		"VMA\n  ffffffffffffffffff 1 1 1 .text\n",
		"VMA\n  1 1 1 1    three\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct map m;

		assert_true(map_parse(&m, bad[i], strlen(bad[i]), &e) < 0);
		assert_non_null(strstr(e.msg, i ? "line 2" : "line 1"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_members_and_symbols_are_read),
		cmocka_unit_test(an_archive_member_is_told_from_its_archive),
		cmocka_unit_test(a_line_that_makes_no_sense_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
