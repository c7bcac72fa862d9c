/* Proofs over the two finished halves of an aligned link. */
#ifndef DROVER_LINK_VERIFY_H
#define DROVER_LINK_VERIFY_H

#include "binaries/link/layout.h"
#include "binaries/link/link.h"

/* Every movable datum has a partner of its size; no thread-local section.  Before the final link.
 */
int verify_layout(const struct layout *l, const struct map maps[ISA_COUNT],
		  const struct link_job *job, struct err *err);

/*
 * Constants that only one compiler kept go to the other half as well: a pointer
 * to one may move.  Takes their bytes from the trial links TRIAL.
 */
int verify_graft(struct layout *l, const char *const trial[ISA_COUNT], struct err *err);

/* Every shared symbol of both final maps has one address; counts them. */
int verify_addresses(const struct map maps[ISA_COUNT], const struct layout *l,
		     const struct link_job *job, struct link_stats *stats, struct err *err);

/*
 * No module takes the address of a function that has one per ISA (of libgcc or the runtime, which
 * are only called).
 */
int verify_taken(const struct map maps[ISA_COUNT], const struct link_job *job, struct err *err);

/* The bytes of every shared constant and initialised datum, and the state tables, are equal. */
int verify_contents(const struct layout *l, const struct link_job *job, struct err *err);

/* The identity of the program: digest of both halves, written into both. */
int verify_stamp(const struct layout *l, const struct link_job *job, struct link_stats *stats,
		 struct err *err);

#endif
