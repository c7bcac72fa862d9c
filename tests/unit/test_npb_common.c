/* What the NPB kernels share: the pseudorandom sequence and the result block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/npb/common/lcg.h"
#include "workloads/npb/common/npb.h"

/* The specification's way: double precision, in halves of 23 bits. */
static double reference(double *x, double a)
{
	const double r23 = 0x1p-23, t23 = 0x1p23, r46 = 0x1p-46, t46 = 0x1p46;
	double a1 = (double)(long)(r23 * a), a2 = a - t23 * a1;
	double x1 = (double)(long)(r23 * *x), x2 = *x - t23 * x1;
	double t = a1 * x2 + a2 * x1;
	double z = t - t23 * (double)(long)(r23 * t);

	t = t23 * z + a2 * x2;
	*x = t - t46 * (double)(long)(r46 * t);
	return r46 * *x;
}

static void numbers_are_those_of_the_specification(void **state)
{
	double slow = 314159265.0;
	uint64_t fast = 314159265;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		double want = reference(&slow, 1220703125.0);

		assert_true(npb_randlc(&fast, NPB_LCG_A) == want);
		assert_true((double)fast == slow);
	}
}

static void a_block_of_numbers_equals_as_many_single_ones(void **state)
{
	(void)state;
	for (size_t n = 0; n < 70; n++) {
		uint64_t block = 271828183, single = 271828183;
		double y[70];

		npb_vranlc(n, &block, NPB_LCG_A, y);
		for (size_t i = 0; i < n; i++)
			assert_true(y[i] == npb_randlc(&single, NPB_LCG_A));
		assert_int_equal(block, single);
	}
}

static void a_jump_lands_where_single_steps_do(void **state)
{
	uint64_t x = 271828183;

	(void)state;
	for (uint64_t n = 0; n < 300; n++) {
		assert_int_equal(npb_lcg_skip(271828183, NPB_LCG_A, n), x);
		x = npb_lcg_next(x, NPB_LCG_A);
	}
	/* The period of the sequence is 2^44. */
	assert_int_equal(npb_lcg_skip(271828183, NPB_LCG_A, UINT64_C(1) << 44), 271828183);
}

static char *reported(struct npb_options o, struct npb_result r, int *status)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	*status = npb_result_report(&o, &r, f);
	fclose(f);
	return text;
}

static const struct npb_result example = {.kernel = "XX",
					  .operation = "things done",
					  .size = 4096,
					  .operations = 3000000,
					  .iterations = 7,
					  .seconds = 1.5,
					  .verified = true};

static void the_result_block_has_the_form_of_npb(void **state)
{
	int status;
	char *text = reported((struct npb_options){.class = NPB_CLASS_W, .repeat = 1, .threads = 1},
			      example, &status);

	(void)state;
	assert_int_equal(status, NPB_OK);
	assert_string_equal(text, "\n\n XX Benchmark Completed.\n"
				  " Class           =                        W\n"
				  " Size            =                     4096\n"
				  " Iterations      =                        7\n"
				  " Time in seconds =                     1.50\n"
				  " Mop/s total     =                     2.00\n"
				  " Operation type  =              things done\n"
				  " Verification    =               SUCCESSFUL\n");
	free(text);
}

static void an_unverified_run_says_so_and_fails(void **state)
{
	struct npb_result r = example;
	int status;
	char *text;

	(void)state;
	r.verified = false;
	text = reported((struct npb_options){.repeat = 1, .threads = 1}, r, &status);
	assert_int_equal(status, NPB_UNVERIFIED);
	assert_non_null(strstr(text, " Verification    =             UNSUCCESSFUL\n"));
	free(text);
	text = reported((struct npb_options){.repeat = 1, .threads = 1, .json = true}, r, &status);
	assert_int_equal(status, NPB_UNVERIFIED);
	assert_non_null(strstr(text, "\"verified\": false"));
	free(text);
}

static void an_untimed_result_holds_no_times(void **state)
{
	struct npb_options o = {.repeat = 1, .threads = 1, .untimed = true};
	int status;
	char *text = reported(o, example, &status);

	(void)state;
	assert_null(strstr(text, "Time"));
	assert_null(strstr(text, "Mop"));
	free(text);
	o.json = true;
	text = reported(o, example, &status);
	assert_string_equal(text, "{\"kernel\": \"XX\", \"class\": \"S\", \"size\": 4096, "
				  "\"iterations\": 7, \"repeat\": 1, \"threads\": 1, "
				  "\"operation\": \"things done\", \"verified\": true}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_the_specification),
		cmocka_unit_test(a_block_of_numbers_equals_as_many_single_ones),
		cmocka_unit_test(a_jump_lands_where_single_steps_do),
		cmocka_unit_test(the_result_block_has_the_form_of_npb),
		cmocka_unit_test(an_unverified_run_says_so_and_fails),
		cmocka_unit_test(an_untimed_result_holds_no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
