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

/*
 * Rows are worked on in functions of their own whose arguments are restrict: so the compiler knows
 * that they do not overlap, wherever the callers keep them. Their lengths are cut to the longest
 * row there is: a loop that is known to be short is left without migration points.
 */

static const size_t longest = MG_SIDE_MAX;

/* The sums over the four nearest rows and over the four diagonal rows of the row at `at`. */
static void sums(const double *restrict at, size_t m, double *restrict near,
		 double *restrict diagonal)
{
	size_t n = m < longest ? m : longest;

	const double *below = at - m * m, *above = at + m * m;

	for (size_t x = 0; x < n; x++) {
		near[x] = at[x - m] + at[x + m] + below[x] + above[x];
		diagonal[x] = below[x - m] + below[x + m] + above[x - m] + above[x + m];
	}
}

static const double a0 = -8.0 / 3.0, a2 = 1.0 / 6.0, a3 = 1.0 / 12.0;

static void resid_row(const double *restrict u, const double *restrict v, double *restrict r,
		      const double *restrict near, const double *restrict diagonal, size_t m)
{
	size_t n = m < longest ? m : longest;

	for (size_t x = 1; x + 1 < n; x++)
		r[x] = v[x] - a0 * u[x] - a2 * (diagonal[x] + near[x - 1] + near[x + 1]) -
		       a3 * (diagonal[x - 1] + diagonal[x + 1]);
}

/* The same with v in r. */
static void resid_row_in_place(const double *restrict u, double *restrict r,
			       const double *restrict near, const double *restrict diagonal,
			       size_t m)
{
	size_t n = m < longest ? m : longest;

	for (size_t x = 1; x + 1 < n; x++)
		r[x] = r[x] - a0 * u[x] - a2 * (diagonal[x] + near[x - 1] + near[x + 1]) -
		       a3 * (diagonal[x - 1] + diagonal[x + 1]);
}

void mg_resid(struct mg_grid u, struct mg_grid v, struct mg_grid r, struct mg_share who)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	size_t m = u.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		for (size_t y = 1; y < m - 1; y++) {
			const double *uu = plane(u, z) + y * m;
			double *rr = plane(r, z) + y * m;

			sums(uu, m, near, diagonal);
			if (v.at == r.at)
				resid_row_in_place(uu, rr, near, diagonal, m);
			else
				resid_row(uu, plane(v, z) + y * m, rr, near, diagonal, m);
		}
		wrap(r, z);
	}
}

static void psinv_row(const double *restrict r, double *restrict u, const double *restrict near,
		      const double *restrict diagonal, const double *restrict c, size_t m)
{
	size_t n = m < longest ? m : longest;
	const double c0 = c[0], c1 = c[1], c2 = c[2];

	for (size_t x = 1; x + 1 < n; x++)
		u[x] = u[x] + c0 * r[x] + c1 * (r[x - 1] + r[x + 1] + near[x]) +
		       c2 * (diagonal[x] + near[x - 1] + near[x + 1]);
}

void mg_psinv(struct mg_grid r, struct mg_grid u, const double *c, struct mg_share who)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	size_t m = u.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		for (size_t y = 1; y < m - 1; y++) {
			const double *rr = plane(r, z) + y * m;

			sums(rr, m, near, diagonal);
			psinv_row(rr, plane(u, z) + y * m, near, diagonal, c, m);
		}
		wrap(u, z);
	}
}

static void restrict_row(const double *restrict fine, double *restrict coarse,
			 const double *restrict near, const double *restrict diagonal, size_t m)
{
	size_t n = m < longest ? m : longest;

	for (size_t x = 1; x + 1 < n; x++) {
		size_t i = 2 * x;

		coarse[x] = 0.5 * fine[i] + 0.25 * (fine[i - 1] + fine[i + 1] + near[i]) +
			    0.125 * (near[i - 1] + near[i + 1] + diagonal[i]) +
			    0.0625 * (diagonal[i - 1] + diagonal[i + 1]);
	}
}

void mg_restrict(struct mg_grid fine, struct mg_grid coarse, struct mg_share who)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	size_t m = coarse.m, n = fine.m;

	for (size_t z = inner_first(m, who); z < inner_last(m, who); z++) {
		for (size_t y = 1; y < m - 1; y++) {
			const double *rr = plane(fine, 2 * z) + 2 * y * n;

			sums(rr, n, near, diagonal);
			restrict_row(rr, plane(coarse, z) + y * m, near, diagonal, m);
		}
		wrap(coarse, z);
	}
}

/* Adds the row of half points: even points take `scale` of their sum, odd ones half of it and the
 * next. */
static void add_row(double *restrict u, const double *restrict sum, size_t m, double scale)
{
	size_t n = m < longest ? m : longest;

	for (size_t x = 0; x + 1 < n; x++) {
		u[2 * x] += scale * sum[x];
		u[2 * x + 1] += 0.5 * scale * (sum[x] + sum[x + 1]);
	}
}

static void half_sums(const double *restrict z, size_t m, double *restrict z1, double *restrict z2,
		      double *restrict z3)
{
	size_t n = m < longest ? m : longest;

	for (size_t x = 0; x < n; x++) {
		z1[x] = z[x + m] + z[x];
		z2[x] = z[x + m * m] + z[x];
		z3[x] = z[x + m * m + m] + z[x + m * m] + z1[x];
	}
}

void mg_interpolate(struct mg_grid coarse, struct mg_grid fine, struct mg_share who)
{
	double z1[MG_SIDE_MAX], z2[MG_SIDE_MAX], z3[MG_SIDE_MAX];
	size_t m = coarse.m, n = fine.m;

	for (size_t z = first_of(m - 1, who); z < last_of(m - 1, who); z++) {
		for (size_t y = 0; y < m - 1; y++) {
			const double *zz = plane(coarse, z) + y * m;
			double *uu = plane(fine, 2 * z) + 2 * y * n;
			double *over = uu + n * n;

			half_sums(zz, m, z1, z2, z3);
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
