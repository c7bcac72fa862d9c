/*
 * What the files of core/ share and others do not need.
 */
#ifndef DROVER_SCHEDULER_CORE_INTERNAL_H
#define DROVER_SCHEDULER_CORE_INTERNAL_H

#include "scheduler/core/core.h"

/* The time of an event. It never goes back: with a clock that was set back time stands still here
 * until that has caught up. */
static inline uint64_t core_time(struct cluster *c, uint64_t now_ms)
{
	if (now_ms > c->now_ms)
		c->now_ms = now_ms;
	return c->now_ms;
}

/* Of cluster.node_hash. */
uint32_t cluster_name_bucket(const struct cluster *c, const char *name);

/* ---- queue.c: jobs that wait ---------------------------------------------- */

void queue_init(struct cluster *c);
void queue_free(struct cluster *c);
/* Puts a waiting job where it belongs and says why it waits. -ENOMEM. */
int queue_add(struct cluster *c, uint64_t now_ms, struct job *j);
/* Takes it out of there; array: and lets the next element of its array in. */
void queue_remove(struct cluster *c, struct job *j, bool array);
/* A job of an array is no longer under way. */
void queue_array_left(struct cluster *c, struct job *j);
/* A job becomes live: of its array, if it has one. -ENOMEM. */
int queue_adopt(struct cluster *c, const struct job *j);
/* It was loaded with an owner. -ENOMEM. */
int queue_adopt_running(struct cluster *c, struct job *j);
/* Sets the timer of its time limit. -ENOMEM. */
int queue_limit(struct cluster *c, struct job *j);
/* The job is to be freed: forgets its array membership. */
void queue_forget(struct cluster *c, const struct job *j);
/* NULL: none of it is there. */
struct job_array *queue_array(struct cluster *c, uint64_t id);
void queue_say(struct job *j, enum reason_code why);
/* The first class whose first job comes after one of this key and id. */
struct job_class *queue_after(const struct cluster *c, uint64_t key, uint64_t id);

/* dependency.c */
int links_make(struct cluster *c, struct job *j);
void links_drop(struct job *j);
/* Decides what depends on a job that ended. */
void links_decide(struct cluster *c, uint64_t now_ms, struct job *ended, struct effects *fx);

/* ---- index.c: nodes that may be chosen ------------------------------------ */

/* Finds the node's machine; call when what makes it alike to others changed. -ENOMEM. */
int node_join(struct cluster *c, struct node *n);
void machines_free(struct cluster *c);
/* Brings state, trees, lists and power up to date with the node's fields. */
void node_refresh(struct cluster *c, struct node *n);
void node_claim(struct cluster *c, struct node *n, const struct job *j);
void node_unclaim(struct cluster *c, struct node *n, const struct job *j);
/* Predicted power with so many cpus claimed, in milliwatts. */
uint64_t node_mw(const struct node *n, uint32_t cpus);
/* Tells listeners and history if the node's state is another than they know. NAN: no joules. */
void node_tell(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
	       double predicted_j, double actual_j, struct effects *fx);

/* ---- estimate.c ------------------------------------------------------------ */

/* The share of a job's work that is left when so much was expected to be done by now. One that
 * takes longer than expected is taken to need as long again as it is late. */
double work_left(double done);
void programs_free(struct cluster *c);
void segment_begin(struct cluster *c, uint64_t now_ms, struct job *j, double predicted_j,
		   struct effects *fx);
void segment_end(struct cluster *c, uint64_t now_ms, struct job *j, const char *outcome,
		 struct effects *fx);
/* A job completed: teaches what its program takes. */
void program_learn(struct cluster *c, struct job *j, struct effects *fx);
void ends_set(struct cluster *c, struct job *j, uint64_t expected_end_ms);
void ends_clear(struct cluster *c, struct job *j);

/* ---- power.c ---------------------------------------------------------------- */

/* Puts nodes that idled long enough to sleep. */
void power_sleep_idle(struct cluster *c, uint64_t now_ms, struct effects *fx);
/* Wakes a node for waiting jobs of this class, if one sleeps that helps and none is waking that
 * will do. True: one wakes. */
bool power_wake_for(struct cluster *c, uint64_t now_ms, const struct job_class *cls,
		    struct effects *fx);
/* Wakes a node that sleeps for running jobs which are to move there, unless the cap forbids it or
 * it was done a short while ago. True: it wakes. */
bool power_wake_to_move(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
			struct effects *fx);
/* Is any node waking? */
bool power_any_waking(const struct cluster *c);
/* Tells the node to sleep, or to wake, for that reason. */
void power_sleep(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		 struct effects *fx);
void power_wake(struct cluster *c, uint64_t now_ms, struct node *n, const char *reason,
		struct effects *fx);
/* When the next idle node may be put to sleep; UINT64_MAX: none. */
uint64_t power_next_ms(const struct cluster *c);
void power_tick(struct cluster *c, uint64_t now_ms, struct node *n, struct effects *fx);
/* An agent spoke up. introduced: with a new instance. */
void power_heard(struct cluster *c, uint64_t now_ms, struct node *n, bool introduced,
		 struct effects *fx);
void node_silence_tick(struct cluster *c, uint64_t now_ms, struct node *n, struct effects *fx);

/* ---- backfill.c -------------------------------------------------------------- */

/* Finds, or looks again at, the node that is kept for the first job that must wait. */
void backfill_reserve(struct cluster *c, uint64_t now_ms, const struct job *j);
/* May j, which starts or moves now, go to n without delaying the job that n may be kept for? If so
 * its part of what that one leaves is taken. Ask last: the answer is to be acted on. */
bool backfill_take(struct cluster *c, uint64_t now_ms, const struct node *n, const struct job *j);

/* ---- effects ------------------------------------------------------------------ */

void fx_reason(struct effects *fx, struct job *j);
void fx_decision(struct effects *fx, uint64_t now_ms, struct job *j, const char *what,
		 const struct node *n, const char *reason, double predicted_j);

/* ---- start.c ------------------------------------------------------------------- */

struct policy_view;
/* Starts the waiting jobs that may start. */
void start_waiting(struct policy_view *v);
/* Is it up, of the job's ISAs, and has it room? */
bool node_takes(const struct node *n, const struct job *j);

/* ---- schedule.c ----------------------------------------------------------------- */

/* Why the job can't be moved just now, or NULL. */
const char *job_unmovable(const struct job *j);

static inline double node_speed(const struct machine *m)
{
	return m->speed > 0 ? m->speed : 1;
}

/* The node's idle period is over, for jobs came or are to come. */
void power_idle_over(struct node *n, uint64_t now_ms);

#endif
