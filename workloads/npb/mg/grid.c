/*
 * The operators of NPB MG (NAS-91-002, kernel MG): 27-point stencils whose coefficient depends on
 * the distance only. Each works along rows with the sums over the four nearest and the four
 * diagonal rows kept in a row of their own, because three neighbours along the row need them; the
 * sums are written in the order of the reference's.
 *
 * A member owns planes. What it writes to the first and last inner plane it repeats beyond the
 * opposite end itself; nobody reads these while an operator writes them.
 */
#include "workloads/npb/mg/mg.h"

#include <string.h>

static size_t first_of(size_t n, struct mg_share who)
{
	return npb_share(n, who.member, who.members);
}

static size_t last_of(size_t n, struct mg_share who)
{
	return npb_share(n, who.member + 1, who.members);
}

/* Inner planes are 1 to m - 2. */
static size_t inner_first(size_t m, struct mg_share who)
{
	return 1 + first_of(m - 2, who);
}

static size_t inner_last(size_t m, struct mg_share who)
{
	return 1 + last_of(m - 2, who);
}

static double *plane(struct mg_grid g, size_t z)
{
	return g.at + z * g.m * g.m;
}

/* Repeats the sides of inner plane z, and the plane itself if it is the first or last inner one. */
static void wrap(struct mg_grid g, size_t z)
{
	size_t m = g.m;
	double *p = plane(g, z);

	for (size_t y = 1; y < m - 1; y++) {
		p[y * m] = p[y * m + m - 2];
		p[y * m + m - 1] = p[y * m + 1];
	}
	memcpy(p, p + (m - 2) * m, m * sizeof(double));
	memcpy(p + (m - 1) * m, p + m, m * sizeof(double));
	if (z == 1)
		memcpy(plane(g, m - 1), p, m * m * sizeof(double));
	if (z == m - 2)
		memcpy(plane(g, 0), p, m * m * sizeof(double));
}

void mg_zero(struct mg_grid u, struct mg_share who)
{
	size_t first = first_of(u.m, who), last = last_of(u.m, who);

	memset(plane(u, first), 0, (last - first) * u.m * u.m * sizeof(double));
}

/* The sums over the four nearest rows and over the four diagonal rows of the row at `at`. */
static inline void sums(const double *restrict at, size_t m, double *restrict near,
			double *restrict diagonal)
{
	const double *below = at - m * m, *above = at + m * m;

	for (size_t x = 0; x < m; x++) {
		near[x] = at[x - m] + at[x + m] + below[x] + above[x];
		diagonal[x] = below[x - m] + below[x + m] + above[x - m] + above[x + m];
	}
}

void mg_resid(struct mg_grid u, struct mg_grid v, struct mg_grid r, struct mg_share who)
{
	const double a0 = -8.0 / 3.0, a2 = 1.0 / 6.0, a3 = 1.0 / 12.0;
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	size_t m = u.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		for (size_t y = 1; y < m - 1; y++) {
			const double *uu = plane(u, z) + y * m, *vv = plane(v, z) + y * m;
			double *rr = plane(r, z) + y * m;

			sums(uu, m, near, diagonal);
			for (size_t x = 1; x < m - 1; x++)
				rr[x] = vv[x] - a0 * uu[x] -
					a2 * (diagonal[x] + near[x - 1] + near[x + 1]) -
					a3 * (diagonal[x - 1] + diagonal[x + 1]);
		}
		wrap(r, z);
	}
}

void mg_psinv(struct mg_grid r, struct mg_grid u, const double *c, struct mg_share who)
{
	const double c0 = c[0], c1 = c[1], c2 = c[2];
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	size_t m = u.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		for (size_t y = 1; y < m - 1; y++) {
			const double *restrict rr = plane(r, z) + y * m;
			double *restrict uu = plane(u, z) + y * m;

			sums(rr, m, near, diagonal);
			for (size_t x = 1; x < m - 1; x++)
				uu[x] = uu[x] + c0 * rr[x] +
					c1 * (rr[x - 1] + rr[x + 1] + near[x]) +
					c2 * (diagonal[x] + near[x - 1] + near[x + 1]);
		}
		wrap(u, z);
	}
}

void mg_restrict(struct mg_grid fine, struct mg_grid coarse, struct mg_share who)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	size_t m = coarse.m, n = fine.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		for (size_t y = 1; y < m - 1; y++) {
			const double *restrict rr = plane(fine, 2 * z) + 2 * y * n;
			double *restrict ss = plane(coarse, z) + y * m;

			sums(rr, n, near, diagonal);
			for (size_t x = 1; x < m - 1; x++) {
				size_t i = 2 * x;

				ss[x] = 0.5 * rr[i] + 0.25 * (rr[i - 1] + rr[i + 1] + near[i]) +
					0.125 * (near[i - 1] + near[i + 1] + diagonal[i]) +
					0.0625 * (diagonal[i - 1] + diagonal[i + 1]);
			}
		}
		wrap(coarse, z);
	}
}

/* Adds the row of half points: even points take `scale` of their sum, odd ones half of it and the
 * next. */
static inline void add_row(double *restrict u, const double *restrict sum, size_t m, double scale)
{
	for (size_t x = 0; x < m - 1; x++) {
		u[2 * x] += scale * sum[x];
		u[2 * x + 1] += 0.5 * scale * (sum[x] + sum[x + 1]);
	}
}

void mg_interpolate(struct mg_grid coarse, struct mg_grid fine, struct mg_share who)
{
	double z1[MG_SIDE_MAX], z2[MG_SIDE_MAX], z3[MG_SIDE_MAX];
	size_t m = coarse.m, n = fine.m;

	for (size_t z = first_of(m - 1, who); z < last_of(m - 1, who); z++) {
		for (size_t y = 0; y < m - 1; y++) {
			const double *restrict zz = plane(coarse, z) + y * m;
			double *restrict uu = plane(fine, 2 * z) + 2 * y * n;
			double *restrict over = uu + n * n;

			for (size_t x = 0; x < m; x++) {
				z1[x] = zz[x + m] + zz[x];
				z2[x] = zz[x + m * m] + zz[x];
				z3[x] = zz[x + m * m + m] + zz[x + m * m] + z1[x];
			}
			add_row(uu, zz, m, 1.0);
			add_row(uu + n, z1, m, 0.5);
			add_row(over, z2, m, 0.5);
			add_row(over + n, z3, m, 0.25);
		}
	}
}

void mg_squares(struct mg_grid r, double *planes, struct mg_share who)
{
	size_t m = r.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		double even = 0, odd = 0; /* two sums do not wait for each other */

		for (size_t y = 1; y < m - 1; y++) {
			const double *row = plane(r, z) + y * m;

			for (size_t x = 1; x < m - 1; x += 2) {
				even += row[x] * row[x];
				odd += row[x + 1] * row[x + 1];
			}
		}
		planes[z] = even + odd;
	}
}
