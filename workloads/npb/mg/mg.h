/* NPB MG: the kernel's parameters, grids and steps; see mg.c and grid.c. */
#ifndef NPB_MG_H
#define NPB_MG_H

#include "workloads/npb/common/npb.h"
#include "workloads/npb/common/team.h"

#define MG_LEVELS_MAX 9 /* 2^9 points a side: class C */
#define MG_SIDE_MAX   ((1 << MG_LEVELS_MAX) + 2)

struct mg_class {
	int levels; /* 2^levels points a side */
	int niter;
	const double *smoother;
	double norm; /* official */
};

/*
 * A cube of side m: m - 2 points in each direction and on either side one more that repeats the
 * opposite side (periodic boundary). Point (x, y, z) is at[(z * m + y) * m + x].
 */
struct mg_grid {
	size_t m;
	double *at;
};

struct mg_state {
	const struct mg_class *c;
	struct npb_team *team;
	double *room[2];                     /* behind u and r of all levels */
	struct mg_grid v;                    /* right-hand side, finest level only */
	struct mg_grid u[MG_LEVELS_MAX + 1]; /* solution, or correction, by level from 1 */
	struct mg_grid r[MG_LEVELS_MAX + 1]; /* residual by level */
	double planes[MG_SIDE_MAX];          /* sums of squares of each plane */
};

extern const struct mg_class mg_classes[NPB_CLASSES];

/* Bytes that mg_init() of a class takes. */
uint64_t mg_bytes(const struct mg_class *c);

/* Allocates the grids. Ends the program when memory is short. */
void mg_init(struct mg_state *s, const struct mg_class *c, struct npb_team *team);

/* u = 0 and v = +1 and -1 at ten points each, where the random numbers are largest and smallest. */
void mg_start(struct mg_state *s);

/* r = v - A u on the finest level. */
void mg_residual(struct mg_state *s);

/* The norm of r on the finest level. */
double mg_norm(struct mg_state *s);

/* One V-cycle: u += M r, then r = v - A u. */
void mg_cycle(struct mg_state *s);

/* True when the norm is within 1e-8 of the official one, relatively. */
bool mg_verify(const struct mg_class *c, double norm);

void mg_free(struct mg_state *s);

/* ---- the operators, on whole grids, called by every member of a team (grid.c) ----
 * Each member does its share of the planes, keeps the repeated sides of what it wrote, and returns
 * without waiting for the others.
 */
struct mg_share {
	int member, members;
};

void mg_zero(struct mg_grid u, struct mg_share who);
void mg_resid(struct mg_grid u, struct mg_grid v, struct mg_grid r, struct mg_share who);
void mg_psinv(struct mg_grid r, struct mg_grid u, const double *c, struct mg_share who);
void mg_restrict(struct mg_grid fine, struct mg_grid coarse, struct mg_share who);
void mg_interpolate(struct mg_grid coarse, struct mg_grid fine, struct mg_share who);

/* The sum of squares of each plane's points. */
void mg_squares(struct mg_grid r, double *planes, struct mg_share who);

#endif
