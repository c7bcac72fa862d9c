/* drover-ep: NPB kernel EP as a program. */
#include "workloads/npb/ep/ep.h"

#include <stdlib.h>

static struct ep_state state;

static void report_sums(const struct ep_class *c, const struct ep_sums *s, double seconds,
			bool untimed)
{
	double pairs = 0;

	for (int i = 0; i < EP_ANNULI; i++)
		pairs += s->q[i];
	printf("\nEP Benchmark Results:\n\n");
	if (!untimed)
		printf("CPU Time = %10.4f\n", seconds);
	printf("N = 2^%5d\n", c->m);
	printf("No. Gaussian Pairs = %15.0f\n", pairs);
	printf("Sums = %25.15e %25.15e\nCounts:\n", s->sx, s->sy);
	for (int i = 0; i < EP_ANNULI; i++)
		printf("%3d %15.0f\n", i, s->q[i]);
}

int main(int argc, char **argv)
{
	struct ep_sums sums;
	struct npb_options o;
	int status = npb_options_parse(&o, argc, argv, "ep", "Gaussian pairs");
	const struct ep_class *c;
	struct npb_team *team;
	bool verified = true;
	double start;

	if (status >= 0)
		return status;
	c = &ep_classes[o.class];
	if (!npb_memory_check(&o, "ep", 16 * (uint64_t)EP_BATCH * (uint64_t)o.threads))
		return NPB_NO_MEMORY;
	if (!o.json)
		printf("\n\n NAS Parallel Benchmarks, C version of Drover - EP Benchmark\n\n"
		       " Number of random numbers generated: %15llu\n",
		       1ull << (c->m + 1));
	team = npb_team_new("ep", o.threads);
	state.c = c;
	state.room = npb_alloc("ep", (size_t)o.threads, 2 * EP_BATCH * sizeof(double));
	start = npb_now();
	for (int i = 0; i < o.repeat; i++) {
		ep_run(&state, team);
		sums = ep_total(&state);
		verified &= ep_verify(c, &sums);
	}

	struct npb_result r = {
		.kernel = "EP",
		.operation = "Random numbers generated",
		.size = UINT64_C(1) << (c->m + 1),
		.operations = UINT64_C(1) << (c->m + 1),
		.seconds = npb_now() - start,
		.verified = verified,
	};
	npb_team_free(team);
	free(state.room);
	if (!o.json)
		report_sums(c, &sums, r.seconds, o.untimed);
	return npb_result_report(&o, &r, stdout);
}
