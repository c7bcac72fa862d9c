/*
 * A job's energy by where it ran: each attempt begins on a node and goes on at each
 * committed migration. Pure.
 */
#ifndef DROVER_SCHEDULER_LEDGER_SEGMENTS_H
#define DROVER_SCHEDULER_LEDGER_SEGMENTS_H

#include "common/isa.h"
#include "scheduler/ledger/ledger.h"

#define SEGMENTS_MAX 4096

/* One committed migration, in order of time. */
struct segment_move {
	uint32_t attempt, epoch; /* epoch: the one the move raised it to */
	const char *from, *to;
	enum isa from_isa, to_isa;
	uint64_t committed_ms;
};

/* A job's part of one interval of a meter that is counted, in order of time. */
struct segment_reading {
	char node[CORE_NAME_MAX];
	char source[16], scope[16], kind[16];
	uint32_t attempt;
	uint64_t from_ms, to_ms, energy_uj, idle_uj;
};

struct segment {
	uint32_t attempt, epoch;
	char node[CORE_NAME_MAX];
	int isa;                 /* -1: not known */
	uint64_t from_ms, to_ms; /* by its moves, else by its readings; 0: not known */
	struct ledger_sum sum;   /* energy_uj and idle_attributed_uj */
};

struct segments {
	struct segment *v;
	size_t n;
	struct ledger_sum total;
	bool failed;
};

/* Lays the moves out as segments. */
void segments_init(struct segments *s, const struct segment_move *moves, size_t nmoves);
/*
 * Charges a reading to the segment of its attempt and node that is nearest in time:
 * what a node used last for a job that has left may be reported after it began
 * elsewhere.
 */
void segments_add(struct segments *s, const struct segment_reading *r);
void segments_free(struct segments *s);

#endif
