/* NPB EP: the kernel's parameters and its two steps; see ep.c. */
#ifndef NPB_EP_H
#define NPB_EP_H

#include "workloads/npb/common/npb.h"
#include "workloads/npb/common/team.h"

#define EP_BATCH_LOG2 16 /* pairs a batch, as in the reference */
#define EP_BATCH      (1u << EP_BATCH_LOG2)
#define EP_ANNULI     10

struct ep_class {
	int m;         /* 2^m pairs */
	double sx, sy; /* official sums of the Gaussian deviates */
};

struct ep_sums {
	double sx, sy;
	double q[EP_ANNULI]; /* pairs whose larger coordinate lies in [l, l+1) */
};

struct ep_state {
	const struct ep_class *c;
	double *room;                     /* 2 * EP_BATCH numbers for each member */
	struct ep_sums slice[NPB_SLICES]; /* the sums of each slice of the batches */
};

extern const struct ep_class ep_classes[NPB_CLASSES];

/* Adds batch number `batch` (from 0) to s; x is room for 2 * EP_BATCH numbers. */
void ep_batch(struct ep_sums *s, uint64_t batch, double *x);

/* All batches by the members of `team`, each into the sums of its slice. */
void ep_run(struct ep_state *s, struct npb_team *team);

/* The sums of all slices, added in order. */
struct ep_sums ep_total(const struct ep_state *s);

/* True when both sums are within 1e-8 of the official ones, relatively. */
bool ep_verify(const struct ep_class *c, const struct ep_sums *s);

#endif
