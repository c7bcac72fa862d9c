/* NPB CG: the kernel's parameters, matrix and steps; see cg.c and makea.c. */
#ifndef NPB_CG_H
#define NPB_CG_H

#include "workloads/npb/common/npb.h"
#include "workloads/npb/common/team.h"

#define CG_STEPS 25 /* iterations of the conjugate gradient method for each outer one */
/* Elements of a row at most: of all classes the longest row has 525, one of class C. */
#define CG_ROW_MAX 1024

struct cg_class {
	int na;     /* order of the matrix */
	int nonzer; /* nonzeros of each generating vector */
	int niter;
	double shift;
	double zeta; /* official */
};

/* The matrix by rows: row i is a[k], col[k] for row[i] <= k < row[i + 1], columns ascending. */
struct cg_matrix {
	int n;
	uint32_t *row;
	uint32_t *col;
	double *a;
};

struct cg_state {
	const struct cg_class *c;
	struct npb_team *team;
	struct cg_matrix m;
	double *x, *z, *p, *q, *r;
	struct npb_sum dot, rho, norm, product; /* sums in the making */
	double residual;                        /* |x - A z| of the last outer iteration */
	double zeta;
};

extern const struct cg_class cg_classes[NPB_CLASSES];

/* Bytes that cg_init() of a class takes at most. */
uint64_t cg_bytes(const struct cg_class *c);

/*
 * The sum over i of weight_i w_i w_i^T, w_i random vectors of `nonzer` nonzeros, with rcond - shift
 * added to the diagonal (NAS-91-002, kernel CG). Free by cg_matrix_free().
 */
void cg_matrix_make(struct cg_matrix *m, const struct cg_class *c);
void cg_matrix_free(struct cg_matrix *m);

/* Makes matrix and vectors for a run by `team`. Ends the program when memory is short. */
void cg_init(struct cg_state *s, const struct cg_class *c, struct npb_team *team);

/* Sets the start vector, x = 1. */
void cg_start(struct cg_state *s);

/* One outer iteration: solves A z = x nearly, finds zeta, and makes z of length 1 the next x. */
void cg_iterate(struct cg_state *s);

/* True when zeta is within 1e-10 of the official one, relatively. */
bool cg_verify(const struct cg_class *c, double zeta);

void cg_free(struct cg_state *s);

#endif
