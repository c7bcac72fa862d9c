/*
 * NPB EP, "embarrassingly parallel": 2^m pairs of pseudorandom numbers, made into Gaussian
 * deviates by the polar method, summed and counted by square annulus (NAS-91-002, section 2.2).
 * It stresses the floating-point units, log and sqrt; its memory is the block of numbers of a
 * batch. Batches are independent: each finds its own place in the sequence.
 */
#include "workloads/npb/ep/ep.h"

#include "workloads/npb/common/lcg.h"

#include <math.h>

#define EP_SEED UINT64_C(271828183)

/* Problem sizes and official sums of NPB. */
const struct ep_class ep_classes[NPB_CLASSES] = {
	[NPB_CLASS_S] = {24, -3.247834652034740e+3, -6.958407078382297e+3},
	[NPB_CLASS_W] = {25, -2.863319731645753e+3, -6.320053679109499e+3},
	[NPB_CLASS_A] = {28, -4.295875165629892e+3, -1.580732573678431e+4},
	[NPB_CLASS_B] = {30, 4.033815542441498e+4, -2.660669192809235e+4},
	[NPB_CLASS_C] = {32, 4.764367927995374e+4, -8.084072988043731e+4},
};

void ep_batch(struct ep_sums *s, uint64_t batch, double *x)
{
	uint64_t seed = npb_lcg_skip(EP_SEED, NPB_LCG_A, batch * 2 * EP_BATCH);
	double sx = s->sx, sy = s->sy;

	npb_vranlc(2 * (size_t)EP_BATCH, &seed, NPB_LCG_A, x);
	for (size_t i = 0; i < EP_BATCH; i++) {
		double x1 = 2.0 * x[2 * i] - 1.0;
		double x2 = 2.0 * x[2 * i + 1] - 1.0;
		double t = x1 * x1 + x2 * x2;

		if (t <= 1.0) {
			double scale = sqrt(-2.0 * log(t) / t);
			double g1 = x1 * scale, g2 = x2 * scale;

			s->q[(int)fmax(fabs(g1), fabs(g2))] += 1.0;
			sx += g1;
			sy += g2;
		}
	}
	s->sx = sx;
	s->sy = sy;
}

bool ep_verify(const struct ep_class *c, const struct ep_sums *s)
{
	const double epsilon = 1e-8;

	return fabs((s->sx - c->sx) / c->sx) <= epsilon && fabs((s->sy - c->sy) / c->sy) <= epsilon;
}
