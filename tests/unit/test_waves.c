/* Waves of jobs: what the parameters mean, and that a trace file comes back as it was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/waves/waves.h"

static struct wave_params params(uint32_t waves, uint32_t jobs, const char *mix, uint64_t seed)
{
	struct wave_params p = {.waves = waves,
				.jobs_per_wave = jobs,
				.cpus = 2,
				.seed = seed,
				.spacing_min_ms = 1500,
				.spacing_max_ms = 9000};

	assert_int_equal(wave_mix_parse(mix, &p, NULL), 0);
	return p;
}

static char *written(const struct wave_trace *t,
		     int (*write)(const struct wave_trace *, FILE *, struct err *))
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(write(t, f, NULL), 0);
	fclose(f);
	return text;
}

static void a_mix_lists_programs_classes_repetitions_and_weights(void **state)
{
	struct wave_params p = params(1, 1, "ep.S=3,npb-cg2.Wx20=7", 1);
	char text[64];

	(void)state;
	assert_int_equal(p.nkinds, 2);
	assert_string_equal(p.kinds[1].program, "npb-cg2");
	assert_int_equal(p.kinds[1].class, 'W');
	assert_int_equal(p.kinds[1].repeat, 20);
	assert_int_equal(p.weights[1], 7);
	assert_int_equal(wave_mix_format(&p, text, sizeof(text)), 0);
	assert_string_equal(text, "ep.S=3,npb-cg2.Wx20=7");
	assert_int_equal(wave_mix_format(&p, text, 10), -ENOBUFS);
}

static void a_wrong_mix_is_refused(void **state)
{
	static const char *const wrong[] = {"",
					    ",",
					    "ep",
					    "ep.S",
					    "ep.S=",
					    "ep.S=0",
					    "ep.D=1",
					    "EP.S=1",
					    "ep.S=1,",
					    "ep.S=1;is.S=1",
					    "ep.Sx=1",
					    "ep.Sx0=1",
					    "ep.=1",
					    "-ep.S=1",
					    "ep.S=1000001",
					    "ep.S=99999999999999999999",
					    "a23456789012345678901234567890123.S=1"};
	struct wave_params p;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(wave_mix_parse(wrong[i], &p, &e), -EINVAL);
	assert_non_null(strstr(e.hint, "ep.S=3"));
}

static void a_mix_has_at_most_32_entries(void **state)
{
	char text[33 * 7 + 1] = "";
	struct wave_params p;

	(void)state;
	for (int i = 0; i < 32; i++)
		strcat(text, i ? ",ep.S=1" : "ep.S=1");
	assert_int_equal(wave_mix_parse(text, &p, NULL), 0);
	strcat(text, ",ep.S=1");
	assert_int_equal(wave_mix_parse(text, &p, NULL), -EINVAL);
}

static void spacing_is_in_seconds_to_the_millisecond(void **state)
{
	struct wave_params p;

	(void)state;
	assert_int_equal(wave_spacing_parse("0.5:60.125", &p, NULL), 0);
	assert_int_equal(p.spacing_min_ms, 500);
	assert_int_equal(p.spacing_max_ms, 60125);
	assert_int_equal(wave_spacing_parse("30", &p, NULL), 0);
	assert_int_equal(p.spacing_min_ms, 30000);
	assert_int_equal(p.spacing_max_ms, 30000);
	for (const char *const *w = (const char *const[]){"", ":", "1:", "2:1", "1.", "1.2345", "x",
							  "1:2:3", "99999999999", "-1", NULL};
	     *w; w++)
		assert_int_equal(wave_spacing_parse(*w, &p, NULL), -EINVAL);
}

static void the_same_seed_gives_the_same_jobs_and_another_seed_others(void **state)
{
	struct wave_params p = params(8, 20, "ep.S=1,is.S=1", 7),
			   q = params(8, 20, "ep.S=1,is.S=1", 8);
	struct wave_trace a, b, c;
	char *ta, *tb, *tc;

	(void)state;
	assert_int_equal(wave_generate(&p, &a, NULL), 0);
	assert_int_equal(wave_generate(&p, &b, NULL), 0);
	assert_int_equal(wave_generate(&q, &c, NULL), 0);
	ta = written(&a, wave_write_jsonl);
	tb = written(&b, wave_write_jsonl);
	tc = written(&c, wave_write_jsonl);
	assert_string_equal(ta, tb);
	assert_string_not_equal(ta, tc);
	free(ta), free(tb), free(tc);
	wave_trace_free(&a), wave_trace_free(&b), wave_trace_free(&c);
}

static void waves_keep_to_their_spacing_and_size(void **state)
{
	struct wave_params p = params(2000, 6, "ep.S=1", 3);
	unsigned int sizes[7] = {0}, size = 1;
	struct wave_trace t;

	(void)state;
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	assert_int_equal(t.jobs[0].arrival_ms, 0);
	for (size_t i = 1; i < t.njobs; i++) {
		uint64_t gap = t.jobs[i].arrival_ms - t.jobs[i - 1].arrival_ms;

		if (t.jobs[i].wave == t.jobs[i - 1].wave) {
			assert_int_equal(gap, 0);
			size++;
			continue;
		}
		assert_in_range(gap, p.spacing_min_ms, p.spacing_max_ms);
		assert_in_range(size, 1, 6);
		sizes[size]++;
		size = 1;
	}
	/* Uniform from 1 to 6: 333 each; a tenth off either way is far beyond chance for one seed.
	 */
	for (int i = 1; i <= 6; i++)
		assert_in_range(sizes[i], 250, 420);
	wave_trace_free(&t);
}

static void kinds_come_by_weight(void **state)
{
	struct wave_params p = params(1000, 9, "ep.S=9,is.S=1", 3);
	struct wave_trace t;
	size_t is = 0;

	(void)state;
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	for (size_t i = 0; i < t.njobs; i++)
		is += t.jobs[i].kind.program[0] == 'i';
	assert_in_range(is * 100 / t.njobs, 8, 12);
	wave_trace_free(&t);
}

static void impossible_parameters_are_refused(void **state)
{
	struct wave_params none = params(0, 1, "ep.S=1", 1), many = params(2000, 1000, "ep.S=1", 1);
	struct wave_params empty = params(1, 1, "ep.S=1", 1);
	struct wave_trace t;

	(void)state;
	empty.nkinds = 0;
	assert_int_equal(wave_generate(&none, &t, NULL), -EINVAL);
	assert_int_equal(wave_generate(&many, &t, NULL), -EINVAL);
	assert_int_equal(wave_generate(&empty, &t, NULL), -EINVAL);
}

static struct wave_params set(uint32_t jobs, uint32_t in_flight, uint64_t seed)
{
	struct wave_params p = {.load = WAVE_SUSTAINED,
				.set = jobs,
				.in_flight = in_flight,
				.cpus = 1,
				.seed = seed};

	assert_int_equal(wave_mix_parse("study", &p, NULL), 0);
	return p;
}

static void a_sustained_load_adds_a_job_whenever_one_ends(void **state)
{
	struct wave_params p = set(40, 14, 3);
	struct wave_trace t;

	(void)state;
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	assert_int_equal(t.njobs, 40);
	for (size_t i = 0; i < t.njobs; i++) {
		assert_int_equal(t.jobs[i].arrival_ms, 0);
		assert_int_equal(t.jobs[i].after_ends, i < 14 ? 0 : i - 13);
	}
	wave_trace_free(&t);
	p.in_flight = 41;
	assert_int_equal(wave_generate(&p, &t, NULL), -EINVAL);
}

static void the_mix_of_the_study_is_all_kernels_and_large_classes_alike(void **state)
{
	struct wave_params p = set(15000, 1, 4);
	size_t count[128] = {0}, programs = 0;
	struct wave_trace t;

	(void)state;
	assert_int_equal(p.nkinds, 15);
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	for (size_t i = 0; i < t.njobs; i++) {
		count[(size_t)t.jobs[i].kind.class]++;
		programs += !strcmp(t.jobs[i].kind.program, "cg");
	}
	assert_in_range(count['A'], 4800, 5200);
	assert_in_range(count['B'], 4800, 5200);
	assert_in_range(count['C'], 4800, 5200);
	assert_in_range(programs, 2850, 3150);
	wave_trace_free(&t);
}

static void a_sustained_trace_is_read_as_it_was_written(void **state)
{
	struct wave_params p = set(9, 4, 5);
	struct wave_trace t, back;
	char *text, *again, *swf;

	(void)state;
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	text = written(&t, wave_write_jsonl);
	assert_int_equal(wave_read(text, strlen(text), &back, NULL), 0);
	assert_int_equal(back.params.load, WAVE_SUSTAINED);
	assert_int_equal(back.jobs[8].after_ends, 5);
	again = written(&back, wave_write_jsonl);
	assert_string_equal(text, again);
	/* In SWF the fifth job follows the first. */
	swf = written(&t, wave_write_swf);
	assert_non_null(strstr(swf, "\n4 0 -1 "));
	assert_non_null(strstr(swf, " 1 1 1 0\n6 0 "));
	free(text), free(again), free(swf);
	wave_trace_free(&t), wave_trace_free(&back);
}

static void a_trace_is_read_as_it_was_written(void **state)
{
	struct wave_params p = params(30, 5, "ep.S=2,is.Wx12=1", 5);
	struct wave_trace t, back;
	char *text, *again;

	(void)state;
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	text = written(&t, wave_write_jsonl);
	assert_int_equal(wave_read(text, strlen(text), &back, NULL), 0);
	assert_int_equal(back.njobs, t.njobs);
	again = written(&back, wave_write_jsonl);
	assert_string_equal(text, again);
	free(text), free(again);
	wave_trace_free(&t), wave_trace_free(&back);
}

#define HEADER(jobs)                                                                               \
	"{\"format\":\"drover-waves\",\"version\":1,\"seed\":1,\"waves\":1,\"jobs_per_wave\":2,"   \
	"\"spacing_min_s\":1,\"spacing_max_s\":2,\"cpus\":1,\"mix\":\"ep.S=1\",\"jobs\":" #jobs    \
	"}\n"
#define JOB(at, class)                                                                             \
	"{\"arrival_s\":" #at                                                                      \
	",\"wave\":1,\"program\":\"ep\",\"class\":\"" class "\",\"repeat\":1,"                     \
							    "\"cpus\":1}\n"

static void a_damaged_trace_is_refused_with_the_line(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"", "empty"},
		{"x\n", "line 1"},
		{HEADER(1), "too short"},
		{HEADER(2) JOB(0.000000000000000000000000000000000000000000000000000000000000, "S"),
		 "only 1"},
		{HEADER(1) JOB(0, "S") JOB(0, "S"), "there are more"},
		{HEADER(2) JOB(5, "S") JOB(4, "S"), "line 3"},
		{HEADER(1) JOB(0, "Q"), "job.class"},
		{HEADER(1) JOB(-1, "S"), "job.arrival_s"},
		{HEADER(1) "{\"arrival_s\":0,\"wave\":1,\"program\":\"../sh\",\"class\":\"S\","
			   "\"repeat\":1,\"cpus\":1}\n",
		 "job.program"},
		{HEADER(1000000) JOB(0, "S"), "too short"},
		{HEADER(0) JOB(0, "S"), "header.jobs"},
		{HEADER(1) "{\"arrival_s\":0,\"after_ends\":1,\"wave\":1,\"program\":\"ep\","
			   "\"class\":"
			   "\"S\",\"repeat\":1,\"cpus\":1}\n",
		 "job.after_ends"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct wave_trace t;

		assert_true(wave_read(cases[i].text, strlen(cases[i].text), &t, &e) < 0);
		assert_null(t.jobs);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("case %zu says: %s", i, e.msg);
	}
}

static void swf_has_eighteen_fields_a_job(void **state)
{
	struct wave_params p = params(3, 4, "ep.S=1,is.S=1", 9);
	struct wave_trace t;
	char *text, *save = NULL;
	size_t jobs = 0;

	(void)state;
	assert_int_equal(wave_generate(&p, &t, NULL), 0);
	text = written(&t, wave_write_swf);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *field = NULL;
		int fields = 0;

		if (line[0] == ';')
			continue;
		for (char *f = strtok_r(line, " ", &field); f; f = strtok_r(NULL, " ", &field))
			fields++;
		assert_int_equal(fields, 18);
		jobs++;
	}
	assert_int_equal(jobs, t.njobs);
	free(text);
	wave_trace_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mix_lists_programs_classes_repetitions_and_weights),
		cmocka_unit_test(a_wrong_mix_is_refused),
		cmocka_unit_test(a_mix_has_at_most_32_entries),
		cmocka_unit_test(spacing_is_in_seconds_to_the_millisecond),
		cmocka_unit_test(the_same_seed_gives_the_same_jobs_and_another_seed_others),
		cmocka_unit_test(waves_keep_to_their_spacing_and_size),
		cmocka_unit_test(kinds_come_by_weight),
		cmocka_unit_test(impossible_parameters_are_refused),
		cmocka_unit_test(a_sustained_load_adds_a_job_whenever_one_ends),
		cmocka_unit_test(the_mix_of_the_study_is_all_kernels_and_large_classes_alike),
		cmocka_unit_test(a_sustained_trace_is_read_as_it_was_written),
		cmocka_unit_test(a_trace_is_read_as_it_was_written),
		cmocka_unit_test(a_damaged_trace_is_refused_with_the_line),
		cmocka_unit_test(swf_has_eighteen_fields_a_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
