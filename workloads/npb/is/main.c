/* drover-is: NPB kernel IS as a program. */
#include "workloads/npb/is/is.h"

/* One run; returns the seconds of its timed iterations and whether all of it verified. */
static double run(const struct npb_options *o, const struct is_class *c, struct npb_team *team,
		  bool *verified)
{
	struct is_state s;
	double start, seconds;

	is_init(&s, c, team, o->threads);
	is_rank(&s, 1); /* untimed: touches all pages */
	s.passed = 0;
	if (!o->json && o->class != NPB_CLASS_S)
		printf("\n   iteration\n");
	start = npb_now();
	for (int i = 1; i <= IS_ITERATIONS; i++) {
		if (!o->json && o->class != NPB_CLASS_S)
			printf("        %d\n", i);
		is_rank(&s, i);
	}
	seconds = npb_now() - start;
	*verified = is_full_verify(&s) && s.passed == IS_TESTS * IS_ITERATIONS;
	is_free(&s);
	return seconds;
}

int main(int argc, char **argv)
{
	struct npb_options o;
	int status = npb_options_parse(&o, argc, argv, "is", "integer sort");
	const struct is_class *c;
	struct npb_team *team;
	bool verified = true;
	double seconds = 0;

	if (status >= 0)
		return status;
	c = &is_classes[o.class];
	if (!npb_memory_check(&o, "is", is_bytes(c, o.threads)))
		return NPB_NO_MEMORY;
	if (!o.json)
		printf("\n\n NAS Parallel Benchmarks, C version of Drover - IS Benchmark\n\n"
		       " Size:  %llu  (class %c)\n Iterations:   %d\n",
		       1ull << c->keys_log2, npb_class_letter(o.class), IS_ITERATIONS);
	team = npb_team_new("is", o.threads);
	for (int i = 0; i < o.repeat; i++) {
		bool ok;

		seconds += run(&o, c, team, &ok);
		verified &= ok;
	}
	npb_team_free(team);

	struct npb_result r = {
		.kernel = "IS",
		.operation = "keys ranked",
		.size = UINT64_C(1) << c->keys_log2,
		.operations = (UINT64_C(1) << c->keys_log2) * IS_ITERATIONS,
		.iterations = IS_ITERATIONS,
		.seconds = seconds,
		.verified = verified,
	};
	return npb_result_report(&o, &r, stdout);
}
