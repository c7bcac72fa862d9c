/* The ring of energy intervals that wait for the scheduler's acknowledgement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/energy.h"
#include "common/file.h"

static char dir[256], path[320];

static int make_dir(void **state)
{
	int rc = file_temp_dir("drover-energy", dir, sizeof(dir), NULL);

	(void)state;
	snprintf(path, sizeof(path), "%s/energy.jsonl", dir);
	return rc;
}

static int remove_dir(void **state)
{
	(void)state;
	return file_remove_tree(dir, NULL);
}

static void add(struct energy_ring *r, int from)
{
	assert_int_equal(energy_ring_add(r, json_pack("{s:i}", "from_ms", from), NULL), 0);
}

static json_int_t from_of(struct energy_ring *r, size_t i)
{
	return json_integer_value(json_object_get(energy_ring_get(r, i), "from_ms"));
}

static void intervals_outlive_the_agent_until_they_are_acknowledged(void **state)
{
	struct energy_ring *r = NULL;

	(void)state;
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	for (int i = 0; i < 5; i++)
		add(r, i);
	energy_ring_free(r);
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	assert_int_equal(energy_ring_count(r), 5);
	assert_int_equal(from_of(r, 0), 0);
	energy_ring_ack(r, energy_ring_removed(r) + 2);
	assert_int_equal(energy_ring_count(r), 3);
	assert_int_equal(from_of(r, 0), 2);
	energy_ring_ack(r, energy_ring_removed(r) + 3);
	energy_ring_free(r);
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	assert_int_equal(energy_ring_count(r), 0);
	energy_ring_free(r);
}

static void the_oldest_give_way_when_it_is_full_and_are_counted(void **state)
{
	struct energy_ring *r = NULL;
	uint64_t upto;

	(void)state;
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	for (int i = 0; i < ENERGY_RING_MAX; i++)
		add(r, i);
	upto = energy_ring_removed(r) + 10;
	for (int i = 0; i < 25; i++)
		add(r, ENERGY_RING_MAX + i);
	assert_int_equal(energy_ring_dropped(r), 25);
	assert_int_equal(from_of(r, 0), 25);
	/* An acknowledgement of what has been dropped meanwhile takes nothing else away. */
	energy_ring_ack(r, upto);
	assert_int_equal(energy_ring_count(r), ENERGY_RING_MAX);
	energy_ring_free(r);
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	assert_int_equal(energy_ring_count(r), ENERGY_RING_MAX);
	assert_int_equal(from_of(r, ENERGY_RING_MAX - 1), ENERGY_RING_MAX + 24);
	energy_ring_free(r);
}

static void a_torn_last_line_costs_only_itself(void **state)
{
	struct energy_ring *r = NULL;
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fputs("{\"from_ms\":1}\n{\"from_ms\":2}\n{\"from", f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	assert_int_equal(energy_ring_count(r), 2);
	assert_int_equal(energy_ring_dropped(r), 1);
	energy_ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			intervals_outlive_the_agent_until_they_are_acknowledged, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(the_oldest_give_way_when_it_is_full_and_are_counted,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_torn_last_line_costs_only_itself, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
