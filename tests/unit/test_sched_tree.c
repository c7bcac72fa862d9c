/* The core's containers against plain arrays: what is in, in which order, and what is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "scheduler/core/timer.h"
#include "scheduler/core/tree.h"

#define ITEMS 300

struct item {
	struct tree_node at;
	uint32_t value, largest; /* largest value below */
	bool in;
};

static uint64_t seed = 7;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static struct item *of(const struct tree_node *t)
{
	return t ? tree_entry(t, struct item, at) : NULL;
}

static void pull(struct tree_node *t)
{
	struct item *i = of(t);

	i->largest = i->value;
	for (int k = 0; k < 2; k++)
		if (t->child[k] && of(t->child[k])->largest > i->largest)
			i->largest = of(t->child[k])->largest;
}

/* Items are kept in the order of their keys. */
static void check(const struct tree *t, struct item *v)
{
	struct tree_node *list[ITEMS];
	struct item *before = NULL;
	uint32_t n = 0, largest = 0;

	for (uint32_t i = 0; i < ITEMS; i++) {
		struct item *next = NULL;

		for (uint32_t k = i + 1; k < ITEMS && !next; k++)
			next = v[k].in ? &v[k] : NULL;
		assert_ptr_equal(of(tree_after(t, v[i].at.key, v[i].at.tie)), next);
		assert_ptr_equal(of(tree_before(t, v[i].at.key, v[i].at.tie)), before);
		if (v[i].in) {
			n++;
			before = &v[i];
			largest = v[i].value > largest ? v[i].value : largest;
		}
	}
	assert_int_equal(t->n, n);
	assert_int_equal(tree_list(t, list, ITEMS), n);
	assert_int_equal(tree_list(t, list, 3), n < 3 ? n : 3);
	for (uint32_t i = 0, k = 0; i < ITEMS; i++)
		if (v[i].in && k < 3)
			assert_ptr_equal(list[k++], &v[i].at);
	assert_ptr_equal(of(tree_last(t)), before);
	if (n)
		assert_int_equal(of(t->root)->largest, largest);
	else
		assert_null(tree_first(t));
}

static void a_tree_is_its_items_in_order_with_their_largest(void **state)
{
	static struct item v[ITEMS];
	struct tree t;

	(void)state;
	tree_init(&t, pull);
	for (uint32_t i = 0; i < ITEMS; i++) {
		v[i].at.key = i / 5; /* some are equal but for the second part */
		v[i].at.tie = i % 5;
	}
	for (int step = 0; step < 4000; step++) {
		struct item *i = &v[rnd(ITEMS)];

		if (i->in) {
			tree_remove(&t, &i->at);
		} else {
			i->value = rnd(1000);
			tree_insert(&t, &i->at);
		}
		i->in = !i->in;
		if (step % 50 == 0)
			check(&t, v);
	}
	check(&t, v);
}

static uint32_t depth(const struct tree_node *t)
{
	uint32_t a = t ? depth(t->child[0]) : 0, b = t ? depth(t->child[1]) : 0;

	return t ? 1 + (a > b ? a : b) : 0;
}

static void a_tree_stays_shallow_when_items_come_in_order(void **state)
{
	enum { MANY = 100000 };
	struct item *v = calloc(MANY, sizeof(*v));
	struct tree t;

	(void)state;
	assert_non_null(v);
	tree_init(&t, NULL);
	for (uint32_t i = 0; i < MANY; i++) {
		v[i].at.key = i;
		tree_insert(&t, &v[i].at);
	}
	assert_true(depth(t.root) < 64); /* about 17 if it were balanced, 42 are expected */
	free(v);
}

static void timers_come_due_in_the_order_of_their_times(void **state)
{
	static struct timer v[ITEMS];
	struct timers ts = {0};

	(void)state;
	for (int step = 0; step < 3000; step++) {
		struct timer *t = &v[rnd(ITEMS)];

		if (rnd(4))
			assert_int_equal(timer_set(&ts, t, rnd(100000)), 0);
		else
			timer_clear(&ts, t);
	}
	for (uint64_t now = 0; now <= 100000; now += 100) {
		uint64_t last = 0, first = UINT64_MAX;
		struct timer *t;

		for (uint32_t i = 0; i < ITEMS; i++)
			if (v[i].at && v[i].at_ms < first)
				first = v[i].at_ms;
		assert_int_equal(timer_next(&ts), first);
		while ((t = timer_due(&ts, now))) {
			assert_true(t->at_ms <= now && t->at_ms >= last);
			assert_int_equal(t->at, 0);
			last = t->at_ms;
		}
	}
	assert_int_equal(ts.n, 0);
	timers_free(&ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_its_items_in_order_with_their_largest),
		cmocka_unit_test(a_tree_stays_shallow_when_items_come_in_order),
		cmocka_unit_test(timers_come_due_in_the_order_of_their_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
