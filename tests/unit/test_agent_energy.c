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

static void add_reading(struct energy_ring *r, const char *meter, int from, int uj)
{
	json_t *j = json_pack("{s:s, s:s, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:{s:i}}", "instance",
			      "a", "meter", meter, "counted", 1, "from_ms", from, "to_ms",
			      from + 1000, "energy_uj", uj, "idle_uj", 0, "system_uj", 0, "gap_ms",
			      0, "jobs", "1.1", uj);

	assert_int_equal(energy_ring_add(r, j, NULL), 0);
}

static json_int_t sum_of(struct energy_ring *r, const char *meter, const char *key)
{
	json_int_t sum = 0;

	for (size_t i = 0; i < energy_ring_count(r); i++) {
		json_t *j = energy_ring_get(r, i);

		if (!strcmp(json_string_value(json_object_get(j, "meter")), meter))
			sum += json_integer_value(
				key ? json_object_get(j, key)
				    : json_object_get(json_object_get(j, "jobs"), "1.1"));
	}
	return sum;
}

static void a_scheduler_that_is_away_for_long_gets_coarser_readings_and_every_joule(void **state)
{
	struct energy_ring *r = NULL;
	json_int_t want = 0;

	(void)state;
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	/* Two meters by turns, for more than four rings full of readings. */
	for (int i = 0; i < 2 * ENERGY_RING_MAX; i++) {
		add_reading(r, "package", i * 1000, i);
		add_reading(r, "psys", i * 1000, 2 * i);
		want += i;
		/* The first were sent: they may have arrived, and stay as they are. */
		if (i == 9)
			energy_ring_sent(r, energy_ring_removed(r) + 20);
	}
	assert_int_equal(energy_ring_dropped(r), 0);
	assert_true(energy_ring_count(r) <= ENERGY_RING_MAX);
	assert_int_equal(sum_of(r, "package", "energy_uj"), want);
	assert_int_equal(sum_of(r, "package", NULL), want);
	assert_int_equal(sum_of(r, "psys", "energy_uj"), 2 * want);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(from_of(r, i), (int)(i / 2) * 1000);
	assert_int_equal(json_integer_value(json_object_get(energy_ring_get(r, 0), "to_ms")), 1000);
	energy_ring_free(r);
	/* The file holds what was joined, not its parts: nothing could be sent twice. */
	assert_int_equal(energy_ring_open(path, &r, NULL), 0);
	assert_int_equal(sum_of(r, "package", "energy_uj"), want);
	assert_int_equal(sum_of(r, "psys", "energy_uj"), 2 * want);
	energy_ring_free(r);
}

static void only_neighbours_of_one_meter_and_instance_are_joined(void **state)
{
	json_t *a = json_pack("{s:s, s:s, s:i, s:i, s:i, s:{}}", "instance", "a", "meter", "m",
			      "from_ms", 0, "to_ms", 1000, "energy_uj", 5, "jobs");
	json_t *later = json_deep_copy(a), *other = json_deep_copy(a), *next = json_deep_copy(a);

	(void)state;
	json_object_set_new(later, "from_ms", json_integer(1001));
	json_object_set_new(later, "to_ms", json_integer(2000));
	json_object_set_new(other, "from_ms", json_integer(1000));
	json_object_set_new(other, "to_ms", json_integer(2000));
	json_object_set_new(other, "instance", json_string("b"));
	json_object_set_new(next, "from_ms", json_integer(1000));
	json_object_set_new(next, "to_ms", json_integer(2000));
	assert_false(energy_join(a, later)); /* what lies between is a gap */
	assert_false(energy_join(a, other));
	assert_true(energy_join(a, next));
	assert_int_equal(json_integer_value(json_object_get(a, "energy_uj")), 10);
	assert_int_equal(json_integer_value(json_object_get(a, "to_ms")), 2000);
	json_decref(a);
	json_decref(later);
	json_decref(other);
	json_decref(next);
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
		cmocka_unit_test_setup_teardown(
			a_scheduler_that_is_away_for_long_gets_coarser_readings_and_every_joule,
			make_dir, remove_dir),
		cmocka_unit_test(only_neighbours_of_one_meter_and_instance_are_joined),
		cmocka_unit_test_setup_teardown(a_torn_last_line_costs_only_itself, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
