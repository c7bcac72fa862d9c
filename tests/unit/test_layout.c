#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binaries/link/layout.h"
#include "binaries/link/script.h"

#define HEAD "             VMA              LMA     Size Align Out     In      Symbol\n"
/* Columns as the linker writes them. */
#define OUT(name)         "          401000           401000      100    16 " name "\n"
#define SEC(size, al, in) "          401000           401000 " size " " al "         " in "\n"
#define SYM(addr, name)                                                                            \
	"          " addr "           " addr "        8     1                 " name "\n"

static struct map maps[ISA_COUNT];
static struct home home;
static struct layout layout;

static void lay_out(const char *x86, const char *arm, const char *home_list)
{
	struct err e = ERR_INIT;

	assert_int_equal(map_parse(&maps[ISA_X86_64], x86, strlen(x86), &e), 0);
	assert_int_equal(map_parse(&maps[ISA_AARCH64], arm, strlen(arm), &e), 0);
	assert_int_equal(home_parse(&home, home_list, &e), 0);
	assert_int_equal(layout_make(&layout, maps, &home, &e), 0);
}

static int clean_up(void **state)
{
	(void)state;
	layout_free(&layout);
	home_free(&home);
	map_free(&maps[0]);
	map_free(&maps[1]);
	return 0;
}

static const struct slot *slot(const char *name)
{
	for (size_t i = 0; i < layout.n; i++)
		if (!strcmp(layout.slots[i].name, name))
			return &layout.slots[i];
	return NULL;
}

static void a_slot_is_as_large_and_as_aligned_as_the_larger_section(void **state)
{
	const struct slot *s;

	(void)state;
	lay_out(HEAD OUT(".text") SEC("      20", "   16", "a.o:(.text.d.f)")
			SEC("      10", "   16", "a.o:(.text.d.g)"),
		HEAD OUT(".text") SEC("      30", "    4", "b.o:(.text.d.f)")
			SEC("       8", "    4", "b.o:(.text.d.g)"),
		"");
	s = slot(".text.d.f");
	assert_non_null(s);
	assert_true(s->sec[0] && s->sec[1]);
	assert_int_equal(s->size, 0x30);
	assert_int_equal(s->align, 16);
	assert_int_equal(slot(".text.d.g")->addr, s->addr + 0x30);
	assert_int_equal(s->addr % LAYOUT_PAGE, 0);
}

static void sections_without_a_shared_name_pair_by_symbol(void **state)
{
	const struct slot *s;

	(void)state;
	lay_out(HEAD OUT(".text") SEC("      20", "   16", "libc.a(memcpy.lo):(.text)")
			SYM("401000", "memcpy"),
		HEAD OUT(".text") SEC("      40", "    4", "libc.a(memcpy.o):(.text.d.memcpy)")
			SYM("401000", "memcpy"),
		"");
	assert_int_equal(layout.n, 1);
	s = &layout.slots[0];
	assert_true(s->sec[0] && s->sec[1] && !s->by_name);
}

static void symbols_at_differing_offsets_do_not_pair(void **state)
{
	(void)state;
	lay_out(HEAD OUT(".text") SEC("      20", "   16", "libc.a(fenv.lo):(.text)")
			SYM("401000", "fegetround"),
		HEAD OUT(".text") SEC("      40", "    4", "libc.a(fenv.lo):(.text)")
			SYM("401008", "fegetround"),
		"");
	assert_int_equal(layout.n, 0);
}

static void moving_data_is_contiguous_between_page_edges(void **state)
{
	static const char map[] = HEAD OUT(".data") SEC("       8", "    8", "a.o:(.data.d.x)")
		SEC("       8", "    8", "libc.a(init.lo):(.data.d.stay)") SYM("401000", "stay")
			SEC("      20", "    8", "a.o:(.bss.d.y)")
				SEC("      20", "    8", "librt.a(rt.o):(.bss.home)")
					SYM("401000", "rt_state");

	(void)state;
	lay_out(map, map, "# comment\ninit stay\n");
	assert_int_equal(layout.start[REGION_DATA] % LAYOUT_PAGE, 0);
	assert_int_equal(layout.end[REGION_BSS] % LAYOUT_PAGE, 0);
	assert_int_equal(slot(".data.d.stay")->region, REGION_HOME);
	assert_true(slot(".data.d.stay")->addr < layout.start[REGION_DATA]);
	assert_true(slot(".bss.home")->addr >= layout.end[REGION_BSS]);
	for (size_t i = 0; i < layout.n; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(layout.slots[i].addr >=
					    layout.slots[k].addr + layout.slots[k].size ||
				    layout.slots[k].addr >=
					    layout.slots[i].addr + layout.slots[i].size);
	assert_true(layout.private_base >= layout.end[REGION_HOMEBSS]);
}

static void two_live_sections_of_one_name_pair_in_order(void **state)
{
	static const char map[] = HEAD OUT(".text") SEC("      10", "    4", "a.o:(.text.d.w)")
		SEC("      20", "    4", "b.o:(.text.d.w)");

	(void)state;
	lay_out(map, map, "");
	assert_int_equal(layout.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_false(layout.slots[i].by_name);
		assert_string_equal(layout.slots[i].sec[0]->file, layout.slots[i].sec[1]->file);
	}
}

static void both_scripts_give_one_address(void **state)
{
	struct buf b[ISA_COUNT] = {{.max = 1u << 20}, {.max = 1u << 20}};
	char want[128];

	(void)state;
	lay_out(HEAD OUT(".text") SEC("      20", "   16", "a.o:(.text.d.f)"),
		HEAD OUT(".text") SEC("      30", "    4", "b.o:(.text.d.f)"), "");
	snprintf(want, sizeof want, ". = 0x%llx; KEEP(*(.text.d.f))",
		 (unsigned long long)layout.slots[0].addr);
	for (int isa = 0; isa < ISA_COUNT; isa++) {
		assert_int_equal(script_final(&b[isa], &layout, (enum isa)isa), 0);
		assert_non_null(strstr(buf_cstr(&b[isa]), want));
		assert_non_null(strstr(buf_cstr(&b[isa]), "__drover_data_start"));
		buf_free(&b[isa]);
	}
}

static void a_malformed_home_list_is_refused_with_its_line(void **state)
{
	struct err e = ERR_INIT;
	struct home h;

	(void)state;
	assert_true(home_parse(&h, "init stay\n\nlonely\n", &e) < 0);
	assert_non_null(strstr(e.msg, "line 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_slot_is_as_large_and_as_aligned_as_the_larger_section,
					  clean_up),
		cmocka_unit_test_teardown(sections_without_a_shared_name_pair_by_symbol, clean_up),
		cmocka_unit_test_teardown(symbols_at_differing_offsets_do_not_pair, clean_up),
		cmocka_unit_test_teardown(moving_data_is_contiguous_between_page_edges, clean_up),
		cmocka_unit_test_teardown(two_live_sections_of_one_name_pair_in_order, clean_up),
		cmocka_unit_test_teardown(both_scripts_give_one_address, clean_up),
		cmocka_unit_test(a_malformed_home_list_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
