/* What agents send: reports and introductions. A parsed report is also fed to a cluster. */
#include <stdint.h>
#include <stdlib.h>

#include "scheduler/api/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(const struct report *r)
{
	struct cluster *c = cluster_new(&core_options_default);
	struct node intro = {.name = "n", .instance = "i", .cpus = 4}, *n;
	struct job_spec spec = {.cpus = 1, .isas = 3, .max_restarts = 1};
	struct effects fx = {0};
	struct job *j;

	if (!c || core_introduce(c, 1, &intro, &n, &fx) || core_submit(c, 1, &spec, &j, &fx))
		abort();
	core_set_policy(c, policies[0], &policy_options_default);
	core_schedule(c, 1, &fx);
	core_report(c, 2, n, &r->node, &fx);
	core_tick(c, 100000000, &fx);
	if (cluster_check(c))
		abort();
	effects_free(&fx);
	cluster_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report r;
	struct node intro;
	struct err e = ERR_INIT;

	if (!parse_report((const char *)data, size, &r, &e)) {
		feed(&r);
		report_free(&r);
	} else if (!e.msg[0]) {
		abort(); /* a refusal says why */
	}
	if (!parse_introduction((const char *)data, size, "node-1", &intro, &e)) {
		free(intro.meters);
		free(intro.runs);
	}
	return 0;
}
