/*
 * The matrix of NPB CG: a sum of weighted outer products of sparse random vectors, built row by
 * row. Row j collects, in the order of i, the products of every vector w_i that has a component j;
 * a dense row of partial sums and the list of its columns in use make that one pass. The additions
 * to each element come in the order of the specification, so the elements are its to the bit.
 */
#include "workloads/npb/cg/cg.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/npb/common/lcg.h"

#define CG_SEED  UINT64_C(314159265)
#define CG_RCOND 0.1

/* The generating vectors: vector i has count[i] components, from i * (nonzer + 1) on. */
struct vectors {
	int n, width;
	int *count;
	int *index;
	double *value;
};

/* Which vectors have a component j: entry[first[j]] to entry[first[j + 1] - 1], ascending. */
struct users {
	uint32_t *first;
	uint32_t *entry; /* positions in vectors.index */
};

/*
 * A vector of c->nonzer random components at distinct random places. Places are drawn from a power
 * of two, those beyond the order being passed over, number and place in turn.
 */
static void draw(const struct cg_class *c, int span, uint64_t *x, int *index, double *value)
{
	int have = 0;

	while (have < c->nonzer) {
		double v = npb_randlc(x, NPB_LCG_A);
		int i = (int)(span * npb_randlc(x, NPB_LCG_A)), k = 0;

		if (i >= c->na)
			continue;
		while (k < have && index[k] != i)
			k++;
		if (k < have)
			continue;
		index[have] = i;
		value[have++] = v;
	}
}

static void vectors_make(struct vectors *w, const struct cg_class *c)
{
	uint64_t x = npb_lcg_next(CG_SEED, NPB_LCG_A); /* the reference spends one number */
	size_t room = (size_t)c->na * (size_t)(c->nonzer + 1);
	int span = 1;

	*w = (struct vectors){
		.n = c->na,
		.width = c->nonzer + 1,
		.count = npb_alloc("cg", (size_t)c->na, sizeof(int)),
		.index = npb_alloc("cg", room, sizeof(int)),
		.value = npb_alloc("cg", room, sizeof(double)),
	};
	while (span < c->na)
		span *= 2;
	for (int i = 0; i < w->n; i++) {
		int *index = w->index + (size_t)i * (size_t)w->width, k = 0;
		double *value = w->value + (size_t)i * (size_t)w->width;

		draw(c, span, &x, index, value);
		while (k < c->nonzer && index[k] != i)
			k++;
		index[k] = i;
		value[k] = 0.5;
		w->count[i] = k < c->nonzer ? c->nonzer : c->nonzer + 1;
	}
}

static void users_make(struct users *u, const struct vectors *w)
{
	size_t n = (size_t)w->n;
	uint32_t at = 0;

	u->first = npb_alloc("cg", n + 1, sizeof(uint32_t));
	memset(u->first, 0, (n + 1) * sizeof(uint32_t));
	for (int i = 0; i < w->n; i++)
		for (int k = 0; k < w->count[i]; k++)
			u->first[w->index[i * w->width + k]]++;
	for (size_t j = 0; j <= n; j++) {
		uint32_t count = u->first[j];

		u->first[j] = at;
		at += count;
	}
	u->entry = npb_alloc("cg", at, sizeof(uint32_t));
	for (int i = 0; i < w->n; i++)
		for (int k = 0; k < w->count[i]; k++) {
			int place = i * w->width + k;

			u->entry[u->first[w->index[place]]++] = (uint32_t)place;
		}
	for (size_t j = n; j > 0; j--)
		u->first[j] = u->first[j - 1];
	u->first[0] = 0;
}

/* Shell's sort with Ciura's gaps: a row has a few hundred columns at most. */
static void sort(uint32_t *v, size_t n)
{
	static const size_t gaps[] = {301, 132, 57, 23, 10, 4, 1};

	for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
		for (size_t i = gaps[g]; i < n; i++) {
			uint32_t x = v[i];
			size_t k = i;

			for (; k >= gaps[g] && v[k - gaps[g]] > x; k -= gaps[g])
				v[k] = v[k - gaps[g]];
			v[k] = x;
		}
}

/* Row j into m, where the rows above it end; `sum` is a dense row, zero in and out. */
static void make_row(struct cg_matrix *m, int j, const struct cg_class *c, const struct vectors *w,
		     const struct users *u, const double *weight, double *sum, uint8_t *used)
{
	uint32_t begin = m->row[j], end = begin;

	for (uint32_t e = u->first[j]; e < u->first[j + 1]; e++) {
		int place = (int)u->entry[e], i = place / w->width, first = i * w->width;
		double scale = weight[i] * w->value[place];

		for (int k = first; k < first + w->count[i]; k++) {
			int column = w->index[k];
			double v = w->value[k] * scale;

			if (column == j && i == j)
				v = v + CG_RCOND - c->shift;
			if (!used[column]) {
				used[column] = 1;
				m->col[end++] = (uint32_t)column;
			}
			sum[column] += v;
		}
	}
	assert(end - begin <= CG_ROW_MAX); /* every class's matrix is always the same */
	sort(m->col + begin, end - begin);
	for (uint32_t k = begin; k < end; k++) {
		uint32_t column = m->col[k];

		m->a[k] = sum[column];
		sum[column] = 0;
		used[column] = 0;
	}
	m->row[j + 1] = end;
}

void cg_matrix_make(struct cg_matrix *m, const struct cg_class *c)
{
	size_t n = (size_t)c->na, most = n * (size_t)((c->nonzer + 1) * (c->nonzer + 1));
	double ratio = pow(CG_RCOND, 1.0 / c->na), size = 1.0;
	double *weight = npb_alloc("cg", n, sizeof(double));
	double *sum = npb_alloc("cg", n, sizeof(double));
	uint8_t *used = npb_alloc("cg", n, 1);
	struct vectors w;
	struct users u;

	*m = (struct cg_matrix){
		.n = c->na,
		.row = npb_alloc("cg", n + 1, sizeof(uint32_t)),
		.col = npb_alloc("cg", most, sizeof(uint32_t)),
		.a = npb_alloc("cg", most, sizeof(double)),
	};
	vectors_make(&w, c);
	users_make(&u, &w);
	for (size_t i = 0; i < n; i++) {
		weight[i] = size;
		size *= ratio;
	}
	memset(sum, 0, n * sizeof(double));
	memset(used, 0, n);
	m->row[0] = 0;
	for (int j = 0; j < m->n; j++)
		make_row(m, j, c, &w, &u, weight, sum, used);
	free(w.count);
	free(w.index);
	free(w.value);
	free(u.first);
	free(u.entry);
	free(weight);
	free(sum);
	free(used);
}

void cg_matrix_free(struct cg_matrix *m)
{
	free(m->row);
	free(m->col);
	free(m->a);
	*m = (struct cg_matrix){0};
}
