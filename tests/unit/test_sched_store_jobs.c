/* Lists of jobs: whatever is asked for, page by page, is what looking at each job finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "tests/unit/store_under_test.h"

#define JOBS 400

static char dir[256];
static struct store *store;
static struct job jobs[JOBS];

static unsigned int pick(unsigned int n)
{
	return (unsigned int)rand() % n;
}

static void name_of(char *out, const char *stem, unsigned int n)
{
	(void)snprintf(out, CORE_NAME_MAX, "%s%u", stem, n);
}

static int setup(void **state)
{
	struct effect list[JOBS];
	struct effects fx = {.v = list, .n = JOBS};
	uint64_t now = 1000;

	(void)state;
	srand(7);
	memset(list, 0, sizeof(list));
	for (unsigned int i = 0; i < JOBS; i++) {
		struct job *j = &jobs[i];

		j->id = i + 1;
		name_of(j->spec.name, "Name", pick(5));
		name_of(j->spec.user, "user", pick(4));
		j->state = (enum job_state)pick(JOB_STATE_COUNT);
		if (j->state != JOB_PENDING || pick(3) == 0)
			name_of(j->last_node, "node", pick(3));
		j->last_isa = pick(2) ? ISA_AARCH64 : ISA_X86_64;
		j->spec.array = pick(3) ? 0 : 1 + pick(4);
		/* Several in one millisecond, and a clock that once went back. */
		now = i == JOBS / 2 ? 1100 : now + pick(3);
		j->submitted_ms = now;
		list[i] = (struct effect){.kind = FX_JOB, .job = j};
	}
	if (file_temp_dir("drover-jobs", dir, sizeof(dir), NULL) || store_under_test(&store, dir, NULL))
		return -1;
	return store_begin(store, NULL) || store_apply(store, &fx, NULL) ||
	       store_commit(store, NULL);
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	return file_remove_tree(dir, NULL);
}

static bool fits(const struct job *j, const struct job_filter *f)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)j->id);
	return (!f->states || (f->states & (1u << j->state))) &&
	       (!f->user || !strcmp(f->user, j->spec.user)) &&
	       (!f->name || !strcmp(f->name, j->spec.name)) &&
	       (!f->node || !strcmp(f->node, j->last_node)) &&
	       (f->isa < 0 || (f->isa == (int)j->last_isa && j->state != JOB_PENDING)) &&
	       (!f->array || f->array == j->spec.array) && j->submitted_ms >= f->since_ms &&
	       (!f->until_ms || j->submitted_ms < f->until_ms) &&
	       (!f->q || strcasestr(j->spec.name, f->q) || strcasestr(j->spec.user, f->q) ||
		!strcmp(id, f->q));
}

static int by_time(const void *a, const void *b)
{
	const struct job *x = *(const struct job *const *)a, *y = *(const struct job *const *)b;

	if (x->submitted_ms != y->submitted_ms)
		return x->submitted_ms < y->submitted_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

struct collected {
	uint64_t ids[JOBS + 1];
	size_t n;
};

static void collect(struct job_record *r, void *arg)
{
	struct collected *c = arg;

	assert_true(c->n < JOBS);
	c->ids[c->n++] = r->job.id;
}

/* All pages of a list against what the filter means. */
static void compare(struct job_filter *f)
{
	const struct job *expected[JOBS];
	struct collected got = {.n = 0};
	struct job_cursor next;
	struct err e = ERR_INIT;
	uint64_t count;
	size_t n = 0, pages = 0;

	for (size_t i = 0; i < JOBS; i++)
		if (fits(&jobs[i], f))
			expected[n++] = &jobs[i];
	qsort(expected, n, sizeof(*expected), by_time);
	do {
		size_t before = got.n;

		if (store_jobs(store, f, collect, &got, &next, &e))
			fail_msg("%s", e.msg);
		assert_true(got.n - before <= f->limit);
		f->after = next;
		assert_true(++pages <= JOBS + 1);
	} while (next.id);
	assert_int_equal(got.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got.ids[i], expected[f->newest_first ? n - 1 - i : i]->id);
	f->after = (struct job_cursor){0, 0};
	assert_int_equal(store_count_jobs(store, f, &count, &e), 0);
	assert_int_equal(count, n);
}

static void every_filter_finds_what_it_says_page_by_page(void **state)
{
	static const char *const parts[] = {"name1", "USER", "e", "17", "nothing", "%", "er2"};

	(void)state;
	for (unsigned int round = 0; round < 400; round++) {
		char user[CORE_NAME_MAX], name[CORE_NAME_MAX], node[CORE_NAME_MAX];
		struct job_filter f = {.isa = -1, .limit = 1 + pick(60), .newest_first = pick(2)};

		name_of(user, "user", pick(5));
		name_of(name, "Name", pick(6));
		name_of(node, "node", pick(4));
		f.user = pick(3) ? NULL : user;
		f.name = pick(4) ? NULL : name;
		f.node = pick(3) ? NULL : node;
		f.q = pick(4) ? NULL : parts[pick(ARRAY_SIZE(parts))];
		f.states = pick(2) ? 0 : pick(1u << JOB_STATE_COUNT);
		f.isa = pick(4) ? -1 : (int)pick(2);
		f.array = pick(4) ? 0 : 1 + pick(5);
		f.since_ms = pick(3) ? 0 : 1000 + pick(400);
		f.until_ms = pick(3) ? 0 : 1000 + pick(400);
		compare(&f);
	}
}

static void the_pages_of_a_growing_list_hold_each_old_job_once(void **state)
{
	struct job_filter f = {.isa = -1, .limit = 50, .newest_first = true};
	struct collected got = {.n = 0};
	struct job_cursor next;
	struct job late = {.id = JOBS + 1, .submitted_ms = 999999, .spec = {.name = "late"}};
	struct effect one = {.kind = FX_JOB, .job = &late};
	struct effects fx = {.v = &one, .n = 1};

	(void)state;
	assert_int_equal(store_jobs(store, &f, collect, &got, &next, NULL), 0);
	assert_int_equal(store_begin(store, NULL), 0);
	/* Not there before it is committed, though this process has written it. */
	assert_int_equal(store_apply(store, &fx, NULL), 0);
	f.after = next;
	assert_int_equal(store_jobs(store, &f, collect, &got, &next, NULL), 0);
	assert_int_equal(got.n, 100);
	assert_int_equal(store_commit(store, NULL), 0);
	for (size_t i = 0; i < 100; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(got.ids[i], got.ids[k]);
	f.after = (struct job_cursor){0, 0};
	got.n = 0;
	assert_int_equal(store_jobs(store, &f, collect, &got, &next, NULL), 0);
	assert_int_equal(got.ids[0], JOBS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_filter_finds_what_it_says_page_by_page),
		cmocka_unit_test(the_pages_of_a_growing_list_hold_each_old_job_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
