#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "migrator/rt/ranges.h"

#define PAGE 4096u
#define BASE DROVER_COMMON_START

static struct drover_image_map room[64];
static struct ranges r;

static int fresh(void **state)
{
	(void)state;
	r = (struct ranges){room, 0, 64};
	return 0;
}

static uint64_t page(uint64_t n)
{
	return BASE + n * PAGE;
}

static void neighbours_that_are_alike_are_one_entry(void **state)
{
	(void)state;
	ranges_add(&r, page(0), page(1), 3, 0);
	ranges_add(&r, page(2), page(3), 3, 0);
	assert_int_equal(r.n, 2);
	ranges_add(&r, page(1), page(2), 3, 0);
	assert_int_equal(r.n, 1);
	assert_true(r.v[0].start == page(0) && r.v[0].end == page(3));
}

static void neighbours_of_other_protection_or_flags_stay_apart(void **state)
{
	(void)state;
	ranges_add(&r, page(0), page(1), 3, 0);
	ranges_add(&r, page(1), page(2), 1, 0);
	ranges_add(&r, page(2), page(3), 1, DROVER_MAP_STACK);
	assert_int_equal(r.n, 3);
}

static void removing_the_middle_leaves_both_ends(void **state)
{
	(void)state;
	ranges_add(&r, page(0), page(10), 3, 0);
	ranges_remove(&r, page(3), page(5));
	assert_int_equal(r.n, 2);
	assert_true(r.v[0].end == page(3) && r.v[1].start == page(5));
	assert_true(ranges_free(&r, page(3), page(5)));
	assert_false(ranges_free(&r, page(2), page(4)));
	assert_null(ranges_find(&r, page(4)));
	assert_ptr_equal(ranges_find(&r, page(5)), &r.v[1]);
}

static void removing_over_several_entries_and_holes_takes_all(void **state)
{
	(void)state;
	ranges_add(&r, page(0), page(2), 3, 0);
	ranges_add(&r, page(4), page(6), 1, 0);
	ranges_add(&r, page(8), page(10), 3, 0);
	ranges_remove(&r, page(1), page(9));
	assert_int_equal(r.n, 2);
	assert_true(r.v[0].end == page(1) && r.v[1].start == page(9));
}

static void protecting_a_part_splits_and_protecting_back_joins(void **state)
{
	(void)state;
	ranges_add(&r, page(0), page(10), 3, 0);
	ranges_protect(&r, page(2), page(4), 0);
	assert_int_equal(r.n, 3);
	assert_int_equal(ranges_find(&r, page(3))->prot, 0);
	ranges_protect(&r, page(2), page(4), 3);
	assert_int_equal(r.n, 1);
}

static void a_gap_is_the_lowest_that_is_large_enough(void **state)
{
	(void)state;
	ranges_add(&r, page(1), page(2), 3, 0);
	ranges_add(&r, page(4), page(5), 3, 0);
	assert_true(ranges_gap(&r, PAGE, page(0), page(20)) == page(0));
	assert_true(ranges_gap(&r, 2 * PAGE, page(0), page(20)) == page(2));
	assert_true(ranges_gap(&r, 3 * PAGE, page(0), page(20)) == page(5));
	assert_true(ranges_gap(&r, 15 * PAGE, page(0), page(20)) == page(5));
	assert_true(ranges_gap(&r, 16 * PAGE, page(0), page(20)) == 0);
	assert_true(ranges_gap(&r, UINT64_MAX, page(0), page(20)) == 0);
	assert_true(ranges_gap(&r, 0, page(0), page(20)) == 0);
}

static void covered_means_without_a_hole(void **state)
{
	(void)state;
	ranges_add(&r, page(0), page(2), 3, 0);
	ranges_add(&r, page(2), page(4), 1, 0);
	ranges_add(&r, page(5), page(6), 3, 0);
	assert_true(ranges_covered(&r, page(0), page(4)));
	assert_false(ranges_covered(&r, page(0), page(5)));
	assert_false(ranges_covered(&r, page(3), page(6)));
	assert_false(ranges_covered(&r, page(6), page(7)));
}

/* The table against one byte a page, over random changes. */
static void any_sequence_of_changes_agrees_with_a_plain_model(void **state)
{
	unsigned char model[48] = {0};
	unsigned seed = 12345;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		uint64_t a, b, n;
		uint32_t prot;

		seed = seed * 1103515245u + 12345u;
		a = (seed >> 8) % 48;
		n = 1 + (seed >> 16) % 8;
		b = a + n > 48 ? 48 : a + n;
		prot = 1 + (seed >> 24) % 3;
		assert_true(ranges_room(&r));
		if (seed >> 30 == 0) {
			if (!ranges_free(&r, page(a), page(b)))
				continue;
			ranges_add(&r, page(a), page(b), prot, 0);
			memset(model + a, (int)prot, b - a);
		} else if (seed >> 30 == 1) {
			ranges_remove(&r, page(a), page(b));
			memset(model + a, 0, b - a);
		} else if (ranges_covered(&r, page(a), page(b))) {
			ranges_protect(&r, page(a), page(b), prot);
			memset(model + a, (int)prot, b - a);
		}
		for (uint64_t i = 0; i < 48; i++) {
			const struct drover_image_map *m = ranges_find(&r, page(i));

			assert_int_equal(m ? m->prot : 0, model[i]);
		}
		for (uint32_t i = 1; i < r.n; i++)
			assert_true(r.v[i - 1].end < r.v[i].start ||
				    r.v[i - 1].prot != r.v[i].prot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(neighbours_that_are_alike_are_one_entry, fresh),
		cmocka_unit_test_setup(neighbours_of_other_protection_or_flags_stay_apart, fresh),
		cmocka_unit_test_setup(removing_the_middle_leaves_both_ends, fresh),
		cmocka_unit_test_setup(removing_over_several_entries_and_holes_takes_all, fresh),
		cmocka_unit_test_setup(protecting_a_part_splits_and_protecting_back_joins, fresh),
		cmocka_unit_test_setup(a_gap_is_the_lowest_that_is_large_enough, fresh),
		cmocka_unit_test_setup(covered_means_without_a_hole, fresh),
		cmocka_unit_test_setup(any_sequence_of_changes_agrees_with_a_plain_model, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
