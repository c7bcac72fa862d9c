/*
 * A team of threads that carries out one kernel together.
 *
 * Work is cut statically: which member does which part follows from sizes alone, never from who is
 * ready first. Sums are cut into NPB_SLICES parts however many members there are, each part is
 * summed by one member, and the parts are added in order; so a result is the same to the bit for
 * any scheduling and for any number of threads.
 *
 * team_pthread.c runs a team on POSIX threads. team_serial.c is a team of one, for builds without
 * threads; everything else is the same source.
 */
#ifndef NPB_TEAM_H
#define NPB_TEAM_H

#include <stddef.h>
#include <stdint.h>

#define NPB_SLICES 128 /* parts of a sum, and the most members of a team */

struct npb_team;

/* What a member does: `member` of `members`, from 0. */
typedef void npb_work(void *arg, int member, int members);

/* The most members a team of this build can have: 1 without threads. */
int npb_team_limit(void);

/* A team of 1 to npb_team_limit() members, the caller being member 0. Ends the program with a
 * message when the system gives no more threads. Free by npb_team_free(). */
struct npb_team *npb_team_new(const char *kernel, int members);

/* All members carry out work(arg, ...); returns when all have. */
void npb_team_run(struct npb_team *t, npb_work *work, void *arg);

/* Within work: waits until all members are here. What they wrote before is seen by all after. */
void npb_team_barrier(struct npb_team *t);

void npb_team_free(struct npb_team *t);

/* Where the share of a member begins among n things; it ends where the next one's begins. */
static inline size_t npb_share(size_t n, int member, int members)
{
	return (size_t)((uint64_t)n * (uint64_t)member / (uint64_t)members);
}

/* One part of a sum for each slice, as its member left it. */
struct npb_sum {
	double part[NPB_SLICES];
};

/* The sum, always in the same order. Call it behind a barrier. */
static inline double npb_sum_total(const struct npb_sum *s)
{
	double total = 0;

	for (int i = 0; i < NPB_SLICES; i++)
		total += s->part[i];
	return total;
}

#endif
