/*
 * NPB EP, "embarrassingly parallel": 2^m pairs of pseudorandom numbers, made into Gaussian
 * deviates by the polar method, summed and counted by square annulus (NAS-91-002, section 2.2).
 * It stresses the floating-point units, log and sqrt; its memory is the block of numbers of a
 * batch. Batches are independent: each finds its own place in the sequence.
 * Each slice of the batches has sums of its own, so that a team adds in the same order as one
 * alone.
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

static void slices(void *arg, int member, int members)
{
	struct ep_state *s = arg;
	size_t batches = (size_t)1 << (s->c->m - EP_BATCH_LOG2);
	double *room = s->room + (size_t)member * 2 * EP_BATCH;
	int lo = (int)npb_share(NPB_SLICES, member, members);
	int hi = (int)npb_share(NPB_SLICES, member + 1, members);

	for (int l = lo; l < hi; l++) {
		struct ep_sums *sums = &s->slice[l];

		*sums = (struct ep_sums){0};
		for (size_t i = npb_share(batches, l, NPB_SLICES);
		     i < npb_share(batches, l + 1, NPB_SLICES); i++)
			ep_batch(sums, i, room);
	}
}

void ep_run(struct ep_state *s, struct npb_team *team)
{
	npb_team_run(team, slices, s);
}

struct ep_sums ep_total(const struct ep_state *s)
{
	struct ep_sums t = {0};

	for (int l = 0; l < NPB_SLICES; l++) {
		t.sx += s->slice[l].sx;
		t.sy += s->slice[l].sy;
		for (int i = 0; i < EP_ANNULI; i++)
			t.q[i] += s->slice[l].q[i];
	}
	return t;
}

bool ep_verify(const struct ep_class *c, const struct ep_sums *s)
{
	const double epsilon = 1e-8;

	return fabs((s->sx - c->sx) / c->sx) <= epsilon && fabs((s->sy - c->sy) / c->sy) <= epsilon;
}
