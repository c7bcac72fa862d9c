/*
 * NPB CG, "conjugate gradient": the smallest eigenvalue of a large sparse matrix of random pattern,
 * by inverse iteration, each solution by 25 steps of the conjugate gradient method (NAS-91-002,
 * kernel CG). It stresses memory: the matrix streams through, its columns are read at random.
 *
 * Members of the team own slices of rows; a step has three barriers: behind the two dot products
 * and behind the new direction p, which all read.
 */
#include "workloads/npb/cg/cg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Problem sizes and official eigenvalues of NPB. */
const struct cg_class cg_classes[NPB_CLASSES] = {
	[NPB_CLASS_S] = {1400, 7, 15, 10, 8.5971775078648},
	[NPB_CLASS_W] = {7000, 8, 15, 12, 10.362595087124},
	[NPB_CLASS_A] = {14000, 11, 15, 20, 17.130235054029},
	[NPB_CLASS_B] = {75000, 13, 75, 60, 22.712745482631},
	[NPB_CLASS_C] = {150000, 15, 75, 110, 28.973605592845},
};

uint64_t cg_bytes(const struct cg_class *c)
{
	uint64_t n = (uint64_t)c->na, width = (uint64_t)c->nonzer + 1;

	return n * width * width * 12 + n * width * 16 + n * 80;
}

void cg_init(struct cg_state *s, const struct cg_class *c, struct npb_team *team)
{
	size_t n = (size_t)c->na;

	*s = (struct cg_state){
		.c = c,
		.team = team,
		.x = npb_alloc("cg", n, sizeof(double)),
		.z = npb_alloc("cg", n, sizeof(double)),
		.p = npb_alloc("cg", n, sizeof(double)),
		.q = npb_alloc("cg", n, sizeof(double)),
		.r = npb_alloc("cg", n, sizeof(double)),
	};
	cg_matrix_make(&s->m, c);
}

void cg_start(struct cg_state *s)
{
	for (int i = 0; i < s->m.n; i++)
		s->x[i] = 1.0;
}

/*
 * y = A v for rows first to last - 1. Four sums keep a row's additions from waiting for each other;
 * which element goes to which sum depends on its place alone. No row is longer than CG_ROW_MAX; that
 * it is said here bounds the work of a row, so that none needs a migration point within.
 */
static void multiply(const struct cg_matrix *m, const double *restrict v, double *restrict y,
		     size_t first, size_t last)
{
	const uint32_t *restrict row = m->row;

	for (size_t i = first; i < last; i++) {
		const double *restrict a = m->a + row[i];
		const uint32_t *restrict col = m->col + row[i];
		size_t k = 0, n = row[i + 1] - row[i], end = n < CG_ROW_MAX ? n : CG_ROW_MAX;
		double s0 = 0, s1 = 0, s2 = 0, s3 = 0;

		for (; k + 4 <= end; k += 4) {
			s0 += a[k] * v[col[k]];
			s1 += a[k + 1] * v[col[k + 1]];
			s2 += a[k + 2] * v[col[k + 2]];
			s3 += a[k + 3] * v[col[k + 3]];
		}
		for (; k < end; k++)
			s0 += a[k] * v[col[k]];
		y[i] = (s0 + s1) + (s2 + s3);
	}
}

static double dot(const double *restrict x, const double *restrict y, size_t first, size_t last)
{
	double sum = 0;

	for (size_t i = first; i < last; i++)
		sum += x[i] * y[i];
	return sum;
}

/* Rows of a slice. */
static size_t slice_begin(const struct cg_state *s, int slice)
{
	return npb_share((size_t)s->m.n, slice, NPB_SLICES);
}

/* One step for the slices from lo to hi - 1; *rho is r.r before and after it. */
static void step(struct cg_state *s, int lo, int hi, double *rho)
{
	double *restrict z = s->z, *restrict p = s->p, *restrict q = s->q, *restrict r = s->r;
	double alpha, beta, old = *rho;

	for (int l = lo; l < hi; l++) {
		size_t first = slice_begin(s, l), last = slice_begin(s, l + 1);

		multiply(&s->m, p, q, first, last);
		s->dot.part[l] = dot(p, q, first, last);
	}
	npb_team_barrier(s->team);
	alpha = old / npb_sum_total(&s->dot);
	for (int l = lo; l < hi; l++) {
		size_t first = slice_begin(s, l), last = slice_begin(s, l + 1);

		for (size_t i = first; i < last; i++) {
			z[i] += alpha * p[i];
			r[i] -= alpha * q[i];
		}
		s->rho.part[l] = dot(r, r, first, last);
	}
	npb_team_barrier(s->team);
	*rho = npb_sum_total(&s->rho);
	beta = *rho / old;
	for (size_t i = slice_begin(s, lo); i < slice_begin(s, hi); i++)
		p[i] = r[i] + beta * p[i];
	npb_team_barrier(s->team);
}

/* The residual |x - A z|, and the parts of x.z and z.z. A z goes to r, which is free by now. */
static void finish(struct cg_state *s, int lo, int hi)
{
	const double *x = s->x;
	double *r = s->r;

	for (int l = lo; l < hi; l++) {
		size_t first = slice_begin(s, l), last = slice_begin(s, l + 1);
		double sum = 0;

		multiply(&s->m, s->z, r, first, last);
		for (size_t i = first; i < last; i++)
			sum += (x[i] - r[i]) * (x[i] - r[i]);
		s->rho.part[l] = sum;
		s->product.part[l] = dot(x, s->z, first, last);
		s->norm.part[l] = dot(s->z, s->z, first, last);
	}
}

static void iterate(void *arg, int member, int members)
{
	struct cg_state *s = arg;
	int lo = (int)npb_share(NPB_SLICES, member, members);
	int hi = (int)npb_share(NPB_SLICES, member + 1, members);
	size_t first = slice_begin(s, lo), last = slice_begin(s, hi);
	double rho, scale;

	memset(s->z + first, 0, (last - first) * sizeof(double));
	memcpy(s->r + first, s->x + first, (last - first) * sizeof(double));
	memcpy(s->p + first, s->x + first, (last - first) * sizeof(double));
	for (int l = lo; l < hi; l++) {
		size_t from = slice_begin(s, l), to = slice_begin(s, l + 1);

		s->rho.part[l] = dot(s->r, s->r, from, to);
	}
	npb_team_barrier(s->team);
	rho = npb_sum_total(&s->rho);
	for (int i = 0; i < CG_STEPS; i++)
		step(s, lo, hi, &rho);
	finish(s, lo, hi);
	npb_team_barrier(s->team);
	scale = 1.0 / sqrt(npb_sum_total(&s->norm));
	for (size_t i = first; i < last; i++)
		s->x[i] = scale * s->z[i];
	if (member == 0) {
		s->residual = sqrt(npb_sum_total(&s->rho));
		s->zeta = s->c->shift + 1.0 / npb_sum_total(&s->product);
	}
}

void cg_iterate(struct cg_state *s)
{
	npb_team_run(s->team, iterate, s);
}

bool cg_verify(const struct cg_class *c, double zeta)
{
	return fabs(zeta - c->zeta) / c->zeta <= 1e-10;
}

void cg_free(struct cg_state *s)
{
	cg_matrix_free(&s->m);
	free(s->x);
	free(s->z);
	free(s->p);
	free(s->q);
	free(s->r);
	*s = (struct cg_state){0};
}
