/*
 * NPB MG, "multigrid": four or twenty V-cycles towards the solution of a Poisson equation on a
 * periodic cube (NAS-91-002, kernel MG). It stresses memory bandwidth, and on the coarse levels
 * the latency of a team's barriers.
 */
#include "workloads/npb/mg/mg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/npb/common/lcg.h"

#define MG_SEED   UINT64_C(314159265)
#define MG_POINTS 10 /* of either sign */

static const double small_smoother[] = {-3.0 / 8.0, 1.0 / 32.0, -1.0 / 64.0};
static const double large_smoother[] = {-3.0 / 17.0, 1.0 / 33.0, -1.0 / 61.0};

/* Problem sizes and official norms of NPB. */
const struct mg_class mg_classes[NPB_CLASSES] = {
	[NPB_CLASS_S] = {5, 4, small_smoother, 0.5307707005734e-04},
	[NPB_CLASS_W] = {7, 4, small_smoother, 0.6467329375339e-05},
	[NPB_CLASS_A] = {8, 4, small_smoother, 0.2433365309069e-05},
	[NPB_CLASS_B] = {8, 20, large_smoother, 0.1800564401355e-05},
	[NPB_CLASS_C] = {9, 20, large_smoother, 0.5706732285740e-06},
};

static size_t side(int level)
{
	return ((size_t)1 << level) + 2;
}

static size_t cube(size_t m)
{
	return m * m * m;
}

/* Points of all levels up to the finest. */
static size_t all_points(int levels)
{
	size_t n = 0;

	for (int l = 1; l <= levels; l++)
		n += cube(side(l));
	return n;
}

uint64_t mg_bytes(const struct mg_class *c)
{
	return 8 * (2 * (uint64_t)all_points(c->levels) + cube(side(c->levels)));
}

void mg_init(struct mg_state *s, const struct mg_class *c, struct npb_team *team)
{
	size_t m = side(c->levels), n = all_points(c->levels), at = 0;

	*s = (struct mg_state){.c = c, .team = team};
	s->v = (struct mg_grid){m, npb_alloc("mg", cube(m), sizeof(double))};
	s->room[0] = npb_alloc("mg", n, sizeof(double));
	s->room[1] = npb_alloc("mg", n, sizeof(double));
	for (int l = c->levels; l >= 1; l--) {
		s->u[l] = (struct mg_grid){side(l), s->room[0] + at};
		s->r[l] = (struct mg_grid){side(l), s->room[1] + at};
		at += cube(side(l));
	}
}

/* The ten largest numbers so far, or the ten smallest, the least extreme first. */
struct extremes {
	int sign; /* +1: largest; -1: smallest */
	int n;
	double value[MG_POINTS];
	size_t at[MG_POINTS];
};

static void extremes_add(struct extremes *e, double value, size_t at)
{
	int i = 0;

	value *= e->sign;
	if (e->n == MG_POINTS) {
		if (value <= e->value[0])
			return;
		for (; i + 1 < MG_POINTS && e->value[i + 1] < value; i++) {
			e->value[i] = e->value[i + 1];
			e->at[i] = e->at[i + 1];
		}
	} else {
		for (i = e->n++; i > 0 && e->value[i - 1] > value; i--) {
			e->value[i] = e->value[i - 1];
			e->at[i] = e->at[i - 1];
		}
	}
	e->value[i] = value;
	e->at[i] = at;
}

static void set_charges(const struct mg_grid v, const struct extremes *e)
{
	size_t n = v.m - 2;

	for (int i = 0; i < e->n; i++) {
		size_t x = e->at[i] % n, y = e->at[i] / n % n, z = e->at[i] / n / n;

		/* A point on a side is repeated beyond the opposite one. */
		for (size_t k = z + 1; k < v.m; k += n)
			for (size_t j = y + 1; j < v.m; j += n)
				for (size_t l = x + 1; l < v.m; l += n)
					v.at[(k * v.m + j) * v.m + l] = e->sign;
	}
}

static void start_zero(void *arg, int member, int members)
{
	struct mg_state *s = arg;
	struct mg_share who = {member, members};

	mg_zero(s->u[s->c->levels], who);
	mg_zero(s->v, who);
}

void mg_start(struct mg_state *s)
{
	struct extremes high = {.sign = 1}, low = {.sign = -1};
	size_t n = s->v.m - 2;
	uint64_t x = MG_SEED;
	double row[MG_SIDE_MAX];

	npb_team_run(s->team, start_zero, s);
	for (size_t line = 0; line < n * n; line++) {
		npb_vranlc(n, &x, NPB_LCG_A, row);
		for (size_t i = 0; i < n; i++) {
			extremes_add(&high, row[i], line * n + i);
			extremes_add(&low, row[i], line * n + i);
		}
	}
	set_charges(s->v, &high);
	set_charges(s->v, &low);
}

static void residual(void *arg, int member, int members)
{
	struct mg_state *s = arg;
	int top = s->c->levels;

	mg_resid(s->u[top], s->v, s->r[top], (struct mg_share){member, members});
}

void mg_residual(struct mg_state *s)
{
	npb_team_run(s->team, residual, s);
}

static void squares(void *arg, int member, int members)
{
	struct mg_state *s = arg;

	mg_squares(s->r[s->c->levels], s->planes, (struct mg_share){member, members});
}

double mg_norm(struct mg_state *s)
{
	double sum = 0, n = (double)(s->v.m - 2);

	npb_team_run(s->team, squares, s);
	for (size_t z = 1; z < s->v.m - 1; z++)
		sum += s->planes[z];
	return sqrt(sum / (n * n * n));
}

/* Down to the coarsest level with the residual, and up again with the correction. */
static void cycle(void *arg, int member, int members)
{
	struct mg_state *s = arg;
	struct mg_share who = {member, members};
	int top = s->c->levels;

	for (int l = top; l > 1; l--) {
		mg_restrict(s->r[l], s->r[l - 1], who);
		npb_team_barrier(s->team);
	}
	mg_zero(s->u[1], who);
	npb_team_barrier(s->team);
	mg_psinv(s->r[1], s->u[1], s->c->smoother, who);
	npb_team_barrier(s->team);
	for (int l = 2; l <= top; l++) {
		if (l < top) {
			mg_zero(s->u[l], who);
			npb_team_barrier(s->team);
		}
		mg_interpolate(s->u[l - 1], s->u[l], who);
		npb_team_barrier(s->team);
		mg_resid(s->u[l], l < top ? s->r[l] : s->v, s->r[l], who);
		npb_team_barrier(s->team);
		mg_psinv(s->r[l], s->u[l], s->c->smoother, who);
		npb_team_barrier(s->team);
	}
	mg_resid(s->u[top], s->v, s->r[top], who);
}

void mg_cycle(struct mg_state *s)
{
	npb_team_run(s->team, cycle, s);
}

bool mg_verify(const struct mg_class *c, double norm)
{
	return fabs(norm - c->norm) / c->norm <= 1e-8;
}

void mg_free(struct mg_state *s)
{
	free(s->v.at);
	free(s->room[0]);
	free(s->room[1]);
	*s = (struct mg_state){0};
}
