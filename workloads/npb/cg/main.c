/* drover-cg: NPB kernel CG as a program. */
#include "workloads/npb/cg/cg.h"

/* One run; returns the seconds of its timed iterations and leaves zeta. */
static double run(const struct npb_options *o, const struct cg_class *c, struct npb_team *team,
		  double *zeta)
{
	struct cg_state s;
	double start, seconds;

	cg_init(&s, c, team);
	cg_start(&s);
	cg_iterate(&s); /* untimed: touches all pages */
	cg_start(&s);
	if (!o->json)
		printf("\n   iteration           ||r||                 zeta\n");
	start = npb_now();
	for (int i = 1; i <= c->niter; i++) {
		cg_iterate(&s);
		if (!o->json)
			printf("    %5d       %20.14e %20.13f\n", i, s.residual, s.zeta);
	}
	seconds = npb_now() - start;
	*zeta = s.zeta;
	cg_free(&s);
	return seconds;
}

/* Floating-point operations of a run, as NPB counts them. */
static uint64_t operations(const struct cg_class *c)
{
	uint64_t row = (uint64_t)(c->nonzer * (c->nonzer + 1));

	return 2 * (uint64_t)c->niter * (uint64_t)c->na * (3 + row + CG_STEPS * (5 + row) + 3);
}

int main(int argc, char **argv)
{
	struct npb_options o;
	int status = npb_options_parse(&o, argc, argv, "cg", "conjugate gradient");
	const struct cg_class *c;
	struct npb_team *team;
	bool verified = true;
	double seconds = 0, zeta = 0;

	if (status >= 0)
		return status;
	c = &cg_classes[o.class];
	if (!npb_memory_check(&o, "cg", cg_bytes(c)))
		return NPB_NO_MEMORY;
	if (!o.json)
		printf("\n\n NAS Parallel Benchmarks, C version of Drover - CG Benchmark\n\n"
		       " Size:  %10d  (class %c)\n Iterations:   %5d\n",
		       c->na, npb_class_letter(o.class), c->niter);
	team = npb_team_new("cg", o.threads);
	for (int i = 0; i < o.repeat; i++) {
		seconds += run(&o, c, team, &zeta);
		verified &= cg_verify(c, zeta);
	}
	npb_team_free(team);
	if (!o.json)
		printf("\n Benchmark completed\n Zeta is    %20.13E\n Error is   %20.13E\n", zeta,
		       (zeta > c->zeta ? zeta - c->zeta : c->zeta - zeta) / c->zeta);

	struct npb_result r = {
		.kernel = "CG",
		.operation = "floating point",
		.size = (uint64_t)c->na,
		.operations = operations(c),
		.iterations = c->niter,
		.seconds = seconds,
		.verified = verified,
	};
	return npb_result_report(&o, &r, stdout);
}
