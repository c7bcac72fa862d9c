/* NPB EP: the kernel's parameters and its two steps; see ep.c. */
#ifndef NPB_EP_H
#define NPB_EP_H

#include "workloads/npb/common/npb.h"

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

extern const struct ep_class ep_classes[NPB_CLASSES];

/* Adds batch number `batch` (from 0) to s; x is room for 2 * EP_BATCH numbers. */
void ep_batch(struct ep_sums *s, uint64_t batch, double *x);

/* True when both sums are within 1e-8 of the official ones, relatively. */
bool ep_verify(const struct ep_class *c, const struct ep_sums *s);

#endif
