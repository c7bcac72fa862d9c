/*
 * The peer of workloads/npb/cg: the same matrix and the same steps, written down plainly, one loop
 * for each operation of the specification. With -DWITH_RSB the sparse product, which is nearly all
 * of it, is librsb's. Prints zeta, whether it is the official one, and the processor time of what
 * NPB times.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef WITH_RSB
#include <rsb.h>
#endif
#include "workloads/npb/cg/cg.h"

#ifdef WITH_RSB
static struct rsb_mtx_t *sparse;
static const double one = 1, zero = 0;

static void product_make(const struct cg_matrix *m)
{
	int threads = 1;
	rsb_err_t e;
	rsb_lib_init(RSB_NULL_INIT_OPTIONS);
	rsb_lib_set_opt(RSB_IO_WANT_EXECUTING_THREADS, &threads);
	sparse = rsb_mtx_alloc_from_csr_const(m->a, (const rsb_coo_idx_t *)m->row,
					      (const rsb_coo_idx_t *)m->col, (int)m->row[m->n],
					      RSB_NUMERICAL_TYPE_DOUBLE, m->n, m->n, 1, 1,
					      RSB_FLAG_NOFLAGS, &e);
	if (!sparse) {
		fprintf(stderr, "librsb takes no such matrix (%d)\n", (int)e);
		exit(1);
	}
}
static void product(const struct cg_matrix *m, const double *v, double *y)
{
	(void)m;
	rsb_spmv(RSB_TRANSPOSITION_N, &one, sparse, v, 1, &zero, y, 1);
}
#else
static void product_make(const struct cg_matrix *m)
{
	(void)m;
}
static void product(const struct cg_matrix *m, const double *restrict v, double *restrict y)
{
	for (int i = 0; i < m->n; i++) {
		double sum = 0;
		for (uint32_t k = m->row[i]; k < m->row[i + 1]; k++)
			sum += m->a[k] * v[m->col[k]];
		y[i] = sum;
	}
}
#endif

static double dot(const double *x, const double *y, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* z with A z = x, nearly; returns |x - A z|. */
static double solve(struct cg_state *s)
{
	int n = s->m.n;
	double *restrict z = s->z, *restrict p = s->p, *restrict q = s->q, *restrict r = s->r;
	memset(z, 0, (size_t)n * sizeof *z);
	memcpy(r, s->x, (size_t)n * sizeof *r);
	memcpy(p, r, (size_t)n * sizeof *p);
	double rho = dot(r, r, n), sum = 0;
	for (int step = 0; step < CG_STEPS; step++) {
		product(&s->m, p, q);
		double alpha = rho / dot(p, q, n), old = rho;
		for (int i = 0; i < n; i++)
			z[i] += alpha * p[i];
		for (int i = 0; i < n; i++)
			r[i] -= alpha * q[i];
		rho = dot(r, r, n);
		double beta = rho / old;
		for (int i = 0; i < n; i++)
			p[i] = r[i] + beta * p[i];
	}
	product(&s->m, z, r);
	for (int i = 0; i < n; i++)
		sum += (s->x[i] - r[i]) * (s->x[i] - r[i]);
	return sqrt(sum);
}

static void iterate(struct cg_state *s)
{
	int n = s->m.n;
	s->residual = solve(s);
	s->zeta = s->c->shift + 1.0 / dot(s->x, s->z, n);
	double scale = 1.0 / sqrt(dot(s->z, s->z, n));
	for (int i = 0; i < n; i++)
		s->x[i] = scale * s->z[i];
}

int main(int argc, char **argv)
{
	const char *letters = "SWABC", *at = argc > 1 ? strchr(letters, argv[1][0]) : NULL;
	if (!at || !*at)
		return 2;
	struct cg_state s;
	cg_init(&s, &cg_classes[at - letters], NULL);
	product_make(&s.m);
	cg_start(&s);
	iterate(&s); /* untimed, as in NPB */
	cg_start(&s);
	double from = npb_now();
	for (int i = 0; i < s.c->niter; i++)
		iterate(&s);
	double took = npb_now() - from;
	printf("%.13f %d\n%.4f\n", s.zeta, cg_verify(s.c, s.zeta), took);
	return !cg_verify(s.c, s.zeta);
}
