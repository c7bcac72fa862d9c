/* Machine profiles: what the reader takes and refuses, and that those of the tree are sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/meter/profile.h"

#define VALUE(v) "{\"value\":" #v ",\"kind\":\"measured\",\"source\":\"a meter\"}"
#define PROFILE(more)                                                                              \
	"{\"version\":1,\"name\":\"m\",\"title\":\"M\",\"isa\":\"x86_64\",\"cores\":4,\"idle_"     \
	"w\":" VALUE(10) ",\"core_w\":" VALUE(5) ",\"peak_w\":" VALUE(30) more "}"

static int parsed(const char *text, struct profile *p, struct err *e)
{
	err_clear(e);
	return profile_parse(text, strlen(text), p, e);
}

static void what_a_profile_does_not_say_is_unknown(void **state)
{
	struct err e = ERR_INIT;
	struct profile p;

	(void)state;
	assert_int_equal(parsed(PROFILE(""), &p, &e), 0);
	assert_int_equal(p.cores, 4);
	assert_int_equal(p.idle_w.kind, PROFILE_MEASURED);
	assert_int_equal(p.wake_s.kind, PROFILE_UNKNOWN);
	assert_string_equal(profile_kind_name(p.wake_s.kind), "unknown");
	assert_int_equal(p.time_s.kind, PROFILE_UNKNOWN);
	assert_true(p.time_s.value[0][0] < 0);
	assert_false(p.processor);
}

static void runs_are_by_kernel_and_class(void **state)
{
	struct err e = ERR_INIT;
	struct profile p;

	(void)state;
	assert_int_equal(
		parsed(PROFILE(",\"scope\":\"processor\",\"wake_s\":" VALUE(
			       60) ",\"time_s\":{\"kind\":\"assumed\",\"source\":\"a guess\","
				   "\"runs\":{\"is\":{\"S\":0.5,\"W\":null},\"ft\":{\"C\":70}}}"),
		       &p, &e),
		0);
	assert_true(p.processor);
	assert_true(p.wake_s.value == 60);
	assert_int_equal(p.time_s.kind, PROFILE_ASSUMED);
	assert_string_equal(p.time_s.source, "a guess");
	assert_true(p.time_s.value[1][0] == 0.5);
	assert_true(p.time_s.value[1][1] < 0);
	assert_true(p.time_s.value[4][4] == 70);
	assert_true(p.time_s.value[0][0] < 0);
}

static void a_wrong_profile_is_refused_with_the_field(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "machine profile"},
		{"[]", "profile"},
		{PROFILE(",\"colour\":1"), "colour"},
		{PROFILE(",\"wake_s\":60"), "wake_s"},
		{PROFILE(",\"wake_s\":{\"value\":1,\"kind\":\"unknown\",\"source\":\"x\"}"),
		 "wake_s"},
		{PROFILE(",\"wake_s\":{\"value\":-1,\"kind\":\"assumed\",\"source\":\"x\"}"),
		 "wake_s"},
		{PROFILE(",\"sleep_w\":{\"value\":1,\"kind\":\"assumed\"}"), "sleep_w"},
		{PROFILE(",\"scope\":\"rack\""), "scope"},
		{PROFILE(",\"time_s\":{\"kind\":\"assumed\",\"source\":\"x\",\"runs\":{\"lu\":{}}"
			 "}"),
		 "lu"},
		{PROFILE(",\"time_s\":{\"kind\":\"assumed\",\"source\":\"x\",\"runs\":"
			 "{\"ep\":{\"D\":1}}}"),
		 "D"},
		{PROFILE(",\"time_s\":{\"kind\":\"assumed\",\"source\":\"x\",\"runs\":"
			 "{\"ep\":{\"S\":0}}}"),
		 "time_s"},
		{"{\"version\":1,\"name\":\"m\",\"title\":\"M\",\"isa\":\"x86_64\",\"cores\":4,"
		 "\"idle_w\":" VALUE(10) ",\"core_w\":" VALUE(5) ",\"peak_w\":" VALUE(9) "}",
		 "peak_w"},
		{"{\"version\":1,\"name\":\"m\",\"title\":\"M\",\"isa\":\"mips\",\"cores\":4,"
		 "\"idle_w\":" VALUE(10) ",\"core_w\":" VALUE(5) ",\"peak_w\":" VALUE(30) "}",
		 "isa"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		struct profile p;

		assert_true(parsed(cases[i].text, &p, &e) < 0);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("case %zu says: %s", i, e.msg);
	}
}

static void assert_sourced(const struct profile_value *v, const char *file)
{
	if (v->kind == PROFILE_UNKNOWN || strlen(v->source) < 15)
		fail_msg("%s: a value has no source", file);
}

/* A larger class never takes less time, and every kernel and class has a time and a footprint. */
static void assert_runs(const struct profile *p, const char *file)
{
	for (int k = 0; k < PROFILE_KERNELS; k++)
		for (int c = 0; c < PROFILE_CLASSES; c++) {
			const double *time = p->time_s.value[k];

			if (time[c] <= 0 || p->footprint_mib.value[k][c] <= 0)
				fail_msg("%s: no time or footprint of %s %s", file,
					 profile_kernels[k], profile_classes[c]);
			if (c && time[c] < time[c - 1])
				fail_msg("%s: %s %s takes less than the class below", file,
					 profile_kernels[k], profile_classes[c]);
		}
}

static void every_profile_of_the_tree_is_complete_and_sourced(void **state)
{
	const char *src = getenv("DROVER_SRCDIR");
	struct dirent *entry;
	char path[4096];
	int seen = 0;
	DIR *dir;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/workloads/profiles", src ? src : ".");
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct err e = ERR_INIT;
		struct profile p;
		double linear;

		if (!strstr(entry->d_name, ".json"))
			continue;
		(void)snprintf(path, sizeof(path), "%s/workloads/profiles/%s", src ? src : ".",
			       entry->d_name);
		if (profile_load(path, &p, &e))
			fail_msg("%s", e.msg);
		assert_int_equal(strncmp(p.name, entry->d_name, strlen(p.name)), 0);
		assert_sourced(&p.idle_w, path);
		assert_sourced(&p.core_w, path);
		assert_sourced(&p.peak_w, path);
		assert_sourced(&p.sleep_w, path);
		assert_sourced(&p.sleep_s, path);
		assert_sourced(&p.wake_s, path);
		assert_sourced(&p.wake_j, path);
		assert_sourced(&p.memory_mib, path);
		assert_sourced(&p.link_mbit, path);
		assert_true(p.sleep_w.value < p.idle_w.value);
		/* The linear model reaches the peak. */
		linear = p.idle_w.value + p.cores * p.core_w.value;
		assert_true(linear > 0.98 * p.peak_w.value && linear < 1.02 * p.peak_w.value);
		assert_runs(&p, path);
		seen++;
	}
	(void)closedir(dir);
	assert_in_range(seen, 4, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_profile_does_not_say_is_unknown),
		cmocka_unit_test(runs_are_by_kernel_and_class),
		cmocka_unit_test(a_wrong_profile_is_refused_with_the_field),
		cmocka_unit_test(every_profile_of_the_tree_is_complete_and_sourced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
