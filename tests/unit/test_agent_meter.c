/* Meters over fixture trees, the model, profiles, and the split of energy among jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/meter/meter.h"
#include "agent/meter/powercap.h"
#include "agent/meter/split.h"
#include "common/clock.h"
#include "common/file.h"

static char root[256];
static struct profile box;

static void put(const char *zone, const char *file, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, zone);
	if (mkdir(path, 0700))
		assert_int_equal(errno, EEXIST);
	snprintf(path, sizeof(path), "%s/%s/%s", root, zone, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void put_zone(const char *zone, const char *name, uint64_t uj)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "\n", uj);
	put(zone, "name", name);
	put(zone, "energy_uj", text);
	put(zone, "max_energy_range_uj", "262143328850\n");
}

static int make_root(void **state)
{
	(void)state;
	box = (struct profile){.name = "box", .idle_w = {.value = 10}, .core_w = {.value = 5}};
	return file_temp_dir("drover-meter", root, sizeof(root), NULL);
}

static int remove_root(void **state)
{
	(void)state;
	return file_remove_tree(root, NULL);
}

static struct meter *open_meter(const char *type)
{
	const struct meter_config c = {.profile = &box, .powercap_root = root};
	struct meter *m = NULL;

	assert_int_equal(meter_open(type, false, &c, &m, NULL), 0);
	return m;
}

static int read_at(struct meter *m, uint64_t s, struct meter_delta *d)
{
	const struct meter_input in = {.now_ns = s * NS_PER_S, .busy_cpu_us = 0};

	return meter_read(m, &in, d, NULL);
}

static void packages_and_dram_are_added_and_their_parts_and_psys_are_not(void **state)
{
	struct meter_delta d;
	struct meter *m;

	(void)state;
	put_zone("intel-rapl:0", "package-0\n", 1000);
	put_zone("intel-rapl:0:0", "core\n", 1000);
	put_zone("intel-rapl:0:1", "uncore\n", 1000);
	put_zone("intel-rapl:0:2", "dram\n", 1000);
	put_zone("intel-rapl:1", "psys\n", 1000);
	put_zone("intel-rapl-mmio:0", "package-0\n", 1000);
	m = open_meter("powercap");
	assert_string_equal(m->scope, "package+dram");
	assert_int_equal(read_at(m, 10, &d), 0);
	put_zone("intel-rapl:0", "package-0\n", 30001000);
	put_zone("intel-rapl:0:0", "core\n", 900001000);
	put_zone("intel-rapl:0:2", "dram\n", 2001000);
	put_zone("intel-rapl:1", "psys\n", 80001000);
	put_zone("intel-rapl-mmio:0", "package-0\n", 30001000);
	assert_int_equal(read_at(m, 11, &d), 1);
	assert_int_equal(d.energy_uj, 32000000);
	assert_int_equal(d.idle_uj, 10000000);
	assert_int_equal(d.gap_ms, 0);
	meter_close(m);
	m = open_meter("powercap-psys");
	assert_string_equal(m->scope, "platform");
	assert_int_equal(read_at(m, 10, &d), 0);
	put_zone("intel-rapl:1", "psys\n", 90001000);
	assert_int_equal(read_at(m, 11, &d), 1);
	assert_int_equal(d.energy_uj, 10000000);
	meter_close(m);
}

static void a_counter_that_wraps_goes_on(void **state)
{
	struct meter_delta d;
	struct meter *m;

	(void)state;
	put_zone("intel-rapl:0", "package-0\n", 262143328850u - 500000);
	m = open_meter("powercap");
	assert_string_equal(m->scope, "package");
	assert_int_equal(read_at(m, 10, &d), 0);
	put_zone("intel-rapl:0", "package-0\n", 700000);
	assert_int_equal(read_at(m, 11, &d), 1);
	assert_int_equal(d.energy_uj, 1200000);
	meter_close(m);
}

static void a_pause_that_may_hide_a_wrap_is_a_gap_and_not_a_guess(void **state)
{
	struct meter_delta d;
	struct meter *m;

	(void)state;
	put_zone("intel-rapl:0", "package-0\n", 1000);
	m = open_meter("powercap");
	assert_int_equal(read_at(m, 10, &d), 0);
	put_zone("intel-rapl:0", "package-0\n", 5000);
	assert_int_equal(read_at(m, 510, &d), 1);
	assert_int_equal(d.energy_uj, 0);
	assert_int_equal(d.gap_ms, 500000);
	put_zone("intel-rapl:0", "package-0\n", 7000);
	assert_int_equal(read_at(m, 511, &d), 1);
	assert_int_equal(d.energy_uj, 2000);
	assert_int_equal(d.gap_ms, 0);
	meter_close(m);
}

static void a_zone_that_vanishes_and_comes_back_leaves_a_gap_and_no_leap(void **state)
{
	struct meter_delta d;
	struct meter *m;
	char path[512];

	(void)state;
	put_zone("intel-rapl:0", "package-0\n", 1000);
	put_zone("intel-rapl:1", "package-1\n", 1000);
	m = open_meter("powercap");
	assert_int_equal(read_at(m, 10, &d), 0);
	snprintf(path, sizeof(path), "%s/intel-rapl:1/energy_uj", root);
	assert_int_equal(unlink(path), 0);
	put_zone("intel-rapl:0", "package-0\n", 3000);
	assert_int_equal(read_at(m, 11, &d), 1);
	assert_int_equal(d.energy_uj, 2000);
	assert_int_equal(d.gap_ms, 1000);
	/* Back with a counter that counted on: what it used meanwhile is not known. */
	put_zone("intel-rapl:1", "package-1\n", 9000000);
	assert_int_equal(read_at(m, 12, &d), 1);
	assert_int_equal(d.energy_uj, 0);
	assert_int_equal(d.gap_ms, 1000);
	put_zone("intel-rapl:1", "package-1\n", 9000500);
	assert_int_equal(read_at(m, 13, &d), 1);
	assert_int_equal(d.energy_uj, 500);
	assert_int_equal(d.gap_ms, 0);
	meter_close(m);
}

static void a_root_without_zones_or_with_garbage_is_refused_with_its_name(void **state)
{
	const struct meter_config c = {.profile = &box, .powercap_root = root};
	struct err e = ERR_INIT;
	struct meter *m = NULL;

	(void)state;
	assert_int_equal(meter_open("powercap", false, &c, &m, &e), -ENODEV);
	assert_non_null(strstr(e.msg, root));
	put_zone("intel-rapl:0", "package-0\n", 0);
	put("intel-rapl:0", "energy_uj", "12x\n");
	assert_int_equal(meter_open("powercap", false, &c, &m, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "12x"));
	/* "auto" falls back to the model. */
	assert_int_equal(meter_open("auto", false, &c, &m, &e), 0);
	assert_string_equal(m->ops->kind, "modelled");
	meter_close(m);
}

static void an_emulated_node_is_modelled_even_where_there_is_a_meter(void **state)
{
	const struct meter_config c = {.profile = &box, .powercap_root = root};
	struct meter *m = NULL;

	(void)state;
	put_zone("intel-rapl:0", "package-0\n", 1000);
	assert_int_equal(meter_open("auto", true, &c, &m, NULL), 0);
	assert_string_equal(m->ops->type, "model");
	meter_close(m);
	assert_int_equal(meter_open("powercap", true, &c, &m, NULL), -EINVAL);
}

static void the_model_draws_idle_power_and_power_by_cpu_time(void **state)
{
	struct meter_input in = {.now_ns = NS_PER_S};
	struct meter_delta d;
	struct meter *m;
	uint64_t sum = 0;

	(void)state;
	m = open_meter("model");
	assert_int_equal(meter_read(m, &in, &d, NULL), 0);
	in.now_ns = 3 * NS_PER_S;
	in.busy_cpu_us = 1500000;
	assert_int_equal(meter_read(m, &in, &d, NULL), 1);
	assert_int_equal(d.idle_uj, 20000000);
	assert_int_equal(d.energy_uj, 27500000);
	/* Many short intervals add up to one long one. */
	for (int i = 0; i < 1000; i++) {
		in.now_ns += 333;
		in.busy_cpu_us = 0;
		assert_int_equal(meter_read(m, &in, &d, NULL), 1);
		sum += d.energy_uj;
	}
	assert_int_equal(sum, 3330);
	meter_close(m);
}

static void the_parts_of_an_interval_add_up_exactly_whatever_they_are(void **state)
{
	(void)state;
	srand(4);
	for (int i = 0; i < 20000; i++) {
		uint64_t cpu[8], uj[8], idle = (uint64_t)rand() * (uint64_t)(rand() % 3), sys, sum;
		uint64_t energy = (uint64_t)rand() * (uint64_t)rand();
		uint64_t sys_cpu = rand() % 2 ? (uint64_t)rand() : 0;
		size_t n = (size_t)rand() % 9;

		for (size_t k = 0; k < n; k++)
			cpu[k] = rand() % 3 ? (uint64_t)rand() * (uint64_t)rand() : 0;
		energy_split(energy, &idle, cpu, n, sys_cpu, uj, &sys);
		sum = idle + sys;
		for (size_t k = 0; k < n; k++) {
			assert_true(cpu[k] || !uj[k]);
			sum += uj[k];
		}
		assert_true(sum == energy);
	}
}

static void jobs_are_charged_by_their_share_of_cpu_time(void **state)
{
	const uint64_t cpu[] = {1000, 3000};
	uint64_t uj[2], idle = 200, sys;

	(void)state;
	energy_split(1003, &idle, cpu, 2, 0, uj, &sys);
	assert_int_equal(uj[0], 200);
	assert_int_equal(uj[1], 602);
	assert_int_equal(sys, 1);
	assert_int_equal(idle, 200);
}

static void the_profiles_that_are_installed_are_sound_and_say_their_sources(void **state)
{
	const char *const names[] = {"x-gene-1", "xeon-e5-1650-v2"};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct profile p;
		char path[512];

		snprintf(path, sizeof(path), "%s/workloads/profiles/%s.json",
			 getenv("DROVER_SRCDIR"), names[i]);
		if (profile_load(path, &p, &e))
			fail_msg("%s", e.msg);
		assert_string_equal(p.name, names[i]);
		assert_true(strlen(p.idle_w.source) > 20 && strlen(p.peak_w.source) > 20);
		/* The linear model reaches the published peak. */
		assert_true(p.idle_w.value + p.cores * p.core_w.value - p.peak_w.value < 0.5);
		assert_true(p.idle_w.value + p.cores * p.core_w.value - p.peak_w.value > -0.5);
	}
	assert_int_equal(profile_load("no-such-machine", &(struct profile){0}, &e), -ENOENT);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(packages_and_dram_are_added_and_their_parts_and_psys_are_not),
		CASE(a_counter_that_wraps_goes_on),
		CASE(a_pause_that_may_hide_a_wrap_is_a_gap_and_not_a_guess),
		CASE(a_zone_that_vanishes_and_comes_back_leaves_a_gap_and_no_leap),
		CASE(a_root_without_zones_or_with_garbage_is_refused_with_its_name),
		CASE(an_emulated_node_is_modelled_even_where_there_is_a_meter),
		CASE(the_model_draws_idle_power_and_power_by_cpu_time),
		CASE(the_parts_of_an_interval_add_up_exactly_whatever_they_are),
		CASE(jobs_are_charged_by_their_share_of_cpu_time),
		CASE(the_profiles_that_are_installed_are_sound_and_say_their_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
