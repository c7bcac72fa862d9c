#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "migrator/rt/frames.h"
#include "migrator/rt/lsda.h"

/* A program: main calls middle (direct) and any int function (indirect); middle calls leaf; leaf
 * polls. */
static char main_code, middle_code, leaf_code, resume_code;
enum { MAIN = 0x1111, MIDDLE = 0x2222, LEAF = 0x3333, FROZEN = 0x4444 };

static const struct drover_site main_sites[] = {
	{MAIN, MIDDLE, 0, 24, DROVER_SITE_CALL, DROVER_RET_I64},
	{MAIN, 0, 1, 8, DROVER_SITE_ICALL, DROVER_RET_INT},
	{MAIN, 0, 2, 0, DROVER_SITE_POLL, DROVER_RET_VOID},
};
static const struct drover_site middle_sites[] = {
	{MIDDLE, LEAF, 0, 40, DROVER_SITE_CALL, DROVER_RET_INT}};
static const struct drover_site leaf_sites[] = {{LEAF, 0, 0, 5, DROVER_SITE_POLL, DROVER_RET_VOID}};
static const struct drover_fn fns[] = {
	{MAIN, &main_code, &resume_code, main_sites, 3, DROVER_RET_INT},
	{MIDDLE, &middle_code, &resume_code, middle_sites, 1, DROVER_RET_I64},
	{LEAF, &leaf_code, &resume_code, leaf_sites, 1, DROVER_RET_INT},
	{FROZEN, &leaf_code, NULL, leaf_sites, 1, DROVER_RET_INT},
};
static uint32_t slots[64];
static struct frame_table table = {fns, 4, 6, slots};

static _Alignas(16) unsigned char records[4096];
static uint64_t size;
static uint32_t count, offsets[16];
static struct frame_fault fault;

static int fresh(void **state)
{
	(void)state;
	memset(slots, 0, sizeof slots);
	size = count = 0;
	return (int)(frame_table_fill(&table) + 1);
}

static void push(uint64_t fn, uint32_t site, uint32_t payload)
{
	struct drover_frame f = {.fn = fn, .site = site, .size = payload};

	memcpy(records + size, &f, sizeof f);
	size += frame_bytes(payload);
	count++;
}

static int check(void)
{
	return frames_check(&table, records, size, count, &main_code, offsets, &fault);
}

static void refused(const char *what, uint32_t frame)
{
	assert_int_equal(check(), -1);
	assert_non_null(strstr(fault.what, what));
	assert_int_equal(fault.frame, frame);
}

static void a_good_chain_passes_and_its_places_are_known(void **state)
{
	(void)state;
	push(LEAF, 0, 5);
	push(MIDDLE, 0, 40);
	push(MAIN, 0, 24);
	assert_int_equal(check(), 0);
	assert_int_equal(offsets[0], 0);
	assert_int_equal(offsets[1], 2); /* 16 + 5, rounded to 32 */
	assert_int_equal(offsets[2], 2 + 4);
}

static void a_poll_in_main_alone_passes(void **state)
{
	(void)state;
	push(MAIN, 2, 0);
	assert_int_equal(check(), 0);
}

static void an_indirect_call_may_lead_to_any_function_of_its_result(void **state)
{
	(void)state;
	push(LEAF, 0, 5);
	push(MAIN, 1, 8);
	assert_int_equal(check(), 0);
}

static void an_indirect_call_of_another_result_is_refused(void **state)
{
	(void)state;
	push(LEAF, 0, 5);
	push(MIDDLE, 0, 40);
	push(MAIN, 1, 8);
	refused("another type of result", 2);
}

static void a_direct_call_of_another_function_is_refused(void **state)
{
	(void)state;
	push(LEAF, 0, 5);
	push(MAIN, 0, 24);
	refused("calls another function", 1);
}

static void unknown_functions_and_sites_are_refused(void **state)
{
	(void)state;
	push(0x9999, 0, 5);
	refused("no such function", 0);
	size = count = 0;
	push(LEAF, 1, 5);
	refused("no such site", 0);
	size = count = 0;
	push(FROZEN, 0, 5);
	refused("cannot be resumed", 0);
}

static void a_payload_of_another_size_is_refused(void **state)
{
	(void)state;
	push(LEAF, 0, 6);
	refused("size", 0);
}

static void a_poll_is_innermost_and_only_there(void **state)
{
	(void)state;
	push(MIDDLE, 0, 40);
	refused("not at a poll", 0);
	size = count = 0;
	push(LEAF, 0, 5);
	push(MAIN, 2, 0);
	refused("not innermost", 1);
}

static void the_outermost_function_is_where_the_thread_began(void **state)
{
	(void)state;
	push(LEAF, 0, 5);
	push(MIDDLE, 0, 40);
	refused("not the one the thread began in", 1);
}

static void records_end_where_they_should(void **state)
{
	(void)state;
	refused("no frame", 0);
	push(LEAF, 0, 5);
	push(MIDDLE, 0, 40);
	push(MAIN, 0, 24);
	size -= 16;
	refused("end early", 2);
	size += 32;
	refused("behind the last", 2);
	size = 8;
	refused("end early", 0);
}

static void a_size_that_wraps_is_refused(void **state)
{
	(void)state;
	push(LEAF, 0, UINT32_MAX);
	size = 64;
	refused("end early", 0);
}

static void two_functions_of_one_identity_are_found(void **state)
{
	struct drover_fn twice[] = {fns[0], fns[1], fns[0]};
	uint32_t places[16] = {0};
	struct frame_table t = {twice, 3, 4, places};

	(void)state;
	assert_int_equal(frame_table_fill(&t), 2);
}

static void the_table_has_room_for_twice_its_functions(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 100000; n += 777)
		assert_true(1ull << frame_table_bits(n) >= 2ull * n);
}

/* ---- call-site tables ----------------------------------------------------- */

/* No landing pad base, no types, uleb128: [0,16) none, [16,21) pad 0x90, [21,300) none, [300,305)
 * pad 0x12c */
static const unsigned char uleb_table[] = {0xff, 0xff, 0x01, 19,   0, 16,   0,    0,
					   16,   5,    0x90, 0x01, 0, 21,   0x97, 2,
					   0,    0,    0xac, 2,    5, 0xac, 2,    0};

static void a_landing_pad_covers_its_call_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(lsda_landing_pad(uleb_table, 0), 0);
	assert_int_equal(lsda_landing_pad(uleb_table, 15), 0);
	assert_int_equal(lsda_landing_pad(uleb_table, 16), 0x90);
	assert_int_equal(lsda_landing_pad(uleb_table, 20), 0x90);
	assert_int_equal(lsda_landing_pad(uleb_table, 21), 0);
	assert_int_equal(lsda_landing_pad(uleb_table, 304), 0x12c);
	assert_int_equal(lsda_landing_pad(uleb_table, 305), 0);
	assert_int_equal(lsda_landing_pad(uleb_table, UINT64_MAX), 0);
}

/* As above with a type table offset and udata4 fields: [4,8) pad 0x40. */
static const unsigned char udata_table[] = {0xff, 0x9b, 0x1d, 0x03, 13, 4, 0, 0, 0,    4,
					    0,    0,    0,    0x40, 0,  0, 0, 0, 0xee, 0xee};

static void fixed_size_fields_and_a_type_table_are_read(void **state)
{
	(void)state;
	assert_int_equal(lsda_landing_pad(udata_table, 3), 0);
	assert_int_equal(lsda_landing_pad(udata_table, 4), 0x40);
	assert_int_equal(lsda_landing_pad(udata_table, 8), 0);
}

static void another_base_of_landing_pads_is_not_understood(void **state)
{
	static const unsigned char other[] = {0x00, 0,    0,    0, 0, 0, 0, 0,
					      0,    0xff, 0x01, 4, 0, 9, 9, 0};

	(void)state;
	assert_int_equal(lsda_landing_pad(other, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_chain_passes_and_its_places_are_known, fresh),
		cmocka_unit_test_setup(a_poll_in_main_alone_passes, fresh),
		cmocka_unit_test_setup(an_indirect_call_may_lead_to_any_function_of_its_result,
				       fresh),
		cmocka_unit_test_setup(an_indirect_call_of_another_result_is_refused, fresh),
		cmocka_unit_test_setup(a_direct_call_of_another_function_is_refused, fresh),
		cmocka_unit_test_setup(unknown_functions_and_sites_are_refused, fresh),
		cmocka_unit_test_setup(a_payload_of_another_size_is_refused, fresh),
		cmocka_unit_test_setup(a_poll_is_innermost_and_only_there, fresh),
		cmocka_unit_test_setup(the_outermost_function_is_where_the_thread_began, fresh),
		cmocka_unit_test_setup(records_end_where_they_should, fresh),
		cmocka_unit_test_setup(a_size_that_wraps_is_refused, fresh),
		cmocka_unit_test(two_functions_of_one_identity_are_found),
		cmocka_unit_test(the_table_has_room_for_twice_its_functions),
		cmocka_unit_test(a_landing_pad_covers_its_call_and_nothing_else),
		cmocka_unit_test(fixed_size_fields_and_a_type_table_are_read),
		cmocka_unit_test(another_base_of_landing_pads_is_not_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
