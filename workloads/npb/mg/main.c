/* drover-mg: NPB kernel MG as a program. */
#include "workloads/npb/mg/mg.h"

static struct mg_state state;

/* One run; returns the seconds of its timed iterations and leaves the norm. */
static double run(const struct npb_options *o, const struct mg_class *c, struct npb_team *team,
		  double *norm)
{
	struct mg_state *s = &state;
	double start, seconds;

	mg_init(s, c, team);
	mg_start(s);
	mg_residual(s);
	mg_cycle(s); /* untimed: touches all pages */
	mg_start(s);
	start = npb_now();
	mg_residual(s);
	mg_norm(s);
	for (int i = 1; i <= c->niter; i++) {
		if (!o->json)
			printf("  iter %4d\n", i);
		mg_cycle(s);
	}
	*norm = mg_norm(s);
	seconds = npb_now() - start;
	mg_free(s);
	return seconds;
}

int main(int argc, char **argv)
{
	struct npb_options o;
	int status = npb_options_parse(&o, argc, argv, "mg", "multigrid");
	const struct mg_class *c;
	struct npb_team *team;
	bool verified = true;
	double seconds = 0, norm = 0;
	uint64_t points;

	if (status >= 0)
		return status;
	c = &mg_classes[o.class];
	points = UINT64_C(1) << (3 * c->levels);
	if (!npb_memory_check(&o, "mg", mg_bytes(c)))
		return NPB_NO_MEMORY;
	if (!o.json)
		printf("\n\n NAS Parallel Benchmarks, C version of Drover - MG Benchmark\n\n"
		       " Size: %4dx%4dx%4d  (class %c)\n Iterations:  %5d\n\n",
		       1 << c->levels, 1 << c->levels, 1 << c->levels, npb_class_letter(o.class),
		       c->niter);
	team = npb_team_new("mg", o.threads);
	for (int i = 0; i < o.repeat; i++) {
		seconds += run(&o, c, team, &norm);
		verified &= mg_verify(c, norm);
	}
	npb_team_free(team);
	if (!o.json)
		printf("\n Benchmark completed\n L2 Norm is %20.13E\n Error is   %20.13E\n", norm,
		       (norm > c->norm ? norm - c->norm : c->norm - norm) / c->norm);

	struct npb_result r = {
		.kernel = "MG",
		.operation = "floating point",
		.size = points,
		.operations = 58 * points * (uint64_t)c->niter,
		.iterations = c->niter,
		.seconds = seconds,
		.verified = verified,
	};
	return npb_result_report(&o, &r, stdout);
}
