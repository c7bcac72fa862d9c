/* NPB FT: the kernel's parameters, arrays and steps; see ft.c and fft.c. */
#ifndef NPB_FT_H
#define NPB_FT_H

#include "workloads/npb/common/npb.h"
#include "workloads/npb/common/team.h"

#define FT_ITERATIONS_MAX 20
#define FT_SIDE_MAX       512
#define FT_BLOCK          8 /* transforms carried out side by side */

struct ft_complex {
	double re, im;
};

struct ft_class {
	int n[3]; /* points in x, y, z; powers of two */
	int niter;
	const struct ft_complex *checksums; /* official, one per iteration */
};

/* ---- transforms of one length (fft.c) ---- */

struct ft_plan {
	size_t n;
	double re[FT_SIDE_MAX], im[FT_SIDE_MAX]; /* exp(-2 pi i k / n) */
};

/* Room for FT_BLOCK transforms side by side: element k of transform b is at k * FT_BLOCK + b. */
struct ft_block {
	double re[FT_SIDE_MAX * FT_BLOCK], im[FT_SIDE_MAX * FT_BLOCK];
};

/* A block and the room its transform needs: passes go to and fro between both. */
struct ft_room {
	struct ft_block side[2];
};

void ft_plan_make(struct ft_plan *p, size_t n);

/*
 * Transforms the block in room->side[0] forward or (without the factor 1/n) backward; returns the
 * side the result is in.
 */
int ft_transform(const struct ft_plan *p, struct ft_room *room, bool backward);

/* ---- the benchmark (ft.c) ---- */

struct ft_state {
	const struct ft_class *c;
	struct npb_team *team;
	size_t row, plane;     /* complex numbers from row to row, plane to plane (padded) */
	struct ft_complex *u0; /* the field in frequency space */
	struct ft_complex *u1; /* the field in space */
	double *decay;         /* what each frequency is multiplied with in one iteration */
	struct ft_room *rooms; /* one a member */
	struct ft_plan plan[3];
	double decay_of[3][FT_SIDE_MAX]; /* its factors by coordinate */
};

extern const struct ft_class ft_classes[NPB_CLASSES];

/* Bytes that ft_init() of a class takes with a team of `members`. */
uint64_t ft_bytes(const struct ft_class *c, int members);

/* Allocates the arrays. Ends the program when memory is short. */
void ft_init(struct ft_state *s, const struct ft_class *c, struct npb_team *team, int members);

/* Makes the initial field and its transform. */
void ft_start(struct ft_state *s);

/* One iteration: lets the field evolve, transforms it back, and returns its checksum. */
struct ft_complex ft_iterate(struct ft_state *s);

/* True when the checksum of an iteration (from 0) is within 1e-12 of the official, relatively. */
bool ft_verify(const struct ft_class *c, int iteration, struct ft_complex sum);

void ft_free(struct ft_state *s);

#endif
