/* The numerics of the NPB kernels against plain definitions, and the team they run on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/npb/cg/cg.h"
#include "workloads/npb/common/lcg.h"
#include "workloads/npb/common/team.h"
#include "workloads/npb/ft/ft.h"
#include "workloads/npb/mg/mg.h"

/* ---- team ---- */

struct round {
	struct npb_team *team;
	int begun[8], ended[8], members;
	int wrong;
};

static void two_phases(void *arg, int member, int members)
{
	struct round *r = arg;

	r->members = members;
	r->begun[member]++;
	npb_team_barrier(r->team);
	for (int i = 0; i < members; i++)
		if (r->begun[i] != r->begun[member])
			__atomic_fetch_add(&r->wrong, 1, __ATOMIC_RELAXED);
	npb_team_barrier(r->team);
	r->ended[member]++;
}

static void every_member_works_once_a_round_and_meets_the_others(void **state)
{
	(void)state;
	for (int members = 1; members <= 5; members++) {
		struct round r = {.team = npb_team_new("test", members)};

		for (int i = 1; i <= 200; i++) {
			npb_team_run(r.team, two_phases, &r);
			for (int m = 0; m < 8; m++)
				assert_int_equal(r.ended[m], m < members ? i : 0);
		}
		assert_int_equal(r.members, members);
		assert_int_equal(r.wrong, 0);
		npb_team_free(r.team);
	}
}

static void shares_cover_everything_once(void **state)
{
	(void)state;
	for (size_t n = 0; n < 300; n += 7)
		for (int members = 1; members <= NPB_SLICES; members += 9) {
			assert_int_equal(npb_share(n, 0, members), 0);
			assert_int_equal(npb_share(n, members, members), n);
			for (int m = 0; m < members; m++) {
				size_t part =
					npb_share(n, m + 1, members) - npb_share(n, m, members);

				assert_in_range(part, n / (size_t)members, n / (size_t)members + 1);
			}
		}
}

/* ---- FT ---- */

/* The definition, in the time it takes. */
static void slow_transform(size_t n, const double *re, const double *im, double *yr, double *yi,
			   double sign)
{
	for (size_t k = 0; k < n; k++) {
		long double sr = 0, si = 0;

		for (size_t j = 0; j < n; j++) {
			long double w =
				sign * 2 * acosl(-1.0L) * (long double)(j * k % n) / (long double)n;

			sr += re[j] * cosl(w) - im[j] * sinl(w);
			si += re[j] * sinl(w) + im[j] * cosl(w);
		}
		yr[k] = (double)sr;
		yi[k] = (double)si;
	}
}

static void a_transform_is_the_sum_that_defines_it(void **state)
{
	static struct ft_room room;
	static struct ft_plan plan;
	double re[128], im[128], yr[128], yi[128];

	(void)state;
	for (size_t n = 4; n <= 128; n *= 2) {
		uint64_t x = 314159265;

		ft_plan_make(&plan, n);
		for (int backward = 0; backward < 2; backward++) {
			int side;

			for (size_t i = 0; i < n * FT_BLOCK; i++) {
				room.side[0].re[i] = npb_randlc(&x, NPB_LCG_A) - 0.5;
				room.side[0].im[i] = npb_randlc(&x, NPB_LCG_A) - 0.5;
			}
			for (size_t i = 0; i < n; i++) {
				re[i] = room.side[0].re[i * FT_BLOCK + 3];
				im[i] = room.side[0].im[i * FT_BLOCK + 3];
			}
			side = ft_transform(&plan, &room, backward);
			slow_transform(n, re, im, yr, yi, backward ? 1 : -1);
			for (size_t i = 0; i < n; i++) {
				double dr = room.side[side].re[i * FT_BLOCK + 3] - yr[i];
				double di = room.side[side].im[i * FT_BLOCK + 3] - yi[i];

				assert_true(fabs(dr) < 1e-13 && fabs(di) < 1e-13);
			}
		}
	}
}

/* ---- CG ---- */

static void the_matrix_is_symmetric_with_ascending_columns(void **state)
{
	static const struct cg_class small = {.na = 200, .nonzer = 5, .shift = 10};
	double *full = calloc(200 * 200, sizeof(double));
	struct cg_matrix m;

	(void)state;
	assert_non_null(full);
	cg_matrix_make(&m, &small);
	for (uint32_t i = 0; i < 200; i++)
		for (uint32_t k = m.row[i]; k < m.row[i + 1]; k++) {
			assert_true(m.col[k] < 200);
			assert_true(k == m.row[i] || m.col[k] > m.col[k - 1]);
			full[i * 200 + m.col[k]] = m.a[k];
		}
	for (size_t i = 0; i < 200; i++) {
		/* 0.25 of its own vector, 0.1 and the shift; the other terms are positive. */
		assert_true(full[i * 200 + i] > 0.25 * 0.1 + 0.1 - 10);
		for (size_t j = 0; j < i; j++) {
			double d = fabs(full[i * 200 + j] - full[j * 200 + i]);

			assert_true(d <= 1e-15);
		}
	}
	cg_matrix_free(&m);
	free(full);
}

/* ---- MG ---- */

enum { SIDE = 10, COARSE = 6 };

static struct mg_grid grid(size_t m)
{
	return (struct mg_grid){m, calloc(m * m * m, sizeof(double))};
}

static double *point(struct mg_grid g, size_t x, size_t y, size_t z)
{
	return &g.at[(z * g.m + y) * g.m + x];
}

/* Random numbers inside, repeated at the sides. */
static void fill(struct mg_grid g, uint64_t seed)
{
	size_t n = g.m - 2;

	for (size_t z = 1; z <= n; z++)
		for (size_t y = 1; y <= n; y++)
			for (size_t x = 1; x <= n; x++)
				*point(g, x, y, z) = npb_randlc(&seed, NPB_LCG_A) - 0.5;
	for (size_t z = 0; z < g.m; z++)
		for (size_t y = 0; y < g.m; y++)
			for (size_t x = 0; x < g.m; x++)
				*point(g, x, y, z) =
					*point(g, (x + n - 1) % n + 1, (y + n - 1) % n + 1,
					       (z + n - 1) % n + 1);
}

/* The 27-point sum with a coefficient for each number of coordinates that differ. */
static double stencil(struct mg_grid g, size_t x, size_t y, size_t z, const double *c)
{
	double sum = 0;

	for (int dz = -1; dz <= 1; dz++)
		for (int dy = -1; dy <= 1; dy++)
			for (int dx = -1; dx <= 1; dx++)
				sum += c[abs(dx) + abs(dy) + abs(dz)] *
				       *point(g, x + (size_t)dx, y + (size_t)dy, z + (size_t)dz);
	return sum;
}

static void assert_sides_repeat(struct mg_grid g)
{
	size_t n = g.m - 2;

	for (size_t z = 0; z < g.m; z++)
		for (size_t y = 0; y < g.m; y++)
			for (size_t x = 0; x < g.m; x++)
				assert_true(*point(g, x, y, z) == *point(g, (x + n - 1) % n + 1,
									 (y + n - 1) % n + 1,
									 (z + n - 1) % n + 1));
}

/* Runs an operator as if by three members, one after the other. */
#define BY_THREE(call)                                                                             \
	for (int i_ = 0; i_ < 3; i_++) {                                                           \
		struct mg_share who = {i_, 3};                                                     \
		call;                                                                              \
	}

static void residual_and_smoother_are_their_stencils(void **state)
{
	static const double a[] = {-8.0 / 3.0, 0, 1.0 / 6.0, 1.0 / 12.0};
	static const double c[] = {-3.0 / 8.0, 1.0 / 32.0, -1.0 / 64.0, 0};
	struct mg_grid u = grid(SIDE), v = grid(SIDE), r = grid(SIDE), w = grid(SIDE);

	(void)state;
	fill(u, 1);
	fill(v, 2);
	fill(w, 1);
	BY_THREE(mg_resid(u, v, r, who));
	BY_THREE(mg_psinv(v, w, c, who));
	for (size_t z = 1; z < SIDE - 1; z++)
		for (size_t y = 1; y < SIDE - 1; y++)
			for (size_t x = 1; x < SIDE - 1; x++) {
				double want_r = *point(v, x, y, z) - stencil(u, x, y, z, a);
				double want_w = *point(u, x, y, z) + stencil(v, x, y, z, c);

				assert_true(fabs(*point(r, x, y, z) - want_r) < 1e-14);
				assert_true(fabs(*point(w, x, y, z) - want_w) < 1e-14);
			}
	assert_sides_repeat(r);
	assert_sides_repeat(w);
	free(u.at), free(v.at), free(r.at), free(w.at);
}

static void restriction_is_the_weighted_mean_around_every_other_point(void **state)
{
	static const double p[] = {0.5, 0.25, 0.125, 0.0625};
	struct mg_grid fine = grid(SIDE), coarse = grid(COARSE);

	(void)state;
	fill(fine, 3);
	BY_THREE(mg_restrict(fine, coarse, who));
	for (size_t z = 1; z < COARSE - 1; z++)
		for (size_t y = 1; y < COARSE - 1; y++)
			for (size_t x = 1; x < COARSE - 1; x++)
				assert_true(fabs(*point(coarse, x, y, z) -
						 stencil(fine, 2 * x, 2 * y, 2 * z, p)) < 1e-14);
	assert_sides_repeat(coarse);
	free(fine.at), free(coarse.at);
}

static void interpolation_adds_the_mean_of_the_coarse_points_around(void **state)
{
	struct mg_grid fine = grid(SIDE), before = grid(SIDE), coarse = grid(COARSE);

	(void)state;
	fill(coarse, 4);
	fill(fine, 5);
	fill(before, 5);
	BY_THREE(mg_interpolate(coarse, fine, who));
	for (size_t z = 0; z < SIDE; z++)
		for (size_t y = 0; y < SIDE; y++)
			for (size_t x = 0; x < SIDE; x++) {
				double mean = 0;

				for (int i = 0; i < 8; i++)
					mean += *point(coarse, x / 2 + ((i & 1) && x % 2),
						       y / 2 + ((i & 2) && y % 2),
						       z / 2 + ((i & 4) && z % 2)) /
						8;
				assert_true(fabs(*point(fine, x, y, z) - *point(before, x, y, z) -
						 mean) < 1e-14);
			}
	free(fine.at), free(before.at), free(coarse.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_works_once_a_round_and_meets_the_others),
		cmocka_unit_test(shares_cover_everything_once),
		cmocka_unit_test(a_transform_is_the_sum_that_defines_it),
		cmocka_unit_test(the_matrix_is_symmetric_with_ascending_columns),
		cmocka_unit_test(residual_and_smoother_are_their_stencils),
		cmocka_unit_test(restriction_is_the_weighted_mean_around_every_other_point),
		cmocka_unit_test(interpolation_adds_the_mean_of_the_coarse_points_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
