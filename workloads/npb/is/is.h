/* NPB IS: the kernel's parameters, state and steps; see is.c. */
#ifndef NPB_IS_H
#define NPB_IS_H

#include "workloads/npb/common/npb.h"
#include "workloads/npb/common/team.h"

#define IS_ITERATIONS 10
#define IS_TESTS      5

struct is_class {
	int keys_log2;
	int max_key_log2;
	int buckets_log2;
	uint32_t index[IS_TESTS]; /* keys whose rank is official */
	int64_t rank[IS_TESTS];   /* their rank before the first iteration */
	int64_t step[IS_TESTS];   /* by how much it changes with each iteration */
	int first[IS_TESTS];      /* the iteration in which `rank` holds unchanged */
};

struct is_state {
	const struct is_class *c;
	struct npb_team *team;
	uint32_t *keys;   /* the sequence to be ranked */
	uint32_t *sorted; /* the keys by bucket; after is_full_verify() the keys in order */
	uint32_t *counts; /* counts[k]: number of keys <= k, after is_rank() */
	uint32_t *begins; /* where each bucket begins in `sorted`, and behind the last its end */
	uint32_t *sizes;  /* keys of each bucket in each member's share: sizes[member][bucket] */
	uint32_t *places; /* where each member puts its next key of each bucket */
	int passed;       /* partial verifications that held */
};

extern const struct is_class is_classes[NPB_CLASSES];

/* Bytes that is_init() of a class allocates for a team of `members`. */
uint64_t is_bytes(const struct is_class *c, int members);

/* Allocates and makes the keys. Ends the program when memory is short. */
void is_init(struct is_state *s, const struct is_class *c, struct npb_team *team, int members);

/* One iteration (from 1): changes two keys, ranks all, checks the official ranks. */
void is_rank(struct is_state *s, int iteration);

/* Puts the keys in order by their ranks of the last iteration; true when they are. */
bool is_full_verify(struct is_state *s);

void is_free(struct is_state *s);

#endif
