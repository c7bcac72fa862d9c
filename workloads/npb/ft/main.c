/* drover-ft: NPB kernel FT as a program. */
#include "workloads/npb/ft/ft.h"

#include <math.h>

static struct ft_state state;

/* One run; returns its seconds and whether all its checksums verified. */
static double run(const struct npb_options *o, const struct ft_class *c, struct npb_team *team,
		  bool *verified)
{
	struct ft_state *s = &state;
	double begin, seconds;

	ft_init(s, c, team, o->threads);
	ft_start(s); /* untimed: touches all pages */
	*verified = true;
	begin = npb_now();
	ft_start(s);
	for (int i = 0; i < c->niter; i++) {
		struct ft_complex sum = ft_iterate(s);

		if (!o->json)
			printf(" T = %5d     Checksum = %22.12E %22.12E\n", i + 1, sum.re, sum.im);
		*verified &= ft_verify(c, i, sum);
	}
	seconds = npb_now() - begin;
	ft_free(s);
	return seconds;
}

/* Floating-point operations of a run, as NPB counts them. */
static uint64_t operations(const struct ft_class *c, uint64_t size)
{
	double n = (double)size;

	return (uint64_t)(n *
			  (14.8157 + 7.19641 * log(n) + (5.23518 + 7.21113 * log(n)) * c->niter));
}

int main(int argc, char **argv)
{
	struct npb_options o;
	int status = npb_options_parse(&o, argc, argv, "ft", "3-D fast Fourier transform");
	const struct ft_class *c;
	struct npb_team *team;
	bool verified = true;
	double seconds = 0;
	uint64_t size;

	if (status >= 0)
		return status;
	c = &ft_classes[o.class];
	size = (uint64_t)c->n[0] * (uint64_t)c->n[1] * (uint64_t)c->n[2];
	if (!npb_memory_check(&o, "ft", ft_bytes(c, o.threads)))
		return NPB_NO_MEMORY;
	if (!o.json)
		printf("\n\n NAS Parallel Benchmarks, C version of Drover - FT Benchmark\n\n"
		       " Size                : %4dx%4dx%4d  (class %c)\n"
		       " Iterations                  :%7d\n\n",
		       c->n[0], c->n[1], c->n[2], npb_class_letter(o.class), c->niter);
	team = npb_team_new("ft", o.threads);
	for (int i = 0; i < o.repeat; i++) {
		bool ok;

		seconds += run(&o, c, team, &ok);
		verified &= ok;
	}
	npb_team_free(team);

	struct npb_result r = {
		.kernel = "FT",
		.operation = "floating point",
		.size = size,
		.operations = operations(c, size),
		.iterations = c->niter,
		.seconds = seconds,
		.verified = verified,
	};
	return npb_result_report(&o, &r, stdout);
}
