/*
 * The peer of workloads/npb/mg: the same right-hand side, levels and V-cycles, with the operators
 * written down plainly: loops over the whole cube, sums over neighbouring rows kept in two rows,
 * and the repeated sides copied in sweeps of their own. Prints the norm, whether it is the official
 * one, and the processor time of what NPB times.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "workloads/npb/mg/mg.h"

#define AT(g, z, y, x) ((g).at[((size_t)(z) * (g).m + (size_t)(y)) * (g).m + (size_t)(x)])

static void sides(struct mg_grid g)
{
	int m = (int)g.m;
	for (int z = 1; z < m - 1; z++)
		for (int y = 1; y < m - 1; y++) {
			AT(g, z, y, 0) = AT(g, z, y, m - 2);
			AT(g, z, y, m - 1) = AT(g, z, y, 1);
		}
	for (int z = 1; z < m - 1; z++)
		for (int x = 0; x < m; x++) {
			AT(g, z, 0, x) = AT(g, z, m - 2, x);
			AT(g, z, m - 1, x) = AT(g, z, 1, x);
		}
	for (int y = 0; y < m; y++)
		for (int x = 0; x < m; x++) {
			AT(g, 0, y, x) = AT(g, m - 2, y, x);
			AT(g, m - 1, y, x) = AT(g, 1, y, x);
		}
}

/* Sums over the four nearest and the four diagonal rows. */
static void rows(struct mg_grid g, int z, int y, double *restrict near, double *restrict diagonal)
{
	for (int x = 0; x < (int)g.m; x++) {
		near[x] = AT(g, z, y - 1, x) + AT(g, z, y + 1, x) + AT(g, z - 1, y, x) +
			  AT(g, z + 1, y, x);
		diagonal[x] = AT(g, z - 1, y - 1, x) + AT(g, z - 1, y + 1, x) +
			      AT(g, z + 1, y - 1, x) + AT(g, z + 1, y + 1, x);
	}
}

/* r = v - A u; v and r may be the same. */
static void resid(struct mg_grid u, struct mg_grid v, struct mg_grid r)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	int m = (int)u.m;
	for (int z = 1; z < m - 1; z++)
		for (int y = 1; y < m - 1; y++) {
			rows(u, z, y, near, diagonal);
			for (int x = 1; x < m - 1; x++)
				AT(r, z, y, x) =
					AT(v, z, y, x) + 8.0 / 3.0 * AT(u, z, y, x) -
					1.0 / 6.0 * (diagonal[x] + near[x - 1] + near[x + 1]) -
					1.0 / 12.0 * (diagonal[x - 1] + diagonal[x + 1]);
		}
	sides(r);
}

/* u += S r */
static void psinv(struct mg_grid r, struct mg_grid u, const double *c)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	int m = (int)u.m;
	for (int z = 1; z < m - 1; z++)
		for (int y = 1; y < m - 1; y++) {
			rows(r, z, y, near, diagonal);
			for (int x = 1; x < m - 1; x++)
				AT(u, z, y, x) +=
					c[0] * AT(r, z, y, x) +
					c[1] * (AT(r, z, y, x - 1) + AT(r, z, y, x + 1) + near[x]) +
					c[2] * (diagonal[x] + near[x - 1] + near[x + 1]);
		}
	sides(u);
}

/* The coarse residual: 1/2, 1/4, 1/8 and 1/16 by distance. */
static void coarsen(struct mg_grid fine, struct mg_grid coarse)
{
	double near[MG_SIDE_MAX], diagonal[MG_SIDE_MAX];
	int m = (int)coarse.m;
	for (int z = 1; z < m - 1; z++)
		for (int y = 1; y < m - 1; y++) {
			rows(fine, 2 * z, 2 * y, near, diagonal);
			for (int x = 1; x < m - 1; x++) {
				int i = 2 * x;
				AT(coarse, z, y, x) =
					0.5 * AT(fine, 2 * z, 2 * y, i) +
					0.25 * (AT(fine, 2 * z, 2 * y, i - 1) +
						AT(fine, 2 * z, 2 * y, i + 1) + near[i]) +
					0.125 * (near[i - 1] + near[i + 1] + diagonal[i]) +
					0.0625 * (diagonal[i - 1] + diagonal[i + 1]);
			}
		}
	sides(coarse);
}

/* fine += the coarse correction, linear between its points. */
static void refine(struct mg_grid coarse, struct mg_grid fine)
{
	double y1[MG_SIDE_MAX], z1[MG_SIDE_MAX], yz[MG_SIDE_MAX];
	int m = (int)coarse.m;
	for (int z = 0; z < m - 1; z++)
		for (int y = 0; y < m - 1; y++) {
			for (int x = 0; x < m; x++) {
				y1[x] = AT(coarse, z, y + 1, x) + AT(coarse, z, y, x);
				z1[x] = AT(coarse, z + 1, y, x) + AT(coarse, z, y, x);
				yz[x] = AT(coarse, z + 1, y + 1, x) + AT(coarse, z + 1, y, x) +
					y1[x];
			}
			for (int x = 0; x < m - 1; x++) {
				AT(fine, 2 * z, 2 * y, 2 * x) += AT(coarse, z, y, x);
				AT(fine, 2 * z, 2 * y, 2 * x + 1) +=
					0.5 * (AT(coarse, z, y, x + 1) + AT(coarse, z, y, x));
			}
			for (int x = 0; x < m - 1; x++) {
				AT(fine, 2 * z, 2 * y + 1, 2 * x) += 0.5 * y1[x];
				AT(fine, 2 * z, 2 * y + 1, 2 * x + 1) += 0.25 * (y1[x] + y1[x + 1]);
			}
			for (int x = 0; x < m - 1; x++) {
				AT(fine, 2 * z + 1, 2 * y, 2 * x) += 0.5 * z1[x];
				AT(fine, 2 * z + 1, 2 * y, 2 * x + 1) += 0.25 * (z1[x] + z1[x + 1]);
			}
			for (int x = 0; x < m - 1; x++) {
				AT(fine, 2 * z + 1, 2 * y + 1, 2 * x) += 0.25 * yz[x];
				AT(fine, 2 * z + 1, 2 * y + 1, 2 * x + 1) +=
					0.125 * (yz[x] + yz[x + 1]);
			}
		}
}

static void clear(struct mg_grid g)
{
	memset(g.at, 0, g.m * g.m * g.m * sizeof *g.at);
}

static void cycle(struct mg_state *s)
{
	int top = s->c->levels;
	for (int l = top; l > 1; l--)
		coarsen(s->r[l], s->r[l - 1]);
	clear(s->u[1]);
	psinv(s->r[1], s->u[1], s->c->smoother);
	for (int l = 2; l <= top; l++) {
		if (l < top)
			clear(s->u[l]);
		refine(s->u[l - 1], s->u[l]);
		resid(s->u[l], l < top ? s->r[l] : s->v, s->r[l]);
		psinv(s->r[l], s->u[l], s->c->smoother);
	}
	resid(s->u[top], s->v, s->r[top]);
}

static double norm(struct mg_grid r)
{
	double sum = 0, n = (double)(r.m - 2);
	for (int z = 1; z < (int)r.m - 1; z++)
		for (int y = 1; y < (int)r.m - 1; y++)
			for (int x = 1; x < (int)r.m - 1; x++)
				sum += AT(r, z, y, x) * AT(r, z, y, x);
	return sqrt(sum / (n * n * n));
}

int main(int argc, char **argv)
{
	static struct mg_state s;
	const char *letters = "SWABC", *at = argc > 1 ? strchr(letters, argv[1][0]) : NULL;
	if (!at || !*at)
		return 2;
	struct npb_team *team = npb_team_new("mg", 1);
	mg_init(&s, &mg_classes[at - letters], team);
	int top = s.c->levels;
	mg_start(&s);
	resid(s.u[top], s.v, s.r[top]);
	cycle(&s); /* untimed, as in NPB */
	mg_start(&s);
	double from = npb_now();
	resid(s.u[top], s.v, s.r[top]);
	norm(s.r[top]);
	for (int i = 0; i < s.c->niter; i++)
		cycle(&s);
	double n = norm(s.r[top]), took = npb_now() - from;
	printf("%.13e %d\n%.4f\n", n, mg_verify(s.c, n), took);
	return !mg_verify(s.c, n);
}
