#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/file.h"
#include "agent/meter/profile.h"
#include "scheduler/replay/trace.h"

static int read_text(const char *text, struct trace *t, struct err *e)
{
	*e = (struct err)ERR_INIT;
	return trace_read(text, strlen(text), TRACE_AUTO, t, e);
}

static void all_fields_are_taken(void **state)
{
	struct trace t;
	struct err e;

	(void)state;
	assert_int_equal(read_text("; UnixStartTime: 749458803\n; MaxProcs: 128\n"
				   "7 100 5 60 4 30 2048 8 90 4096 1 3 1 9 1 -1 -1 -1\n",
				   &t, &e),
			 0);
	assert_int_equal(t.njobs, 1);
	assert_int_equal(t.unix_start, 749458803);
	assert_int_equal(t.max_procs, 128);
	assert_int_equal(t.jobs[0].number, 7);
	assert_int_equal(t.jobs[0].submit_ms, 0);
	assert_int_equal(t.jobs[0].cpus, 4);
	assert_int_equal(t.jobs[0].limit_s, 90);
	assert_int_equal(t.jobs[0].user, 3);
	assert_int_equal(t.jobs[0].program, 9);
	assert_int_equal(t.jobs[0].memory_bytes, 2048u * 1024 * 4);
	assert_true(fabs(t.jobs[0].run_s - 60) < 1e-9);
	assert_true(fabs((double)t.jobs[0].busy - 0.5) < 1e-6);
	trace_free(&t);
}

static void irregular_lines_of_real_files_are_taken_and_counted(void **state)
{
	struct trace t;
	struct err e;

	(void)state;
	assert_int_equal(read_text("\n;comment\r\n  2\t200.5 -1 10.25 2 -1 -1 2 -1 -1 1 1 1 1 1 -1 "
				   "-1 -1 extra 1 2\r\n"
				   "1 100 -1 5 1\n   \n",
				   &t, &e),
			 0);
	assert_int_equal(t.njobs, 2);
	assert_int_equal(t.jobs[0].number, 1); /* sorted by submission */
	assert_int_equal(t.jobs[1].submit_ms, 100500);
	assert_int_equal(t.unsorted, 1);
	assert_int_equal(t.blank, 2);
	assert_int_equal(t.long_lines, 1);
	assert_int_equal(t.short_lines, 1);
	assert_int_equal(t.floats, 1);
	trace_free(&t);
	/* Times since the epoch are taken from the first submission on. */
	assert_int_equal(read_text("1 749458813 -1 5 1\n2 749458803.5 -1 5 1\n", &t, &e), 0);
	assert_int_equal(t.jobs[0].number, 2);
	assert_int_equal(t.jobs[1].submit_ms, 9500);
	trace_free(&t);
}

static void parts_and_jobs_without_work_are_left_out(void **state)
{
	struct trace t;
	struct err e;

	(void)state;
	assert_int_equal(read_text("1 0 -1 10 1 -1 -1 1 -1 -1 3 1 1 1 1 -1 -1 -1\n"
				   "2 0 -1 -1 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n"
				   "3 0 -1 10 0 -1 -1 0 -1 -1 1 1 1 1 1 -1 -1 -1\n"
				   "4 0 40 0 1 -1 -1 1 -1 -1 5 1 1 1 1 -1 -1 -1\n"
				   "5 0 -1 10 1 -1 -1 1 -1 -1 0 1 1 1 1 -1 -1 -1\n"
				   "6 0 -1 10 1 -1 -1 1 -1 -1 5 1 1 1 1 -1 -1 -1\n",
				   &t, &e),
			 0);
	assert_int_equal(t.njobs, 3);
	assert_int_equal(t.parts, 1);
	assert_int_equal(t.no_time, 1);
	assert_int_equal(t.no_cpus, 1);
	assert_int_equal(t.jobs[0].end, TRACE_WITHDRAWN);
	assert_int_equal(t.jobs[0].cancel_ms, 40000);
	assert_int_equal(t.jobs[1].end, TRACE_FAILS);
	assert_int_equal(t.jobs[2].end, TRACE_FAILS); /* cancelled while it ran */
	trace_free(&t);
}

static void a_job_without_run_time_may_be_a_kernel_that_a_comment_names(void **state)
{
	static const char text[] = "; Application: 7 drover-cg --class B --repeat 3\n"
				   "1 0 -1 -1 1 -1 -1 1 -1 -1 -1 1 1 7 1 1 -1 -1\n"
				   "2 5 -1 -1 1 -1 -1 1 -1 -1 -1 1 1 8 1 1 -1 -1\n"
				   "3 6 -1 10 1 -1 -1 1 -1 -1 -1 1 1 7 1 1 -1 -1\n";
	static const char unknown[] = "; Application: 7 drover-xx --class B --repeat 3\n"
				      "1 0 -1 -1 1 -1 -1 1 -1 -1 -1 1 1 7 1 1 -1 -1\n";
	struct err e = ERR_INIT;
	struct trace t;

	(void)state;
	assert_int_equal(trace_read(text, sizeof(text) - 1, TRACE_AUTO, &t, &e), 0);
	assert_int_equal(t.njobs, 2);
	assert_int_equal(t.no_time, 1);
	assert_string_equal(profile_kernels[t.jobs[0].kernel], "cg");
	assert_string_equal(profile_classes[t.jobs[0].class], "B");
	assert_int_equal(t.jobs[0].repeat, 3);
	assert_int_equal(t.jobs[1].kernel, TRACE_NO_KERNEL);
	assert_true(t.jobs[1].run_s == 10);
	trace_free(&t);
	assert_int_equal(trace_read(unknown, sizeof(unknown) - 1, TRACE_AUTO, &t, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "no machine profile"));
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"; c\n1 0 -1 x 1\n", "line 2: field 4"},
		{"1 0 -1\n", "line 1: there are 3 fields"},
		{"1 0 -1 1e99 1\n", "line 1: field 4"},
		{"1 0 -1 10 1 -1 -1 1 -1 -1 1e15\n", "line 1: field 11"},
		{"1 0 -1 10 1000000 -1 1e12 1 -1 -1 1\n", "too much memory"},
		{"\n\n", "no job"},
		{"{\"version\":1}\n", "line 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trace t;
		struct err e;

		assert_int_not_equal(read_text(cases[i].text, &t, &e), 0);
		if (!strstr(e.msg, cases[i].words))
			fail_msg("case %zu: '%s' lacks '%s'", i, e.msg, cases[i].words);
	}
}

static void a_compressed_file_is_read_and_a_cut_one_refused(void **state)
{
	static const char text[] = "1 0 -1 10 1 -1 -1 1 -1 -1 1 1 1 1 1 -1 -1 -1\n";
	char dir[512], path[600];
	struct trace t;
	struct err e = ERR_INIT;
	gzFile f;

	(void)state;
	assert_int_equal(file_temp_dir("drover-trace", dir, sizeof(dir), &e), 0);
	(void)snprintf(path, sizeof(path), "%s/t.gz", dir);
	f = gzopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(gzclose(f), Z_OK);
	assert_int_equal(trace_load(path, TRACE_AUTO, &t, &e), 0);
	assert_int_equal(t.njobs, 1);
	trace_free(&t);
	assert_int_equal(truncate(path, 30), 0);
	assert_int_not_equal(trace_load(path, TRACE_AUTO, &t, &e), 0);
	assert_int_equal(file_remove_tree(dir, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_are_taken),
		cmocka_unit_test(irregular_lines_of_real_files_are_taken_and_counted),
		cmocka_unit_test(parts_and_jobs_without_work_are_left_out),
		cmocka_unit_test(a_job_without_run_time_may_be_a_kernel_that_a_comment_names),
		cmocka_unit_test(what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(a_compressed_file_is_read_and_a_cut_one_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
