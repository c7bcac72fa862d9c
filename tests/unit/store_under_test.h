/*
 * The back end that the store's tests hold against store.h: DROVER_STORE, or
 * SQLite. A new back end is right when test_sched_store, test_sched_store_jobs and
 * test_sched_store_energy pass with its name.
 */
#ifndef DROVER_TESTS_STORE_UNDER_TEST_H
#define DROVER_TESTS_STORE_UNDER_TEST_H

#include <stdlib.h>

#include "scheduler/store/backend.h"

static inline int store_under_test(struct store **out, const char *dir, struct err *e)
{
	const char *name = getenv("DROVER_STORE");
	const struct store_backend *b = store_backend_find(name ? name : "sqlite");

	return b ? store_open_with(b, out, dir, e)
		 : err_set(e, -1, "there is no back end \"%s\"", name ? name : "");
}

#endif
