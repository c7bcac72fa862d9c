/* Energy readings grow old: fewer rows, the same joules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "tests/unit/store_under_test.h"

#define HOUR_MS  3600000ull
#define DAY_MS   (24 * HOUR_MS)
#define START_MS (1700000000000ull / DAY_MS * DAY_MS)

static char dir[256];
static struct store *store;

static int setup(void **state)
{
	struct effect one = {.kind = FX_JOB};
	struct effects fx = {.v = &one, .n = 1};

	(void)state;
	srand(11);
	if (file_temp_dir("drover-energy", dir, sizeof(dir), NULL) ||
	    store_under_test(&store, dir, NULL) || store_begin(store, NULL))
		return -1;
	for (uint64_t id = 1; id <= 4; id++) {
		struct job j = {.id = id, .attempt = 1};

		one.job = &j;
		if (store_apply(store, &fx, NULL))
			return -1;
	}
	return store_commit(store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return file_remove_tree(dir, NULL);
}

static void put(const char *node, uint64_t from, uint64_t len, uint64_t idle, unsigned int jobs)
{
	struct energy_interval i = {.meter = "m",
				    .instance = "i",
				    .source = "model",
				    .scope = "node",
				    .kind = "modelled",
				    .counted = true,
				    .from_ms = from,
				    .to_ms = from + len,
				    .idle_uj = idle,
				    .system_uj = 3};

	(void)snprintf(i.node, sizeof(i.node), "%s", node);
	i.energy_uj = i.idle_uj + i.system_uj;
	for (unsigned int j = 0; j < 4; j++)
		if (jobs & (1u << j)) {
			i.jobs[i.njobs++] =
				(struct energy_job){.job = j + 1, .attempt = 1, .energy_uj = 5 + j};
			i.energy_uj += 5 + j;
		}
	assert_int_equal(store_add_energy(store, &i, NULL), 0);
}

struct sums {
	uint64_t rows, energy, idle, system, jobs[4], covered_ms, longest_ms;
};

static void add_up(const struct energy_interval *i, void *arg)
{
	struct sums *s = arg;

	s->rows++;
	s->energy += i->energy_uj;
	s->idle += i->idle_uj;
	s->system += i->system_uj;
	s->covered_ms += i->to_ms - i->from_ms;
	if (i->to_ms - i->from_ms > s->longest_ms)
		s->longest_ms = i->to_ms - i->from_ms;
	for (uint32_t k = 0; k < i->njobs; k++)
		s->jobs[i->jobs[k].job - 1] += i->jobs[k].energy_uj;
}

static struct sums sum(uint64_t from, uint64_t to)
{
	struct sums s = {0};

	assert_int_equal(store_energy(store, from, to, add_up, &s, NULL), 0);
	return s;
}

static void age(uint64_t now, uint64_t keep)
{
	bool more = true;

	assert_int_equal(store_begin(store, NULL), 0);
	for (int n = 0; more; n++) {
		assert_true(n < 100000);
		assert_int_equal(store_age_energy(store, now, keep, &more, NULL), 0);
	}
	assert_int_equal(store_commit(store, NULL), 0);
}

static void same_joules(const struct sums *a, const struct sums *b)
{
	assert_int_equal(a->energy, b->energy);
	assert_int_equal(a->idle, b->idle);
	assert_int_equal(a->system, b->system);
	assert_int_equal(a->covered_ms, b->covered_ms);
	assert_memory_equal(a->jobs, b->jobs, sizeof(a->jobs));
}

struct total {
	uint64_t idle, jobs, system;
	unsigned int rows;
};

static void take_total(const struct energy_total *t, void *arg)
{
	struct total *out = arg;

	out->rows++;
	out->idle += t->idle_uj;
	out->jobs += t->jobs_uj;
	out->system += t->system_uj;
}

static void old_readings_become_fewer_and_sum_to_the_same(void **state)
{
	uint64_t end = START_MS + 40 * 60 * 1000, t = START_MS;
	struct sums before, halves[2], after;
	struct job_record rec;
	struct total total = {0};

	(void)state;
	assert_int_equal(store_begin(store, NULL), 0);
	/* Two nodes, gaps now and then, jobs that come and go. */
	for (unsigned int jobs = 1; t < end; t += 1000) {
		if (rand() % 40 == 0)
			jobs = (unsigned int)rand() % 16;
		if (rand() % 50)
			put("a", t, 1000, (uint64_t)rand() % 1000, jobs);
		put("b", t, 1000, 60, 0);
	}
	assert_int_equal(store_commit(store, NULL), 0);
	before = sum(0, INT64_MAX);
	age(START_MS + HOUR_MS, 0);
	after = sum(0, INT64_MAX);
	assert_int_equal(after.rows, before.rows); /* too young */
	age(end + HOUR_MS, 0);
	after = sum(0, INT64_MAX);
	assert_true(after.rows < before.rows / 3);
	assert_true(after.longest_ms == 10000);
	same_joules(&before, &after);
	halves[0] = sum(0, START_MS + 600000);
	halves[1] = sum(START_MS + 600000, INT64_MAX);
	assert_int_equal(halves[0].energy + halves[1].energy, before.energy);
	age(end + DAY_MS, 0);
	after = sum(0, INT64_MAX);
	assert_true(after.longest_ms == 300000);
	assert_true(after.rows < before.rows / 10);
	same_joules(&before, &after);
	assert_int_equal(store_job(store, 1, &rec, NULL), 0);
	assert_int_equal(rec.energy_uj, before.jobs[0]);
	job_record_free(&rec);
	assert_int_equal(store_energy_totals(store, take_total, &total, NULL), 0);
	assert_int_equal(total.rows, 2);
	assert_int_equal(total.idle + total.jobs + total.system, before.energy);
}

static void what_was_merged_is_not_counted_again_and_a_gap_can_be_filled(void **state)
{
	uint64_t t = START_MS + 2 * DAY_MS;
	struct sums before, after;

	(void)state;
	assert_int_equal(store_begin(store, NULL), 0);
	for (unsigned int k = 0; k < 10; k++)
		if (k != 4)
			put("c", t + k * 1000, 1000, 100, 1);
	assert_int_equal(store_commit(store, NULL), 0);
	age(t + 2 * HOUR_MS, 0);
	before = sum(t, t + 10000);
	assert_int_equal(before.rows, 2); /* before and behind the gap */
	assert_int_equal(store_begin(store, NULL), 0);
	put("c", t + 2000, 1000, 100, 1);
	put("c", t, 1000, 100, 1);
	after = sum(t, t + 10000);
	same_joules(&before, &after);
	put("c", t + 4000, 1000, 77, 0);
	assert_int_equal(store_commit(store, NULL), 0);
	after = sum(t, t + 10000);
	assert_int_equal(after.energy, before.energy + 77 + 3);
}

static void what_is_too_old_goes_and_totals_stay(void **state)
{
	struct total before = {0}, after = {0};
	struct sums s;

	(void)state;
	assert_int_equal(store_energy_totals(store, take_total, &before, NULL), 0);
	age(START_MS + 3 * DAY_MS, DAY_MS + HOUR_MS);
	s = sum(0, INT64_MAX);
	assert_int_equal(s.rows, 3);
	age(START_MS + 30 * DAY_MS, DAY_MS);
	s = sum(0, INT64_MAX);
	assert_int_equal(s.rows, 0);
	assert_int_equal(store_energy_totals(store, take_total, &after, NULL), 0);
	assert_memory_equal(&before, &after, sizeof(before));
}

/* A reading of "d" that is modelled, of 1 mW. */
static void fill(uint64_t from, uint64_t to)
{
	struct energy_interval i = {.node = "d",
				    .meter = "sleep",
				    .instance = "scheduler",
				    .source = "model",
				    .scope = "node",
				    .kind = "modelled",
				    .counted = true,
				    .from_ms = from,
				    .to_ms = to,
				    .energy_uj = to - from,
				    .idle_uj = to - from};

	assert_int_equal(store_fill_energy(store, &i, NULL), 0);
}

static void what_is_modelled_fills_what_was_not_read(void **state)
{
	uint64_t t = START_MS + 20 * DAY_MS;
	struct sums s;

	(void)state;
	assert_int_equal(store_begin(store, NULL), 0);
	put("d", t + 2000, 1000, 100, 1);
	put("d", t + 5000, 1000, 100, 0);
	put("e", t, 9000, 100, 0);
	fill(t + 1000, t + 9000);
	/* Twice, in other pieces, and where nothing is left. */
	fill(t + 1000, t + 9000);
	fill(t + 500, t + 4500);
	fill(t + 2100, t + 2900);
	assert_int_equal(store_commit(store, NULL), 0);
	s = sum(t, t + 9000);
	assert_int_equal(s.energy, (100 + 3 + 5) + (100 + 3) + (100 + 3) + 500 + 6000);
	assert_int_equal(s.covered_ms, 9000 + 8500);
}

static void a_reading_that_comes_late_is_not_counted_beside_what_is_modelled(void **state)
{
	uint64_t t = START_MS + 21 * DAY_MS;
	struct energy_interval gap = {.node = "d",
				      .meter = "m",
				      .instance = "i",
				      .counted = true,
				      .from_ms = t + 20000,
				      .to_ms = t + 30000,
				      .gap_ms = 9000,
				      .energy_uj = 500,
				      .idle_uj = 500};
	struct sums s;

	(void)state;
	assert_int_equal(store_begin(store, NULL), 0);
	fill(t, t + 4000);
	/* Three quarters of it are counted: of idle 400 and system 3 a quarter is left, and the
	 * job's share. */
	put("d", t + 1000, 4000, 400, 1);
	assert_int_equal(store_commit(store, NULL), 0);
	s = sum(t, t + 10000);
	assert_int_equal(s.energy, 4000 + 100 + 1 + 5);
	assert_int_equal(s.jobs[0], 5);
	/* All of it; and it comes twice. */
	assert_int_equal(store_begin(store, NULL), 0);
	put("d", t + 500, 1000, 400, 0);
	put("d", t + 500, 1000, 400, 0);
	/* What its meter did not see is what was modelled. */
	fill(t + 21000, t + 30000);
	assert_int_equal(store_add_energy(store, &gap, NULL), 0);
	assert_int_equal(store_commit(store, NULL), 0);
	assert_int_equal(sum(t, t + 10000).energy, s.energy);
	assert_int_equal(sum(t + 20000, t + 30000).energy, 9000 + 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_readings_become_fewer_and_sum_to_the_same),
		cmocka_unit_test(what_was_merged_is_not_counted_again_and_a_gap_can_be_filled),
		cmocka_unit_test(what_is_too_old_goes_and_totals_stay),
		cmocka_unit_test(what_is_modelled_fills_what_was_not_read),
		cmocka_unit_test(a_reading_that_comes_late_is_not_counted_beside_what_is_modelled),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
