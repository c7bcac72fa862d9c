/*
 * What decisions on a job came to, in joules of the same kind as were predicted for
 * them. Pure.
 *
 * A start: the job's own joules (its share of what its nodes drew above idle) from
 * the beginning of the attempt to its end, wherever it ran; predicted is a run
 * to its end on that node.
 *
 * A move: what it saved, net. Predicted is
 *
 *	(own joules if it stays - own joules if it goes) + idle joules saved - joules of the move
 *
 * for the rest of the job. Afterwards the segment that the move began says what
 * going took, and the time it took what the move drew; what staying would have
 * taken, idle power included, remains as predicted, for the part of the rest that
 * the segment did: all of it if the job completed there, else by time.
 */
#ifndef DROVER_SCHEDULER_API_OUTCOME_H
#define DROVER_SCHEDULER_API_OUTCOME_H

#include "scheduler/store/store.h"

/* A move that took place. */
struct outcome_move {
	uint32_t attempt, epoch; /* epoch: the one it raised the job to */
	double move_j;           /* drawn by the move itself */
};

struct outcome_of_job {
	const struct segment_record *segments; /* in order of time */
	size_t nsegments;
	const struct outcome_move *moves;
	size_t nmoves;
	bool completed; /* the job did all it had to */
};

/* NAN: not a start or move, not over yet, or nothing was read. */
double outcome_of(const struct outcome_of_job *job, const struct decision_record *d);

#endif
