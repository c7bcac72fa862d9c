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
#include <sys/wait.h>
#include <unistd.h>

#include "agent/meter/meter.h"
#include "agent/meter/hwmon.h"
#include "agent/meter/powercap.h"
#include "agent/meter/split.h"
#include "agent/node.h"
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
	assert_string_equal(m->kind, "modelled");
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

/* ---- trees as real machines show them ----------------------------------- */

/* A file below class/, with what it says. */
struct attribute {
	const char *path, *text;
};

struct machine {
	const char *what;
	struct attribute tree[48];
	const char *name, *source, *scope, *kind; /* of the meter that "auto" takes */
	size_t zones;
	struct attribute later[16]; /* one second later */
	uint64_t uj;                /* so much was used meanwhile */
	size_t apart;               /* further meters */
};

#define ZONE(dir, zone, uj)                                                                        \
	{"powercap/" dir "/name", zone "\n"}, {"powercap/" dir "/energy_uj", uj "\n"},             \
		{"powercap/" dir "/max_energy_range_uj", "262143328850\n"}

static const struct machine machines[] = {
	{"an Intel client: package, its parts, psys, and the package again by mmio",
	 {ZONE("intel-rapl:0", "package-0", "1000"), ZONE("intel-rapl:0:0", "core", "900"),
	  ZONE("intel-rapl:0:1", "uncore", "50"), ZONE("intel-rapl:1", "psys", "7000"),
	  ZONE("intel-rapl-mmio:0", "package-0", "1001")},
	 "powercap:package",
	 "rapl",
	 "package",
	 "measured",
	 1,
	 {{"powercap/intel-rapl:0/energy_uj", "20001000\n"},
	  {"powercap/intel-rapl:0:0/energy_uj", "15000900\n"},
	  {"powercap/intel-rapl:1/energy_uj", "40007000\n"},
	  {"powercap/intel-rapl-mmio:0/energy_uj", "20001000\n"}},
	 20000000,
	 1},
	{"an Intel server of two sockets, each with its memory, and mmio showing all of it again",
	 {ZONE("intel-rapl:0", "package-0", "1000"), ZONE("intel-rapl:0:0", "dram", "1000"),
	  ZONE("intel-rapl:1", "package-1", "262143328850"), ZONE("intel-rapl:1:0", "dram", "5000"),
	  ZONE("intel-rapl-mmio:0", "package-0", "1000"),
	  ZONE("intel-rapl-mmio:0:0", "dram", "1000"), ZONE("intel-rapl-mmio:1", "package-1", "4"),
	  ZONE("intel-rapl-mmio:1:0", "dram", "5000")},
	 "powercap:package",
	 "rapl",
	 "package+dram",
	 "measured",
	 4,
	 {{"powercap/intel-rapl:0/energy_uj", "80001000\n"},
	  {"powercap/intel-rapl:0:0/energy_uj", "8001000\n"},
	  {"powercap/intel-rapl:1/energy_uj", "60000000\n"},
	  {"powercap/intel-rapl:1:0/energy_uj", "7005000\n"},
	  {"powercap/intel-rapl-mmio:0/energy_uj", "80001000\n"}},
	 155000000,
	 0},
	{"a package whose two dies show the package's counter twice",
	 {ZONE("intel-rapl:0", "package-0-die-0", "5000"),
	  ZONE("intel-rapl:1", "package-0-die-1", "5000")},
	 "powercap:package",
	 "rapl",
	 "package",
	 "measured",
	 1,
	 {{"powercap/intel-rapl:0/energy_uj", "9005000\n"},
	  {"powercap/intel-rapl:1/energy_uj", "9005000\n"}},
	 9000000,
	 0},
	{"a package whose two dies have counters of their own",
	 {ZONE("intel-rapl:0", "package-0-die-0", "5000"),
	  ZONE("intel-rapl:1", "package-0-die-1", "77000")},
	 "powercap:package",
	 "rapl",
	 "package",
	 "measured",
	 2,
	 {{"powercap/intel-rapl:0/energy_uj", "9005000\n"},
	  {"powercap/intel-rapl:1/energy_uj", "8077000\n"}},
	 17000000,
	 0},
	{"an AMD server: a package and its cores, and amd_energy beside them",
	 {ZONE("intel-rapl:0", "package-0", "100"),
	  ZONE("intel-rapl:0:0", "core", "10"),
	  {"hwmon/hwmon3/name", "amd_energy\n"},
	  {"hwmon/hwmon3/energy1_label", "Ecore000\n"},
	  {"hwmon/hwmon3/energy1_input", "11\n"},
	  {"hwmon/hwmon3/energy2_label", "Esocket0\n"},
	  {"hwmon/hwmon3/energy2_input", "100\n"}},
	 "powercap:package",
	 "rapl",
	 "package",
	 "measured",
	 1,
	 {{"powercap/intel-rapl:0/energy_uj", "33000100\n"},
	  {"powercap/intel-rapl:0:0/energy_uj", "30000010\n"}},
	 33000000,
	 1},
	{"an AMD server by amd_energy alone: sockets, never cores",
	 {{"hwmon/hwmon3/name", "amd_energy\n"},
	  {"hwmon/hwmon3/energy1_label", "Ecore000\n"},
	  {"hwmon/hwmon3/energy1_input", "11\n"},
	  {"hwmon/hwmon3/energy2_label", "Esocket0\n"},
	  {"hwmon/hwmon3/energy2_input", "100\n"},
	  {"hwmon/hwmon3/energy3_label", "Esocket1\n"},
	  {"hwmon/hwmon3/energy3_input", "200\n"}},
	 "hwmon:amd_energy",
	 "hwmon",
	 "package",
	 "measured",
	 2,
	 {{"hwmon/hwmon3/energy1_input", "5000011\n"},
	  {"hwmon/hwmon3/energy2_input", "6000100\n"},
	  {"hwmon/hwmon3/energy3_input", "7000200\n"}},
	 13000000,
	 0},
	{"an X-Gene: power of CPU and IO, integrated; a graphics card is left alone",
	 {{"hwmon/hwmon0/name", "amdgpu\n"},
	  {"hwmon/hwmon0/power1_average", "90000000\n"},
	  {"hwmon/hwmon1/name", "apm_xgene\n"},
	  {"hwmon/hwmon1/temp1_input", "45000\n"},
	  {"hwmon/hwmon1/power1_label", "CPU power\n"},
	  {"hwmon/hwmon1/power1_input", "20000000\n"},
	  {"hwmon/hwmon1/power2_label", "IO power\n"},
	  {"hwmon/hwmon1/power2_input", "8000000\n"}},
	 "hwmon:apm_xgene",
	 "hwmon",
	 "soc",
	 "integrated",
	 2,
	 {{"hwmon/hwmon1/power1_input", "30000000\n"}},
	 33000000,
	 0},
	{"an Altra of two sockets: the regulators of core, SoC and memory",
	 {{"hwmon/hwmon2/name", "smpro_hwmon\n"},
	  {"hwmon/hwmon2/power1_label", "CPU VRD power\n"},
	  {"hwmon/hwmon2/power1_input", "70000000\n"},
	  {"hwmon/hwmon2/power3_label", "DIMM VRD1 power\n"},
	  {"hwmon/hwmon2/power3_input", "5000000\n"},
	  {"hwmon/hwmon10/name", "smpro_hwmon\n"},
	  {"hwmon/hwmon10/power1_label", "CPU VRD power\n"},
	  {"hwmon/hwmon10/power1_input", "60000000\n"}},
	 "hwmon:smpro_hwmon",
	 "hwmon",
	 "package+dram",
	 "integrated",
	 3,
	 {{NULL, NULL}},
	 135000000,
	 0},
	{"a server with SCMI powercap: outermost zones, by power",
	 {{"powercap/arm-scmi:0/name", "SoC\n"},
	  {"powercap/arm-scmi:0/power_uw", "40000000\n"},
	  {"powercap/arm-scmi:0:0/name", "CLUSTER\n"},
	  {"powercap/arm-scmi:0:0/power_uw", "30000000\n"},
	  {"powercap/arm-scmi:1/name", "DDR\n"},
	  {"powercap/arm-scmi:1/power_uw", "4000000\n"}},
	 "scmi",
	 "scmi",
	 "soc",
	 "integrated",
	 2,
	 {{NULL, NULL}},
	 44000000,
	 0},
	{"a server whose ACPI power meter shows the whole machine",
	 {{"hwmon/hwmon4/name", "power_meter\n"}, {"hwmon/hwmon4/power1_average", "250000000\n"}},
	 "hwmon:power_meter",
	 "hwmon",
	 "node",
	 "integrated",
	 1,
	 {{NULL, NULL}},
	 250000000,
	 0},
	{"a machine with only psys",
	 {ZONE("intel-rapl:0", "psys", "1")},
	 "powercap:psys",
	 "rapl",
	 "platform",
	 "measured",
	 1,
	 {{"powercap/intel-rapl:0/energy_uj", "12000001\n"}},
	 12000000,
	 0},
};

/* "class/" + path below the root, with its directories. */
static void lay(const struct attribute *a)
{
	char path[512], dir[512];

	snprintf(path, sizeof(path), "%s/class/%s", root, a->path);
	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	assert_int_equal(file_mkdir_p(dir, 0700, NULL), 0);
	assert_int_equal(file_write_atomic(path, a->text, strlen(a->text), 0600, NULL), 0);
}

static void one_machine(const struct machine *k)
{
	const struct meter_config c = {.profile = &box, .sysfs_root = root};
	struct meter *m = NULL, *apart[METERS_MAX];
	struct err e = ERR_INIT;
	struct meter_delta d;
	size_t n;

	for (const struct attribute *a = k->tree; a->path; a++)
		lay(a);
	if (meter_open("auto", false, &c, &m, &e))
		fail_msg("%s: %s", k->what, e.msg);
	if (strcmp(m->name, k->name) || strcmp(m->source, k->source) ||
	    strcmp(m->scope, k->scope) || strcmp(m->kind, k->kind) || m->channels->n != k->zones)
		fail_msg("%s: %s %s %s %s %zu", k->what, m->name, m->source, m->scope, m->kind,
			 m->channels->n);
	n = meter_open_apart(m, &c, apart, METERS_MAX);
	if (n != k->apart)
		fail_msg("%s: %zu further meters", k->what, n);
	while (n)
		meter_close(apart[--n]);
	assert_int_equal(read_at(m, 10, &d), 0);
	for (const struct attribute *a = k->later; a->path; a++)
		lay(a);
	assert_int_equal(read_at(m, 11, &d), 1);
	if (d.energy_uj != k->uj || d.gap_ms)
		fail_msg("%s: %" PRIu64 " uJ, gap %" PRIu64, k->what, d.energy_uj, d.gap_ms);
	meter_close(m);
}

static void real_machines_are_read_right(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		one_machine(&machines[i]);
		assert_int_equal(remove_root(state), 0);
		assert_int_equal(make_root(state), 0);
	}
}

static void a_chip_is_taken_by_name_and_label(void **state)
{
	const struct meter_config c = {.profile = &box, .sysfs_root = root};
	struct err e = ERR_INIT;
	struct meter *m = NULL;

	(void)state;
	lay(&(struct attribute){"hwmon/hwmon0/name", "ina226\n"});
	lay(&(struct attribute){"hwmon/hwmon0/power1_label", "12V\n"});
	lay(&(struct attribute){"hwmon/hwmon0/power1_input", "1000000\n"});
	lay(&(struct attribute){"hwmon/hwmon0/power2_input", "2000000\n"});
	/* Not known: not taken unasked. */
	assert_int_equal(meter_open("hwmon", false, &c, &m, &e), -ENODEV);
	assert_int_equal(meter_open("hwmon:ina226", false, &c, &m, &e), 0);
	assert_int_equal(m->channels->n, 2);
	assert_string_equal(m->scope, "device");
	meter_close(m);
	assert_int_equal(meter_open("hwmon:ina226/12V", false, &c, &m, &e), 0);
	assert_string_equal(m->channels->v[0].name, "ina226/12V");
	assert_int_equal(m->channels->n, 1);
	meter_close(m);
	assert_int_equal(meter_open("hwmon:ina226/5V", false, &c, &m, &e), -ENODEV);
	assert_int_equal(meter_open("scmi:x", false, &c, &m, &e), -EINVAL);
	assert_true(hwmon_is_core("Ecore017") && hwmon_is_core("Core 3"));
	assert_false(hwmon_is_core("Esocket0") || hwmon_is_core("Core VRD power"));
}

static void power_is_integrated_over_time_and_a_long_pause_is_a_gap(void **state)
{
	uint64_t rem = 0, gap = 0, sum = 0;

	(void)state;
	assert_int_equal(channel_integrate(10, 20, 2 * NS_PER_S, 5 * NS_PER_S, &rem, &gap), 30);
	assert_int_equal(gap, 0);
	assert_int_equal(
		channel_integrate(1000000, 1000000, 60 * NS_PER_S, 5 * NS_PER_S, &rem, &gap),
		5000000);
	assert_int_equal(gap, 55 * NS_PER_S);
	/* Many short intervals add up to what a long one gives. */
	rem = 0;
	for (int i = 0; i < 1000; i++)
		sum += channel_integrate(333, 333, 1000003, 5 * NS_PER_S, &rem, &gap);
	assert_int_equal(sum, 333);
}

static void a_counter_that_begins_anew_is_a_gap_and_not_a_wrap(void **state)
{
	uint64_t d = 0;

	(void)state;
	/* After a suspend it counts from 0: as a wrap that would be 262 kJ in a second. */
	assert_int_equal(channel_advance(1000, 5, 262143328850u, NS_PER_S, &d), -ERANGE);
	assert_int_equal(channel_advance(262143328000u, 5, 262143328850u, NS_PER_S, &d), 0);
	assert_int_equal(d, 855);
	/* Without a known range backward is not known. */
	assert_int_equal(channel_advance(1000, 5, 0, NS_PER_S, &d), -ERANGE);
}

static void only_a_counter_that_moves_as_one_is_a_mirror(void **state)
{
	(void)state;
	assert_true(powercap_dies_of_one("package-0-die-0", "package-0-die-1"));
	assert_false(powercap_dies_of_one("package-0-die-0", "package-1-die-0"));
	assert_false(powercap_dies_of_one("package-0", "package-1"));
	assert_true(powercap_mirrors(100, 150, 200, 1000));
	assert_false(powercap_mirrors(100, 250, 200, 1000));
	assert_true(powercap_mirrors(990, 5, 10, 1000));
	assert_true(powercap_mirrors(990, 995, 10, 1000));
	assert_false(powercap_mirrors(990, 500, 10, 1000));
}

static void idle_energy_is_at_most_the_least_power_that_was_seen(void **state)
{
	struct meter_delta d;
	struct meter *m;

	(void)state;
	box.idle_w.value = 100;
	put_zone("intel-rapl:0", "package-0\n", 0);
	m = open_meter("powercap");
	assert_int_equal(read_at(m, 10, &d), 0);
	put_zone("intel-rapl:0", "package-0\n", 8000000);
	assert_int_equal(read_at(m, 11, &d), 1);
	assert_int_equal(d.idle_uj, 8000000);
	/* The processor alone idles at 8 W or less, whatever the profile says of the machine. */
	put_zone("intel-rapl:0", "package-0\n", 58000000);
	assert_int_equal(read_at(m, 12, &d), 1);
	assert_int_equal(d.energy_uj, 50000000);
	assert_int_equal(d.idle_uj, 8000000);
	meter_close(m);
}

static void a_counter_that_may_not_be_read_names_the_capability(void **state)
{
	const struct meter_config c = {.profile = &box, .powercap_root = root};
	struct err e = ERR_INIT;
	struct meter *m = NULL;
	char path[512];
	int status;
	pid_t pid;

	(void)state;
	put_zone("intel-rapl:0", "package-0\n", 1000);
	assert_int_equal(chmod(root, 0755), 0);
	snprintf(path, sizeof(path), "%s/intel-rapl:0", root);
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/intel-rapl:0/energy_uj", root);
	assert_int_equal(chmod(path, 0400), 0);
	pid = fork();
	if (!pid) {
		/* As the kernel has it since 5.10: readable by root, or with the capability. */
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(3);
		if (geteuid() == getuid() && geteuid() != 65534)
			_exit(0); /* the owner may read what only the owner may */
		if (meter_open("powercap", false, &c, &m, &e) != -EACCES)
			_exit(1);
		if (!strstr(e.hint, "CAP_DAC_READ_SEARCH"))
			_exit(2);
		/* auto goes on with the model. */
		_exit(meter_open("auto", false, &c, &m, &e) || strcmp(m->kind, "modelled") ? 4 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void intervals_follow_one_another_whatever_the_wall_clock_does(void **state)
{
	(void)state;
	assert_int_equal(sample_wall_ms(0, 0, 5, 1000), 1000);
	/* Set back by an hour: the interval is as long as it was. */
	assert_int_equal(sample_wall_ms(10000, NS_PER_S, 3 * NS_PER_S, -3590000), 12000);
	/* A little slewed: not followed; set forward: followed. */
	assert_int_equal(sample_wall_ms(10000, NS_PER_S, 2 * NS_PER_S, 11500), 11000);
	assert_int_equal(sample_wall_ms(10000, NS_PER_S, 2 * NS_PER_S, 99000), 99000);
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
		CASE(real_machines_are_read_right),
		CASE(a_chip_is_taken_by_name_and_label),
		CASE(power_is_integrated_over_time_and_a_long_pause_is_a_gap),
		CASE(a_counter_that_begins_anew_is_a_gap_and_not_a_wrap),
		CASE(only_a_counter_that_moves_as_one_is_a_mirror),
		CASE(idle_energy_is_at_most_the_least_power_that_was_seen),
		CASE(a_counter_that_may_not_be_read_names_the_capability),
		CASE(intervals_follow_one_another_whatever_the_wall_clock_does),
		CASE(the_profiles_that_are_installed_are_sound_and_say_their_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
